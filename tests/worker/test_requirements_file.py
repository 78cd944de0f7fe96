"""What a family's requirements.txt says, to pip and to the installer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from services.worker.engines.families import Installed
from services.worker.installs.pythons import NoPython, fitting
from services.worker.installs.requirements_file import RequirementsInvalid, Sources, read, requirements_of

LOOK = """
import json, sys
from services.worker.engines.families import installed
from services.worker.installs.requirements_file import requirements_of
print(json.dumps([[family.name for family in installed() if requirements_of(family)], list(sys.modules)]))
"""
TEXT = """\
# Any sentence; python: 3.9 in it means nothing.
#
# python: 3.10
# index: https://one.example/simple
# extra-index: https://two.example/whl
# extra-index: https://three.example/whl
# find-links: https://four.example/repo.html
# set: CODE=git+https://five.example/code@0123
# build-config: code.ini
Some_Name==1.0
other[extra] == 2.0+cpu
code @ ${CODE}
windows-only==3.0 ; sys_platform == "win32"
# python: 3.12
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "requirements.txt"
    file.write_text(text)
    return file


def test_the_head_tells_the_installer_what_pip_has_no_word_for(tmp_path: Path) -> None:
    found = read(written(tmp_path, TEXT))
    assert found.python == (3, 10)
    assert found.sources == Sources(
        "https://one.example/simple",
        ["https://two.example/whl", "https://three.example/whl"],
        ["https://four.example/repo.html"],
    )
    assert found.build_config == tmp_path / "code.ini"
    assert found.pins() == {"some-name": "1.0", "other": "2.0+cpu", "code": ""}


def test_it_is_read_as_utf8_with_a_byte_order_mark_or_without(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(TEXT, encoding="utf-8-sig")
    assert read(file).text == TEXT
    file.write_bytes(b"# python: 3.10\n# \xc4\n")
    with pytest.raises(RequirementsInvalid, match=r"byte 17 \(0xc4\) is not UTF-8"):
        read(file)


def test_what_is_given_takes_the_place_of_its_kind(tmp_path: Path) -> None:
    given = Sources(extra_indexes=["https://mine.example"])
    sources = read(written(tmp_path, TEXT)).sources.overruled_by(given)
    assert (sources.index, sources.extra_indexes) == ("https://one.example/simple", ["https://mine.example"])
    assert sources.find_links == ["https://four.example/repo.html"]


def test_addresses_can_be_set(tmp_path: Path) -> None:
    found = read(written(tmp_path, TEXT))
    assert "code @ git+https://five.example/code@0123\n" in found.filled({})
    assert "code @ git+file:///mirror@0123\n" in found.filled({"CODE": "git+file:///mirror@0123"})
    with pytest.raises(RequirementsInvalid, match="unknown setting COD; known: CODE"):
        found.filled({"COD": "x"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# python: 4\n", "'4' is not a version of Python"),
        ("# python: 3.10\n# python: 3.11\n", "sets python more than once"),
        ("# set: nothing\n", "'nothing' is not NAME=VALUE"),
        ("one==${VERSION}\n", "no default for VERSION"),
    ],
)
def test_what_cannot_be_served_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RequirementsInvalid, match=words):
        read(written(tmp_path, text))


def test_our_own_families_are_found_without_importing_them() -> None:
    asked = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    with_requirements, imported = map(set, json.loads(asked.stdout))
    assert with_requirements == {"indextts2", "sambert"}
    assert not {f"services.worker.engines.{family}" for family in with_requirements} & imported


def test_a_family_that_is_a_module_of_its_own_has_none() -> None:
    assert requirements_of(Installed("json", "json.decoder:JSONDecoder", "json", "1")) is None
    assert requirements_of(Installed("gone", "no_such_package.family:Family", "gone", "1")) is None


def test_a_python_of_another_version_is_refused_by_name() -> None:
    with pytest.raises(NoPython, match=r"is Python 3\.11\.\d+, but sambert needs 3\.10"):
        fitting("sambert", (3, 10), Path(sys.executable))
    with pytest.raises(NoPython, match=r"needs Python 3\.99, but none is on the PATH; use --python to name one"):
        fitting("sambert", (3, 99), None)
    with pytest.raises(NoPython, match="cannot be started"):
        fitting("sambert", (3, 10), Path("/no/such/python"))
    assert fitting("any", None, None) == Path(sys.executable)
