"""Does the clip sound like the job's reference voice? Two encoders of voices, each a family of its own."""
