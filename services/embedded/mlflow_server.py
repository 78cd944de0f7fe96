"""The stack's own MLflow: `mlflow server` on SQLite, artifacts through the server.

Owns how that server is set up. Does not import mlflow: it is a child like the others.
"""

from __future__ import annotations

import sys
from pathlib import Path

from services.embedded.child import ChildSpec, answers_http

PREFERRED_PORT = 5000


def mlflow_spec(folder: Path, port: int) -> ChildSpec:
    """A server on loopback that keeps everything in ``folder``; two processes, for several runs are logged at once."""
    artifacts = folder / "artifacts"
    artifacts.mkdir(mode=0o700, parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "mlflow", "server"]
    argv += ["--host", "127.0.0.1", "--port", str(port), "--workers", "2"]
    argv += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(artifacts)]
    env = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # several processes more, for features that are not used here
        "MLFLOW_DISABLE_TELEMETRY": "true",  # this machine speaks to nobody unless asked to
    }
    return ChildSpec(
        name="mlflow",
        argv=argv,
        ready=answers_http("127.0.0.1", port, "/health"),
        env=env,
        ready_within_s=300,  # the first start writes its schema, step by step
        in_view=False,
    )
