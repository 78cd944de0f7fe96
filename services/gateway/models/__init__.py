"""Pins: which ones there are, what each can do, whether a job may use one; and their model files, for other nodes."""
