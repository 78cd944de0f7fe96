"""Uploaded voices, and the child process that decodes them."""
