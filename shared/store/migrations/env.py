"""Alembic's entry point: runs in the transaction that ``shared.store.sql.connection.migrate`` has opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
