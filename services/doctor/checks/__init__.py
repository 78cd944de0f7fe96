"""The checks, a module per subject.

Each check gets what it needs as arguments, and imports its libraries only when it runs: an import that fails is one of
the things to report.
"""
