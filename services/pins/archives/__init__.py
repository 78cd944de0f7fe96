"""Pins in one file, for carrying to a host without a network."""
