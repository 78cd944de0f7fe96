"""Reads suites from files, and the suites that ship. All faults are reported at once.

Owns where a suite comes from. The notations are in yaml_notation.py and jsonl_notation.py, the rules in checking.py.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePath

from shared.suites.errors import Fault, SuiteInvalid, SuiteUnknown
from shared.suites.suite import Suite
from shared.values.text import no_utf8

NOTATIONS = (".yaml", ".yml", ".jsonl")
"""The suffixes of files."""
MAX_BYTES = 8 << 20


def read_suite(path: Path) -> Suite:
    """Return the suite in a file. Raises `SuiteInvalid` with every fault, `OSError` if the file cannot be read."""
    with path.open("rb") as file:
        return parse_suite(file.read(MAX_BYTES + 1), str(path))


def parse_suite(data: bytes, file: str) -> Suite:
    """Return the suite in the bytes of ``file``, whose name gives the notation.

    Raises `SuiteInvalid` with every fault.
    """
    suffix = PurePath(file).suffix.lower()
    if suffix not in NOTATIONS:
        raise SuiteInvalid(file, [Fault(1, f"a suite's file ends in one of {', '.join(NOTATIONS)}")])
    if len(data) > MAX_BYTES:
        raise SuiteInvalid(file, [Fault(1, f"a suite has at most {MAX_BYTES >> 20} MiB")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SuiteInvalid(file, [Fault(data.count(b"\n", 0, error.start) + 1, no_utf8(error))]) from None
    from shared.suites.checking import suite_of  # loads pydantic; the notations load PyYAML
    from shared.suites.jsonl_notation import read_jsonl
    from shared.suites.yaml_notation import read_yaml

    head, items, line_of = read_jsonl(text) if suffix == ".jsonl" else read_yaml(text, file)
    suite, faults = suite_of(head, items, lambda loc: f"line {line_of(loc)}")
    if suite is None:
        raise SuiteInvalid(file, [Fault(line_of(loc), what) for loc, what in faults])
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
