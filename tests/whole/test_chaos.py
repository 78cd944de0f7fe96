"""A little of everything goes wrong under load, and afterwards nothing is lost, done twice or left running.

The whole of it, for longer and with more faults: ``python -m tests.whole.chaos``."""

from __future__ import annotations

import os

import psycopg
import pytest

from tests.whole.chaos.running import SERVER, Options, run

FAULTS = ("kill", "flush", "refuse", "disk", "backends")


@pytest.mark.timeout(900)  # a busy machine
def test_a_little_chaos_leaves_only_zeros() -> None:
    try:
        psycopg.connect(SERVER, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL at RINGTRUE_TEST_DATABASE_URL: {error}")
    options = Options(
        jobs=40, minutes=0.2, faults=FAULTS, pause_s=1.0, gateways=1, workers=2, scorers=1, mlflow=False,
        quiet_minutes=2.0,
    )  # fmt: skip
    report = run(options)
    assert report.good, "\n".join(report.lines())
    assert report.accepted == options.jobs
