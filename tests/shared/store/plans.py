"""How a database goes about the statements of a store: their plans as they run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from shared.store.sql import Database

_Statement = tuple[str, Any]


@contextmanager
def _recorded(database: Database) -> Iterator[list[_Statement]]:
    """The statements that run meanwhile, with their parameters."""
    statements: list[_Statement] = []

    def record(connection: object, cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if re.match(r"(SELECT|UPDATE|DELETE|WITH)\b", statement):
            statements.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", record)
    yield statements
    event.remove(database.engine, "before_cursor_execute", record)


def _plan(connection: Connection, statement: str, parameters: Any) -> str:
    word = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    if isinstance(parameters, list):
        parameters = parameters[0]
    return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{word} {statement}", parameters))


def plans_of(database: Database, work: Callable[[], object]) -> list[str]:
    """The plan of every statement that ``work`` executes."""
    with _recorded(database) as statements:
        work()
    with database.engine.connect() as connection:
        return [_plan(connection, *statement) for statement in statements]


def blocks_of(database: Database, work: Callable[[], object]) -> int:
    """How many blocks PostgreSQL reads, of its cache or not, for the statements that ``work`` executes."""
    with _recorded(database) as statements:
        work()
    with database.engine.connect() as connection:
        blocks = sum(_blocks(connection, *statement) for statement in statements)
        connection.rollback()
    return blocks


def instructions_of(database: Database, work: Callable[[], object]) -> int:
    """How many instructions of its virtual machine SQLite runs for the statements that ``work`` executes, in tens."""
    with _recorded(database) as statements:
        work()
    tens = 0

    def count() -> int:
        nonlocal tens
        tens += 1
        return 0

    with database.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.set_progress_handler(count, 10)
        for statement, parameters in statements:
            connection.exec_driver_sql(statement, parameters).fetchall()
        raw.set_progress_handler(None, 0)
        connection.rollback()
    return tens


def _blocks(connection: Connection, statement: str, parameters: Any) -> int:
    explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters).scalar()
    plan = explained[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
