"""The comparison of two evaluations: what may be compared, the result, and the verdict of a gate."""
