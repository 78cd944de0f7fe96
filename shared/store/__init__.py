"""The store of jobs as rows, in SQLite or PostgreSQL.

tests/memory_store has a fake in memory; tests/shared/store checks that all behave the same.
"""
