"""The stack's own MLflow: `mlflow server` on SQLite, artifacts through the server, and the relay in front of it.

Owns how both are set up. MLflow has no login, so it listens on a Unix socket that only this user can reach. The relay
accepts connections on the announced port and lets only this user's through. Does not import mlflow.
"""

from __future__ import annotations

import contextlib
import shlex
import socket as sockets
import sqlite3
from pathlib import Path

from services.embedded.preflight import listen_near, listen_on
from services.embedded.processes.child import ChildSpec, answers_http_on, says
from shared.files.whole_file import write_whole
from shared.processes.interpreter import run_module

_PREFERRED_PORT = 5000
_PORT = "port"
_DATABASE = "mlflow.db"
HEALTH_CHECK_S = 120
"""Seconds after which its web server kills a worker process that does not answer.

The default is 5 s, and on a busy machine any process may take longer than that.
"""
_READY_WITHIN_S = 300.0
"""Seconds until it is reported as late, but not restarted.

Its first start creates its schema step by step; if that is interrupted, it never starts again. Nothing waits for it.
"""


def mlflow_spec(folder: Path, socket: Path) -> ChildSpec:
    """Return a server that keeps everything in ``folder``. Two processes, because several runs are logged at once."""
    (folder / "artifacts").mkdir(mode=0o700, parents=True, exist_ok=True)
    _log_ahead(folder / _DATABASE)
    # uvicorn looks for modules in the folder that it is started in, whatever Python was told. This folder is ours.
    options = ["--uds", str(socket), "--timeout-worker-healthcheck", str(HEALTH_CHECK_S), "--app-dir", str(folder)]
    options += ["--no-access-log"]  # a line for each request of ours says nothing; failed ones are logged by the scorer
    argv = [*run_module("mlflow"), "server", "--uvicorn-opts", shlex.join(options), "--workers", "2"]
    # The names are relative to `cwd`: an absolute path may contain characters that mean something else in a URL, such
    # as ? and #.
    argv += ["--backend-store-uri", f"sqlite:///{_DATABASE}", "--artifacts-destination", "artifacts"]
    env = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # several more processes, for features that are not used here
        "MLFLOW_DISABLE_TELEMETRY": "true",  # this machine sends nothing to others unless asked to
    }
    return ChildSpec(
        name="mlflow",
        argv=argv,
        ready=answers_http_on(socket, "/health"),
        env=env,
        cwd=folder,
        sockets=(socket,),
        ready_within_s=_READY_WITHIN_S,
        waited_for=True,
        vital=False,
        in_view=False,
    )


def _log_ahead(database: Path) -> None:
    """Let SQLite write changes to a log first (WAL): a commit costs less, and readers do not wait for it.

    MLflow does not ask for it, but the file keeps it. A file that cannot be changed now stays as it is; if it is
    damaged, MLflow says so.
    """
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(database, timeout=1)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def listen_for_mlflow(folder: Path, asked: int | None = None) -> sockets.socket:
    """Return a socket that listens on the port that people reach MLflow by.

    It is ``asked``, else the port that an earlier start chose, which ``folder`` keeps: links to runs are kept with
    jobs, so
    the port must not change. Raises `PortUnusable` if it is taken.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = _kept_port(folder / _PORT)
    if asked is None and kept is None:
        listening = listen_near(_PREFERRED_PORT)
    else:
        port = kept or 0 if asked is None else asked
        advice = "choose another with --mlflow-port"
        if port == kept:
            advice += "; then links to earlier runs no longer work"
        listening = listen_on("127.0.0.1", port, f"{advice} (the port of MLflow)")
    bound = listening.getsockname()[1]
    if bound != kept:
        write_whole(folder / _PORT, f"{bound}\n", mode=0o600)
    return listening


def _kept_port(file: Path) -> int | None:
    try:
        port = int(file.read_text())
    except (OSError, ValueError):
        return None
    return port if 0 < port < 1 << 16 else None


def relay_spec(listening: sockets.socket, socket: Path) -> ChildSpec:
    """Return the relay from the announced port, on which ``listening`` listens, to the server's ``socket``."""
    fd = listening.fileno()
    return ChildSpec(
        name="relay",
        argv=[*run_module("services.embedded.parts.relay"), "--fd", str(fd), "--to", str(socket)],
        ready=says("ready"),
        pass_fds=(fd,),
        vital=False,
    )
