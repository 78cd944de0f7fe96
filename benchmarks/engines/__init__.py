"""What speaking costs: loading, hosts, batches, and the files of a model."""
