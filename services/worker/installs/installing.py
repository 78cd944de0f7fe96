"""Makes the environment of an engine family: a new folder, which a link with the family's name points to once it works.

Owns that nothing half-made is ever used: an unfinished folder has a hidden name, and is removed if making it fails or
is stopped. An environment that is replaced stays while a host runs in it; the next installation then removes it, and
also what a killed installation left behind.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.worker.engines.families import Installed
from services.worker.installs.environments import InstallState, InstallStep, standing
from services.worker.installs.interpreters import Interpreter
from services.worker.installs.pythons import fitting
from services.worker.installs.requirements_file import NAME, Requirements, Sources
from shared.errors import RingtrueError
from shared.files.flock import flock
from shared.sandbox.environment import for_installer

Say = Callable[[str], None]
"""Called with the progress, one line at a time."""


class NotMade(RingtrueError):
    """The environment could not be made. The unfinished folder is gone, and an earlier environment stays."""


@dataclass(frozen=True, slots=True)
class Order:
    """The options of an installation."""

    python: Path | None = None
    sources: Sources = field(default_factory=Sources)
    no_index: bool = False
    """Take packages from ``find_links`` alone."""
    settings: Mapping[str, str] = field(default_factory=dict)
    uv: Path | None = None
    """Path of uv, which makes it. Without it, venv and pip do."""


def install(family: Installed, wanted: Requirements, order: Order, folder: Path, say: Say) -> InstallState:
    """Make the environment of ``family`` in ``folder``, and replace one that is there. Takes as long as the downloads
    take.

    Raises `NotMade`, `NoPython`, `RequirementsInvalid`, `OSError`.
    """
    text = wanted.filled(order.settings)
    python = fitting(family.name, wanted.python, order.python)
    name = folder / family.name
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder, family.name):
        if name.exists() and not name.is_symlink():
            raise NotMade(f"{name} was not made by this command; move it away")
        _sweep(folder, family.name)
        with _begun(folder, family.name) as made:
            say(f"1/3  {made}, with {python}")
            (made / NAME).write_text(text)
            _make(made, python, order.uv)
            say(f"2/3  {len(wanted.pins())} packages of {wanted.file}, by {'uv' if order.uv else 'pip'}")
            _fill(made, wanted, order)
            say(f"3/3  starting a host of {family.name}")
            found = standing(family, Interpreter(made / "bin" / "python"))
            if found.state is not InstallStep.READY:
                raise NotMade(f"the environment was made but does not work: {found.detail}")
            _link(name, made)
        _sweep(folder, family.name)
    return found


@contextlib.contextmanager
def _alone(folder: Path, family: str) -> Iterator[None]:
    lock = os.open(folder / f".{family}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            flock(lock, at_once=True)
        except BlockingIOError as error:
            raise NotMade(f"{family} is being installed by another process") from error
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def _begun(folder: Path, family: str) -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix=_prefix(family), dir=folder))
    try:
        made.chmod(0o755)
        yield made
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _prefix(family: str) -> str:
    return f".{family}-made-"


def _make(made: Path, python: Path, uv: Path | None) -> None:
    if uv is not None:
        _run([str(uv), "venv", "--quiet", "--no-project", "--allow-existing", "--python", str(python), str(made)])
    else:
        _run([str(python), "-I", "-m", "venv", "--without-pip", str(made)])


def _fill(made: Path, wanted: Requirements, order: Order) -> None:
    inside, sources = str(made / "bin" / "python"), wanted.sources.overruled_by(order.sources)
    if order.uv is not None:
        # Every pin is exact, so take the first index that has the version, not the first that knows the name.
        command = [str(order.uv), "pip", "install", "--python", inside, "--compile-bytecode"]
        command += ["--index-strategy", "unsafe-first-match"]
        # A package's own sources for its dependencies would override the operator's.
        command += ["--no-sources"]
    else:
        command = [sys.executable, "-P", "-m", "pip", "--python", inside, "install", "--disable-pip-version-check"]
        # as uv does for packages given by URL: the pins were tested with this Python
        command += ["--ignore-requires-python"]
    command += ["--index-url", sources.index] if sources.index else []
    command += [word for url in sources.extra_indexes for word in ("--extra-index-url", url)]
    command += [word for url in sources.find_links for word in ("--find-links", url)]
    command += ["--no-index"] if order.no_index else []
    settings = [f"DIST_EXTRA_CONFIG={wanted.build_config}"] if wanted.build_config else []
    _run([*command, "--requirement", str(made / NAME)], settings)


def _run(command: Sequence[str], settings: Sequence[str] = ()) -> None:
    """Run ``command`` with ``settings`` (NAME=VALUE) in its environment. Its output goes to stderr. If this process is
    interrupted, the command and all its children are killed. Raises `NotMade` if it fails."""
    argv, out = ["env", *settings, *command], sys.stderr.fileno()
    env = for_installer(os.environ)
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, env=env, start_new_session=True) as child:
        try:
            code = child.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            raise
    if code != 0:
        raise NotMade(
            f"`{Path(command[0]).name} {' '.join(command[1:3])}` ended with exit code {code}; see its output above"
        )


def _link(name: Path, made: Path) -> None:
    """Let ``name`` point to ``made``. The replacement is atomic, so ``name`` always exists once it did."""
    beside = made.with_name(f"{made.name}.link")
    beside.symlink_to(made.name)
    beside.replace(name)


def _sweep(folder: Path, family: str) -> None:
    """Remove the family's folders that are neither linked nor in use."""
    linked = (folder / family).resolve()
    for made in folder.glob(f"{_prefix(family)}*"):
        if made.is_symlink():
            made.unlink()
        elif made.resolve() != linked and not _in_use(made):
            shutil.rmtree(made, ignore_errors=True)


def _in_use(made: Path) -> bool:
    """Return whether a host runs in it (services/worker/engines/foreign_python.py locks the file)."""
    try:
        held = os.open(made / "pyvenv.cfg", os.O_RDONLY)
    except OSError:
        return False
    try:
        flock(held, at_once=True)
    except BlockingIOError:
        return True
    finally:
        os.close(held)
    return False
