"""One module per thing that has an address."""
