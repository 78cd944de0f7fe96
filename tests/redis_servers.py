"""Where a server that speaks Redis' protocol is: the system's, or the one that comes with the project."""

from __future__ import annotations

import shutil
from pathlib import Path

from services.embedded.parts.redis_server import redis_binary


def server_binary() -> Path:
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    return Path(found) if found else redis_binary()
