"""Evaluations, comparisons and gates: their computation in a child process, and their files."""
