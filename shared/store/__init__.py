"""Where jobs are rows: in memory (a fake for tests), SQLite or PostgreSQL, one behaviour (tests/shared/store)."""
