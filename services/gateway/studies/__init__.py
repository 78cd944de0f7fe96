"""Evaluations, comparisons and gates: submission, lists, reading, and their JSON."""
