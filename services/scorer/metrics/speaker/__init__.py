"""Does the clip sound like the job's reference voice? Two speaker encoders, each a family of its own."""
