"""catalog.toml: what a team writes is understood, and all that is wrong with it is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.values.faults import AND_MORE, MOST_FAULTS
from shared.weights.catalog_file import Entry, Wanted, read_catalog
from shared.weights.catalog_text import catalog_text, put_entries
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import Source
from tests.shared.weights.voices import COMMIT

WRITTEN = f"""\
schema = 1

# The voice that listeners hear.
[pins.voice-v1]
engine = "wobble"
version = "v1"
description = "Warm; \\"studio\\", 语"
licence = "CC-BY-4.0"
options = {{ steps = 25, cfg = 0.7, names = ["a", "b"], deep = {{ on = true }} }}

[[pins.voice-v1.components]]   # the model
role = "model"
sources = [
    {{hub = "huggingface", repo = "team/voice", revision = "main"}},
    {{url = "https://host.example/folder"}},
]
files = ["*.json", "*.bin"]
rename = {{ "a/b.bin" = "c.bin" }}

[[pins.voice-v1.components]]
role = "vocoder"
folder = "vocoder"
sources = [{{folder = "/mnt/share"}}]

# A second one, by a name with a dot.
[pins."voice.2"]
engine = "wobble"
trust_remote_code = true
[[pins."voice.2".components]]
role = "model"
sources = [{{hub = "modelscope", repo = "team/voice", revision = "{COMMIT}"}}]
"""
VOICE = Entry(
    name="voice-v1",
    engine="wobble",
    version="v1",
    description='Warm; "studio", 语',
    licence="CC-BY-4.0",
    options={"steps": 25, "cfg": 0.7, "names": ["a", "b"], "deep": {"on": True}},
    components=(
        Wanted(
            "model",
            (
                Source(hub="huggingface", repo="team/voice", revision="main"),
                Source(url="https://host.example/folder"),
            ),
            files=("*.json", "*.bin"),
            rename={"a/b.bin": "c.bin"},
        ),
        Wanted("vocoder", (Source(folder="/mnt/share"),), folder="vocoder"),
    ),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The catalog of the text above."""
    path = tmp_path / "catalog.toml"
    path.write_text(WRITTEN, encoding="utf-8")
    return path


def test_what_is_written_is_understood(path: Path) -> None:
    entries = read_catalog(path)
    assert entries["voice-v1"] == VOICE
    assert entries["voice.2"].trust_remote_code


def test_a_byte_order_mark_is_none_of_its_words(path: Path) -> None:
    entries = read_catalog(path)
    path.write_text(WRITTEN, encoding="utf-8-sig")
    assert read_catalog(path) == entries
    other = Entry("third", "wobble", VOICE.components)
    put_entries(path, [other])
    assert read_catalog(path) == {**entries, "third": other}


def test_a_catalog_that_is_no_utf8_is_refused_by_its_byte(path: Path) -> None:
    path.write_bytes(b"# " + "阳光".encode("gbk"))
    with pytest.raises(
        CatalogInvalid, match=r"catalog.toml cannot be read: byte 2 .* is not UTF-8; if the text is GBK, `iconv "
    ):
        read_catalog(path)


def test_without_a_file_nothing_is_wanted(tmp_path: Path) -> None:
    assert read_catalog(tmp_path / "catalog.toml") == {}


def test_entries_written_as_text_are_the_same_entries(path: Path, tmp_path: Path) -> None:
    entries = read_catalog(path)
    written = tmp_path / "other.toml"
    written.write_text(catalog_text(entries.values()), encoding="utf-8")
    assert read_catalog(written) == entries


def test_an_entry_that_is_put_in_leaves_the_words_of_others_alone(path: Path) -> None:
    other = Entry("third", "wobble", VOICE.components)
    put_entries(path, [other])
    assert path.read_text(encoding="utf-8").startswith(WRITTEN.rstrip())
    assert read_catalog(path)["third"] == other


def test_an_entry_that_is_put_in_takes_the_place_of_what_had_its_name(path: Path) -> None:
    other = Entry("voice-v1", "other", VOICE.components)
    put_entries(path, [other])
    assert read_catalog(path)["voice-v1"] == other
    assert "# A second one" in path.read_text(encoding="utf-8")


def test_an_entry_goes_into_a_catalog_that_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "made" / "catalog.toml"
    put_entries(path, [VOICE])
    assert read_catalog(path) == {"voice-v1": VOICE}
    assert [left.name for left in path.parent.iterdir()] == ["catalog.toml"]


@pytest.mark.parametrize(
    "text",
    [
        'schema = 1\npins = {voice-v1 = {engine = "a", components = [{role = "m", sources = [{url = "u"}]}]}}\n',
        'schema = 1\n[pins]\nvoice-v1 = {engine = "a", components = [{role = "m", sources = [{url = "u"}]}]}\n',
        'schema = 1\n[pins.voice-v1]\nengine = "a"\ncomponents = [{role = "m", sources = [{url = "u"}]}]\n'
        'description = """\n[pins.other]\n"""\n',
    ],
)
def test_a_catalog_that_cannot_be_edited_by_lines_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(text)
    with pytest.raises(CatalogInvalid, match="add this yourself"):
        put_entries(path, [VOICE])
    assert path.read_text() == text
    assert [left.name for left in tmp_path.iterdir()] == ["catalog.toml"]


MODEL = '[[pins.a.components]]\nrole = "model"\nsources = [{url = "https://host.example"}]\n'
PIN = '[pins.a]\nengine = "wobble"\n'
BAD_PINS = {
    "engine is missing": "[pins.a]\n" + MODEL,
    "components is missing": PIN,
    "there is no component": PIN + "components = []\n",
    "components is an array": PIN + "components = 'model'\n",
    "component 1 must be a table, not 'model'": PIN + "components = ['model']\n",
    "engine is text": "[pins.a]\nengine = 3\n" + MODEL,
    "version is text": PIN + "version = 1\n" + MODEL,
    "trust_remote_code is true or false": PIN + "trust_remote_code = 'yes'\n" + MODEL,
    "trust_remote_code is true or false, not 1": PIN + "trust_remote_code = 1\n" + MODEL,
    "options must be a table": PIN + "options = []\n" + MODEL,
    "only what JSON has": PIN + "options = {since = 2026-01-01}\n" + MODEL,
    "no nan": PIN + "options = {gain = nan}\n" + MODEL,
    "unknown member name": PIN + "name = 'b'\n" + MODEL,
    "unknown member colour; known members: engine, ": PIN + "colour = 'red'\n" + MODEL,
    "component 1: unknown member licence": PIN + MODEL + "licence = 'MIT'\n",
    "role is missing": PIN + "[[pins.a.components]]\nsources = [{url = 'https://host.example'}]\n",
    "sources is missing": PIN + "[[pins.a.components]]\nrole = 'model'\n",
    "there is no source": PIN + "[[pins.a.components]]\nrole = 'model'\nsources = []\n",
    "source 1: a source is hub, repo and revision": PIN
    + "[[pins.a.components]]\nrole = 'model'\nsources = [{repo = 'a/b'}]\n",
    "component 1: file 1 is text, not 1": PIN + MODEL + "files = [1]\n",
    "there is no pattern": PIN + MODEL + "files = []\n",
    "files is an array, not": PIN + MODEL + "files = '*.bin'\n",
    "'../up' is no path": PIN + MODEL + "folder = '../up'\n",
    "'/etc/x' is no path": PIN + MODEL + "rename = {'a' = '/etc/x'}\n",
    "rename: a is text, not 7": PIN + MODEL + "rename = {'a' = 7}\n",
    "must name a commit": PIN
    + "trust_remote_code = true\n[[pins.a.components]]\nrole = 'model'\n"
    + "sources = [{hub = 'huggingface', repo = 'a/b', revision = 'main'}]\n",
    "a pin must be a table": "[pins]\na = 1\n",
    "a pin's name is": PIN.replace(".a]", '."A b"]') + MODEL.replace(".a.", '."A b".'),
}


@pytest.mark.parametrize("what", BAD_PINS)
def test_an_entry_that_is_not_right_is_refused_by_name(tmp_path: Path, what: str) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text("schema = 1\n" + BAD_PINS[what])
    with pytest.raises(CatalogInvalid) as refused:
        read_catalog(path)
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{path}, pin ")
    assert what in line


@pytest.mark.parametrize("text", ["", "pins = {}", "schema = 2", "schema = 1\npins = 3", "schema = 1\nbad", "\x00"])
def test_a_file_that_is_no_catalog_is_refused_by_its_path(tmp_path: Path, text: str) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(text)
    with pytest.raises(CatalogInvalid, match=r"catalog\.toml"):
        read_catalog(path)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(
        "schema = 1\nowner = 'me'\n[pins.a]\nversion = 1\ncolour = 'red'\n"
        "[[pins.a.components]]\nrole = 'model'\nsources = [{url = 'u'}, {repo = 'x'}]\nfolder = '/x'\n[pins.b]\n"
    )
    with pytest.raises(CatalogInvalid) as refused:
        read_catalog(path)
    told = str(refused.value).splitlines()
    assert len(told) == 8
    assert [("pin a" in line, "pin b" in line) for line in told].count((True, False)) == 5


def test_what_is_wrong_with_a_pin_is_said_a_hundred_times(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text("schema = 1\n" + PIN + "".join(f"x{number} = 1\n" for number in range(500)) + MODEL)
    with pytest.raises(CatalogInvalid) as refused:
        read_catalog(path)
    *told, last = str(refused.value).splitlines()
    assert len(told) == MOST_FAULTS
    assert AND_MORE in last


def test_code_that_is_not_of_a_commit_is_refused_beside_all_else(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    source = "{hub = 'huggingface', repo = 'a/b', revision = 'main'}"
    part = f"[[pins.a.components]]\nrole = 'm'\nsources = [{source}, {{folder = '/x'}}]\nfolder = '..'\n"
    path.write_text(f"schema = 1\n[pins.a]\nengine = 1\ntrust_remote_code = true\n{part}")
    with pytest.raises(CatalogInvalid) as refused:
        read_catalog(path)
    assert [line.split("pin a: ")[1] for line in str(refused.value).splitlines()] == [
        "engine is text, not 1",
        "component 1: source 1: trust_remote_code runs the repository's code: huggingface a/b@main must name a commit",
        "component 1: folder: '..' is no path inside a snapshot",
    ]
