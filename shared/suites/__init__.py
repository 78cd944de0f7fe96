"""Suites (golden sets): what is spoken to judge a pin, as text files that are versioned and hashed.

Owns the words, the two notations and the suites that ship. Speaks nothing and compares nothing.
"""
