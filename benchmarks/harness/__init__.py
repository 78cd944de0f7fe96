"""What several benchmarks need: deployments, loads, clips, processes."""
