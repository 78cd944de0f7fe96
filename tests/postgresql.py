"""Empty PostgreSQL databases of a test's own, on the server that is given. Without one: skipped, and failed in CI."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

SERVER = os.environ.get("RINGTRUE_TEST_DATABASE_URL", "postgresql://root@127.0.0.1:5432/postgres")


@contextmanager
def databases() -> Iterator[Callable[[], str]]:
    """Makes one and gives its URL; all of them go when the block ends."""
    try:
        server = psycopg.connect(SERVER, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL at RINGTRUE_TEST_DATABASE_URL: {error}")
    with server, ExitStack() as made:

        def make() -> str:
            name = f"ringtrue_test_{uuid.uuid4().hex}"
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            made.callback(server.execute, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            return make_url(SERVER).set(database=name).render_as_string(hide_password=False)

        yield make
