"""Suites (golden sets): the texts that are spoken to judge a pin, as files that are versioned and hashed.

Owns the words, the two notations and the suites that ship. Speaks nothing and compares nothing.
"""
