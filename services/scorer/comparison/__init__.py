"""Two evaluations, held against each other: what may be compared, what came out, what a gate says to it."""
