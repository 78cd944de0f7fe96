"""Which files a host needs besides its own: a Python with its packages, our code, the system's libraries, a GPU.

Owns those lists. The parent adds what the host is for (a model's files, a store of weights). The lists contain no
users' data, keys or databases, and no folder that could contain them (home, /etc, /tmp, the current folder).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

OURS = Path(__file__).resolve().parents[2]
"""The folder of our packages. It may be listed, as Python does to find them. It may be a checkout with data in it; then
only the packages may be read."""
_INSTALLED = "ringtrue-*.dist-info"
"""What an installer leaves beside them. Such a folder has packages alone, ours and others that ours import."""
_OUR_PACKAGES = ("services", "shared")
_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/opt/nvidia", "/opt/rocm", "/opt/intel"),
    *("/proc", "/sys", "/run/opengl-driver"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload", "/etc/alternatives"),
    *("/etc/localtime", "/etc/timezone", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/mime.types"),
    *("/etc/fonts", "/etc/OpenCL", "/etc/glvnd", "/etc/vulkan", "/etc/ssl/openssl.cnf", "/etc/os-release"),
)
_DEVICES = (
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm"),  # noqa: S108 (shared memory is there)
    *("/dev/nvidia-caps", "/dev/dri", "/dev/kfd", "/dev/dxg"),
)
_GPUS = "nvidia*"
_OF_A_PYTHON = ("bin", "lib", "lib64", "libexec", "include", "share", "etc", "targets", "nvvm", "pyvenv.cfg")
"""Parts of the folder that a Python is installed in. The folder itself may be a user's home."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a host may open besides Python and its own room.

    ``sockets``: whether it may create stream sockets within the machine.
    """

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    sockets: bool = True
    devices: bool = True
    """A GPU, and shared memory."""


def readable(access: Access, argv0: str, env: Mapping[str, str]) -> list[str]:
    """Return everything that a host with this command and environment may read and execute.

    Some of it may not exist.
    """
    paths = [*_SYSTEM, *_of_python(argv0), *_of_this_python(), *_of_path(env), *access.read]
    return list(dict.fromkeys(map(str, paths)))


def writable(access: Access) -> list[str]:
    """Return everything that the host may also write."""
    devices = [*_DEVICES, *map(str, Path("/dev").glob(_GPUS))] if access.devices else ["/dev/null"]
    return [*devices, *map(str, access.write)]


def with_targets(folder: Path) -> tuple[Path, ...]:
    """Return ``folder`` and, one by one, the files elsewhere that its links lead to."""
    found = (path for path in folder.rglob("*") if path.is_symlink())
    return (folder, *dict.fromkeys(path.resolve() for path in found))


def _of_python(argv0: str) -> Iterator[Path]:
    """Return the parts of the interpreter at ``argv0`` and of the one that its environment was created with."""
    given = Path(os.path.abspath(argv0))
    homes = {given.parent.parent, given.resolve().parent.parent}
    try:
        lines = (given.parent.parent / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        lines = []
    for line in lines:
        name, _, value = line.partition("=")
        if name.strip() == "home":
            homes |= {Path(value.strip()).parent, Path(value.strip()).resolve().parent}
    return _parts(homes)


def _of_this_python() -> Iterator[Path]:
    yield from (OURS / package for package in _OUR_PACKAGES)
    if any(OURS.glob(_INSTALLED)):
        yield OURS
    yield from _parts({Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix)})
    # Packages in other places: those of an editable installation, or a user's own.
    closed = {OURS, *OURS.parents, Path.cwd(), *Path.cwd().parents, *_home_and_above()}
    yield from (path for path in map(Path, filter(None, sys.path)) if path not in closed)
    for name, module in list(sys.modules.items()):
        if name.startswith("__editable__"):
            yield from (Path(place) for place in getattr(module, "MAPPING", {}).values())


def _of_path(env: Mapping[str, str]) -> Iterator[Path]:
    for name in ("PYTHONPATH", "LD_LIBRARY_PATH"):
        yield from (Path(os.path.abspath(one)) for one in env.get(name, "").split(os.pathsep) if one)
    yield from (Path(one) for one in env.get("LD_PRELOAD", "").replace(":", " ").split() if os.path.isabs(one))
    if "ESPEAK_DATA_PATH" in env:
        yield Path(env["ESPEAK_DATA_PATH"])


def _parts(homes: Iterable[Path]) -> Iterator[Path]:
    return (home / part for home in homes for part in _OF_A_PYTHON)


def _home_and_above() -> Iterator[Path]:
    try:
        home = Path.home()
    except RuntimeError:  # a uid without a passwd entry and without HOME
        return iter(())
    return iter((home, *home.parents))
