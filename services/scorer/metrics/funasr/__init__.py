"""FunASR in a Python of its own, and the recognisers that it runs."""
