"""Suites from files and from those that ship: read, checked, and every fault told at once.

Owns where a suite comes from. The notations are yaml_notation.py and jsonl_notation.py, the rules checking.py.
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
from shared.suites.nodes import Node
from shared.suites.suite import Suite
from shared.suites.yaml_notation import read_yaml

NOTATIONS: Mapping[str, Callable[[str, list[Fault]], Node]] = {
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".jsonl": read_jsonl,
}
"""By the ending of a file's name."""


def read_suite(path: Path) -> Suite:
    """The suite in a file. `SuiteInvalid` has every fault; `OSError` where there is no reading it."""
    with path.open("rb") as file:
        return parse_suite(file.read(MAX_BYTES + 1), str(path))


def parse_suite(data: bytes, file: str) -> Suite:
    """The suite in the bytes of ``file``, whose name tells the notation. `SuiteInvalid` has every fault."""
    read = NOTATIONS.get(PurePath(file).suffix.lower())
    if read is None:
        raise SuiteInvalid(file, [Fault(1, f"a suite's file ends in one of {', '.join(NOTATIONS)}")])
    if len(data) > MAX_BYTES:
        raise SuiteInvalid(file, [Fault(1, f"a suite has at most {MAX_BYTES >> 20} MiB")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SuiteInvalid(
            file, [Fault(data.count(b"\n", 0, error.start) + 1, f"is no UTF-8: {error.reason}")]
        ) from None
    faults: list[Fault] = []
    suite = suite_of(read(text, faults), faults)
    if suite is None:
        raise SuiteInvalid(file, faults)
    return suite


def golden_names() -> tuple[str, ...]:
    """The suites that ship, in alphabetical order."""
    return tuple(sorted(PurePath(file.name).stem for file in _golden().iterdir() if file.name.endswith(".yaml")))


def golden_suite(name: str) -> Suite:
    """A suite that ships, or `SuiteUnknown`."""
    if name not in (names := golden_names()):
        raise SuiteUnknown(f"no suite {name} ships; there are {', '.join(names)}")
    file = _golden() / f"{name}.yaml"
    return parse_suite(file.read_bytes(), str(file))


def _golden() -> Traversable:
    return files("shared.suites") / "golden"
