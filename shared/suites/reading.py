"""Reads suites from files, and the suites that ship. All faults are reported at once.

Owns where a suite comes from. The notations are in yaml_notation.py and jsonl_notation.py, the rules in checking.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePath

from shared.suites.checking import suite_of
from shared.suites.errors import Fault, SuiteInvalid, SuiteUnknown
from shared.suites.form import MAX_BYTES
from shared.suites.jsonl_notation import read_jsonl
from shared.suites.nodes import Node, TooMuch
from shared.suites.suite import Suite
from shared.suites.yaml_notation import read_yaml
from shared.values.faults import AND_MORE, MOST_FAULTS, Enough, Faults
from shared.values.text import no_utf8

NOTATIONS: Mapping[str, Callable[[str, list[Fault]], Node]] = {
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".jsonl": read_jsonl,
}
"""By the suffix of a file's name."""


def read_suite(path: Path) -> Suite:
    """Return the suite in a file. Raises `SuiteInvalid` with every fault, `OSError` if the file cannot be read."""
    with path.open("rb") as file:
        return parse_suite(file.read(MAX_BYTES + 1), str(path))


def parse_suite(data: bytes, file: str) -> Suite:
    """Return the suite in the bytes of ``file``, whose name gives the notation.

    Raises `SuiteInvalid` with every fault.
    """
    read = NOTATIONS.get(PurePath(file).suffix.lower())
    if read is None:
        raise SuiteInvalid(file, [Fault(1, f"a suite's file ends in one of {', '.join(NOTATIONS)}")])
    if len(data) > MAX_BYTES:
        raise SuiteInvalid(file, [Fault(1, f"a suite has at most {MAX_BYTES >> 20} MiB")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SuiteInvalid(file, [Fault(data.count(b"\n", 0, error.start) + 1, no_utf8(error))]) from None
    faults, more, suite = Faults[Fault](), [], None
    try:
        suite = suite_of(read(text, faults), faults)
    except TooMuch as error:
        more = [Fault(error.line, error.what)]
    except Enough:
        del faults[MOST_FAULTS:]
        more = [Fault(max(faults).line, AND_MORE)]
    if suite is None:
        raise SuiteInvalid(file, [*faults, *more])
    return suite


def golden_names() -> tuple[str, ...]:
    """Return the names of the suites that ship, in alphabetical order."""
    return tuple(sorted(PurePath(file.name).stem for file in _golden().iterdir() if file.name.endswith(".yaml")))


def golden_suite(name: str) -> Suite:
    """Return a suite that ships. Raises `SuiteUnknown`."""
    if name not in (names := golden_names()):
        raise SuiteUnknown(f"no suite {name} ships; there are {', '.join(names)}")
    file = _golden() / f"{name}.yaml"
    return parse_suite(file.read_bytes(), str(file))


def _golden() -> Traversable:
    return files("shared.suites") / "golden"
