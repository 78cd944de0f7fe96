"""A family in a Python of its own: the worker's code, the environment's packages, and nothing else."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from services.worker.engines.base import SpeakRequest
from services.worker.environment_record import EnvironmentRecord
from services.worker.installs.interpreters import FOREIGN_PYTHON, Interpreters
from services.worker.installs.pythons import NoPython, fitting
from services.worker.pins.served_pins import ServedPins
from shared.catalog import PinState
from shared.processes.hosting import Child
from tests.memory_store import MemoryJobStore
from tests.worker.outside import ROOT, Outside, bare_python, wheel

ENGINES = ROOT / "services" / "worker" / "engines"
STAND_IN = "enum.StrEnum"
"""foreign_python.py brings it where Python does not."""

PEEK = """
import sys
from importlib.util import find_spec

class Family:
    name = "peek"
    def pins(self):
        from services.worker.engines import host
        there = [name for name in ("numpy", "torch", "ringtrue", "tests") if find_spec(name)]
        return [host.__file__, *there, *(entry for entry in sys.path if entry.startswith(%r))]
"""


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Outside:
    return Outside.in_folder(tmp_path_factory.mktemp("outside"))


@pytest.fixture(scope="module")
def python(outside: Outside) -> Path:
    return outside.python()


def spoken(outside: Outside, python: Path) -> tuple[str, int]:
    """Where the engine says that it ran, and how much it spoke."""
    served_pins = ServedPins(["tone-v1"], env=outside.environ, interpreters=Interpreters(given={"tone": python}))
    (manifest,) = served_pins.manifests()
    assert manifest.state is PinState.READY, manifest.detail
    host = served_pins.start("tone-v1")
    try:
        host.load(lambda: None, 30)
        audio = host.speak(SpeakRequest("hello", "en"), sample_rate=None, deadline_s=30, tick=lambda: None)
    finally:
        host.close()
    return manifest.engine_version, len(audio.pcm)


def test_a_pin_is_spoken_with_by_the_python_that_has_the_packages(outside: Outside, python: Path) -> None:
    assert spoken(outside, python) == (str(python.parents[1]), 5120)


def test_a_clip_is_on_record_with_the_libraries_of_the_python_that_spoke_it(outside: Outside, python: Path) -> None:
    served_pins = ServedPins(["tone-v1"], env=outside.environ, interpreters=Interpreters(given={"tone": python}))
    host = served_pins.start("tone-v1")
    host.load(lambda: None, 30)
    host.close()
    store = MemoryJobStore()
    environment_record = EnvironmentRecord(store, {"os": "Linux", "libraries": {"torch": "2.13.0"}})
    there, here = (store.environment(environment_record.of(around)) for around in (host.host_environment, {}))
    assert there == {"os": "Linux", "python": platform.python_version(), "cuda": None, "libraries": {}}
    assert here == {"os": "Linux", "libraries": {"torch": "2.13.0"}}


def test_a_pin_says_where_it_is_spoken_as_the_python_that_speaks_it_has_it(outside: Outside, python: Path) -> None:
    here = {"architecture": "x86_64", "cuda": "cu130", "precision": "float32"}
    served_pins = ServedPins(
        ["tone-v1"], env=outside.environ, interpreters=Interpreters(given={"tone": python}), here=here
    )
    (manifest,) = served_pins.manifests()
    assert manifest.environment == {"device": "x86_64", "cuda": None, "precision": "float32"}


def test_without_one_the_pin_is_refused_for_what_the_worker_lacks(outside: Outside) -> None:
    (manifest,) = ServedPins(["tone-v1"], env=outside.environ).manifests()
    assert (manifest.state, manifest.detail) == (
        PinState.REFUSED,
        "engine_error: ModuleNotFoundError: No module named 'chime'",
    )


def test_it_has_the_workers_code_and_none_of_its_packages(tmp_path: Path) -> None:
    peek = wheel(tmp_path, "peek", {"peek.py": PEEK % str(ROOT)})
    python = bare_python(tmp_path / "python", peek)
    host = Child([str(python), "-I", str(FOREIGN_PYTHON), "--family", "peek:Family"])
    try:
        seen = host.ask({"op": "pins"}, timeout_s=30).header["ok"]["pins"]
    finally:
        host.kill()
    assert seen == [str(ENGINES / "host.py")]


def test_it_does_not_start_where_modules_beside_it_would_hide_packages() -> None:
    done = subprocess.run(
        [sys.executable, FOREIGN_PYTHON, "--family", "x:Y"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (1, "start it with -I")


def test_a_python_that_is_not_there_takes_no_other_family_with_it(tmp_path: Path, outside: Outside) -> None:
    absent = Interpreters(given={"tone": tmp_path / "no-python"})
    assert ServedPins(env=outside.environ, interpreters=absent).served() == ["espeak-v1", "espeak-v2"]


def test_an_environment_that_is_made_while_a_worker_runs_serves_at_its_next_look(tmp_path: Path) -> None:
    outside = Outside.in_folder(tmp_path)
    served_pins = ServedPins(["tone-v1", "espeak-v1"], env=outside.environ, interpreters=Interpreters(outside.engines))
    assert served_pins.served() == ["espeak-v1"]
    bare_python(outside.engines / "tone", *outside.wheels.iterdir())
    served_pins.look()
    assert sorted(served_pins.served()) == ["espeak-v1", "tone-v1"]


def test_what_a_host_imports_is_written_for_the_oldest_python() -> None:
    asked = "import sys, services.worker.engines.host\n" + "print(*(m.__file__ for n, m in sys.modules.items() if n"
    told = subprocess.run(
        [sys.executable, "-c", asked + ".partition('.')[0] in ('services', 'shared')))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lazily = [path for path in ENGINES.glob("*.py") if path != FOREIGN_PYTHON]  # what families import of it
    theirs = [path for file in ENGINES.glob("*/requirements.txt") for path in file.parent.glob("*.py")]
    files = {*told.stdout.split(), *map(str, [*lazily, *theirs])}
    vermin = [Path(sys.executable).with_name("vermin"), "--quiet", "--no-tips", "--violations", "--target=3.10-"]
    done = subprocess.run([*vermin, "--exclude", STAND_IN, *sorted(files)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_host_runs_in_the_oldest_python(tmp_path: Path, outside: Outside) -> None:
    try:
        oldest = fitting("tone", (3, 10), None)
    except NoPython as why:
        pytest.skip(str(why))
    python = bare_python(tmp_path / "oldest", *outside.wheels.iterdir(), python=oldest)
    assert spoken(outside, python) == (str(tmp_path / "oldest"), 5120)
