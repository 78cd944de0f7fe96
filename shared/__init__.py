"""What the services share: their common words, the ports and their adapters, suites, weights and the sandbox."""
