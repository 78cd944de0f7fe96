"""Requests made from the OpenAPI document, one after another and in chains, against a real gateway over SQLite.

No answer is a fault of ours, every answer is as documented, and memory stays flat. ``python -m
tests.gateway.test_schema_fuzzing 10000`` makes about so many requests and says what came of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil  # type: ignore[import-untyped]

from shared.store.sql import Database, SqlJobStore, migrate
from tests.gateway.place import BARE, RICH
from tests.gateway.test_gateway_process import free_port, until_it_answers

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,use_after_free,unsupported_method"
)
GROWTH_MB = 80.0
ROOT = Path(__file__).parents[2]
FEW = 3
"""Examples an operation in the suite: about 20 s."""
SEED = 7


class Run(NamedTuple):
    """What came of one. ``said``: the report."""

    failed: bool
    requests: int
    growth_mb: float
    said: str


@contextmanager
def gateway(folder: Path) -> Iterator[tuple[str, int]]:
    """Its address and its process; two pins are known, and nobody speaks."""
    database = Database(f"sqlite:///{folder / 'ringtrue.db'}")
    migrate(database)
    example = replace(RICH, pin="espeak-v2")  # of the document
    SqlJobStore(database).publish("worker", [RICH, BARE, example], time.time())
    database.close()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RINGTRUE_")}
    environ |= {"RINGTRUE_DATA": str(folder), "RINGTRUE_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = subprocess.Popen([sys.executable, "-m", "services.gateway", "--port", str(port)], env=environ)
    try:
        with httpx.Client(base_url=url, timeout=20) as http:
            until_it_answers(http, process)
        yield url, process.pid
    finally:
        process.kill()
        process.wait()


def fuzz(folder: Path, examples: int, seconds: float) -> Run:
    """``examples``: of each operation, and chains; not longer than ``seconds``."""
    report = folder / "report.ndjson"
    program = Path(sys.executable).with_name("schemathesis")
    with gateway(folder) as (url, pid):
        command = [program, "run", f"{url}/openapi.json", "--checks", CHECKS, "--max-examples", str(examples)]
        command += ["--seed", str(SEED), "--generation-database", "none", "--no-color", "--max-time", f"{seconds:g}"]
        command += ["--suppress-health-check", "all", "--request-timeout", "70", "--warnings", "off", "--no-shrink"]
        command += ["--report", "ndjson", "--report-ndjson-path", report, "--continue-on-failure"]
        memory = psutil.Process(pid).memory_info
        httpx.get(f"{url}/openapi.json", timeout=60)
        before = memory().rss
        environ = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.gateway.schema_hooks", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=folder, env=environ, timeout=seconds + 300, check=False
        )
        return Run(done.returncode != 0, count(report), (memory().rss - before) / 1e6, done.stdout + done.stderr)


def count(report: Path) -> int:
    """Requests in a report."""

    def inside(value: Any) -> int:
        if isinstance(value, dict):
            found = int("status_code" in value and "elapsed" in value)
            return found + sum(inside(one) for one in value.values())
        return sum(inside(one) for one in value) if isinstance(value, list) else 0

    return sum(inside(json.loads(line)) for line in report.read_text().splitlines())


def test_requests_made_from_the_document_find_no_fault(tmp_path: Path) -> None:
    run = fuzz(tmp_path, FEW, seconds=60)
    assert not run.failed, run.said
    assert run.requests > 100
    assert run.growth_mb < GROWTH_MB


def main(requests: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        run = fuzz(Path(folder), max(1, requests // 40), seconds=max(60.0, requests / 5))
        print(run.said)
        print(f"{run.requests} requests in {time.monotonic() - began:.0f} s; memory grew by {run.growth_mb:.1f} MB")
        return run.failed


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
