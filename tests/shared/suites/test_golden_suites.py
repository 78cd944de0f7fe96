"""The suites that ship: what each promises of its items, and that every item can be spoken."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from services.gateway.models.admission import Admission, Provenance
from services.gateway.requests.job_schemas import read_job
from services.worker.engines.espeak.family import Espeak
from shared.controls import CANONICAL_EMOTIONS
from shared.suites.errors import SuiteUnknown
from shared.suites.form import suite_schema
from shared.suites.reading import golden_names, golden_suite
from shared.suites.suite import Item
from tests.shared.suites.suite_texts import IN_YAML, as_data, parsed

DOCS = Path(__file__).parents[3] / "docs" / "suites.md"
SHIPPED = {
    "golden-en": ("1.0", "5d5134444e4780b0c19af0c958fdf539aa34912f4970ab2253e94de48a783694"),
    "golden-en-emotion": ("1.0", "19a7c36d0a0a577e99cfaaa6781b8b381bf08625ab237b17cb447232460abc97"),
    "golden-hard": ("1.0", "f66e606853e1f50aa4d59157a98630728cf7269ecc205377b1e93c622a7342b1"),
    "golden-long": ("1.0", "4ee3ee7098c79c3bfb333f4cff8d21dee782d52a621a48aa1c7922114aff8aef"),
    "golden-zh": ("1.0", "39309c6bc2f3825e9df9fa76a3d0a98c6437a51d42e770643fa487c42a3fcb20"),
    "golden-zh-emotion": ("1.0", "d7ae3dad6e38b894c734a80253e96c989683423af613b223f15beb7720402a94"),
    "pronunciation-en": ("1.0", "dc815faee29fcc5c96beea74943b7547bd9d8e7606d87581f9fc5ffa30d02e54"),
    "pronunciation-zh": ("1.0", "fcc4d4d4758ae324e2b3d5283b1980e7d7924186621c5cd3fe671d9f574fb9ea"),
}
"""Version and hash. Results of one hash are compared for years: whoever changes an item bumps the version, too."""
PLAIN = ("golden-en", "golden-zh")
EMOTIONAL = ("golden-zh-emotion", "golden-en-emotion")
HARD = {"numbers", "dates", "names", "mixed-language", "punctuation", "polyphones", "homographs"}


def test_a_change_of_what_ships_is_meant() -> None:
    shipped = {name: golden_suite(name) for name in golden_names()}
    assert {name: (suite.version, suite.sha256) for name, suite in shipped.items()} == SHIPPED
    assert {name: suite.name for name, suite in shipped.items()} == {name: name for name in SHIPPED}
    assert {suite.licence for suite in shipped.values()} == {"CC0-1.0"}


def test_the_docs_name_what_ships() -> None:
    rows = re.findall(r"^\| `((?:golden|pronunciation)-[a-z-]+)` \| (\d+) \|", DOCS.read_text(), re.MULTILINE)
    assert {name: int(items) for name, items in rows} == {name: len(golden_suite(name).items) for name in SHIPPED}


def test_the_examples_of_the_docs_are_one_suite_and_hashed_as_they_say() -> None:
    in_yaml, in_json_lines, hashed = re.findall(r"```(?:yaml|json)\n(.*?)```", DOCS.read_text(), re.DOTALL)
    suite = parsed(in_yaml)
    assert parsed(in_json_lines, "ours.jsonl") == suite
    of_one = hashlib.sha256(hashed.replace("\n", "").encode()).hexdigest()
    assert replace(suite, items=suite.items[:1]).sha256 == of_one


def test_what_does_not_ship_is_unknown() -> None:
    with pytest.raises(
        SuiteUnknown, match=r"no suite \.\./golden-hard ships; there are golden-en, golden-en-emotion, "
    ):
        golden_suite("../golden-hard")


@pytest.mark.parametrize("name", PLAIN)
def test_plain_sentences_need_nothing_that_a_voice_may_lack(name: str) -> None:
    """No emotion, no number, no letters of another language: nothing but words and marks."""
    suite = golden_suite(name)
    words = {"golden-en": r"[A-Za-z ,.!?'\"]+", "golden-zh": r"[\u4e00-\u9fff，。！？：、“”]+"}[name]
    assert suite.languages == (name.split("-")[1],)
    assert [item.id for item in suite.items if item.emotion or not re.fullmatch(words, item.text)] == []
    assert Counter(item.tags for item in suite.items) == dict.fromkeys({item.tags for item in suite.items}, 8)
    assert len({item.text for item in suite.items}) == len(suite.items) == 40


@pytest.mark.parametrize("name", EMOTIONAL)
def test_every_emotion_has_five_sentences(name: str) -> None:
    suite = golden_suite(name)
    assert Counter(item.emotion for item in suite.items) == dict.fromkeys(CANONICAL_EMOTIONS, 5)
    assert suite.languages == (name.split("-")[1],)
    assert [item.id.rpartition("-")[0] for item in suite.items] == [item.emotion for item in suite.items]


@pytest.mark.parametrize(
    ("name", "shortest", "longest", "apart"), [(EMOTIONAL[0], 8, 30, 1), (EMOTIONAL[1], 25, 90, 5)]
)
def test_no_emotion_is_favoured_by_the_length_of_its_texts(name: str, shortest: int, longest: int, apart: int) -> None:
    lengths = [
        [len(item.text) for item in items] for _, items in groupby(golden_suite(name).items, lambda item: item.emotion)
    ]
    for places in zip(*lengths, strict=True):
        assert max(places) - min(places) <= apart
        assert shortest <= min(places)
        assert max(places) <= longest
    assert max(map(sum, lengths)) <= 1.04 * min(map(sum, lengths))


def test_long_texts_are_long_in_both_languages() -> None:
    suite = golden_suite("golden-long")
    assert min(Counter(item.language for item in suite.items).values()) >= 3
    assert [item.id for item in suite.items if not 300 <= len(item.text) <= 900] == []


def test_hard_texts_say_what_is_hard_about_them() -> None:
    suite = golden_suite("golden-hard")
    assert [item.id for item in suite.items if not item.tags] == []
    assert {tag for item in suite.items for tag in item.tags} >= HARD
    languages = {tag: {item.language for item in suite.items if tag in item.tags} for tag in HARD}
    assert languages == {tag: {"zh", "en"} for tag in HARD} | {"polyphones": {"zh"}, "homographs": {"en"}}


@pytest.mark.parametrize("name", [name for name in SHIPPED if name.startswith("pronunciation-")])
def test_every_item_of_pronunciation_says_how_it_is_read_and_what_is_hard(name: str) -> None:
    items = golden_suite(name).items
    assert [item.id for item in items if item.pronunciation is None or not item.tags] == []
    assert len(items) >= 40


@pytest.fixture(scope="module")
def espeak() -> Admission:
    return Admission(Espeak().build("espeak-v2").manifest())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_gateway_takes_every_item_for_espeak(espeak: Admission, name: str) -> None:
    for item in golden_suite(name).items:
        body = {"pin": espeak.manifest.pin, **item.submission()}
        spoken = espeak.admit(read_job(body), Provenance("job_1", "ann", body, 0.0)).input
        assert (spoken.text, spoken.language) == (item.text, item.language)
        assert (spoken.emotion.name if spoken.emotion else None) == item.emotion


def test_a_submission_says_what_the_item_says_and_no_more() -> None:
    assert Item("a", "One.", "en").submission() == {"text": "One.", "language": "en"}
    full = Item("a", "One.", "en", emotion="sad", strength=0.0, voice="anna", reference="voice_1", tags=("b",))
    assert full.submission() == {
        "text": "One.",
        "language": "en",
        "emotion": {"name": "sad", "strength": 0.0},
        "voice": "anna",
        "reference": "voice_1",
    }


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(suite_schema())
    return jsonschema.Draft202012Validator(suite_schema())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_schema_takes_what_ships(schema: jsonschema.Draft202012Validator, name: str) -> None:
    shipped = yaml.safe_load((files("shared.suites") / "golden" / f"{name}.yaml").read_bytes())
    assert list(schema.iter_errors(shipped)) == []


def test_the_schema_takes_what_the_reader_takes(schema: jsonschema.Draft202012Validator) -> None:
    assert list(schema.iter_errors(as_data(parsed(IN_YAML)))) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "A"},
        {"text": "a\x07b"},
        {"text": ""},
        {"text": None},
        {"emotion": "joyful"},
        {"emotion": "sad", "strength": 1.5},
        {"strength": 0.5},
        {"tags": ["b", "b"]},
        {"tags": ["b,c"]},
        {"language": "klingon!"},
        {"mood": "sad"},
    ],
    ids=str,
)
def test_the_schema_refuses_an_item(schema: jsonschema.Draft202012Validator, wrong: dict[str, Any]) -> None:
    head = {"schema": 1, "name": "ours", "version": "1.0", "title": "Ours", "licence": "CC0-1.0", "language": "en"}
    item = {"id": "a", "text": "One."}
    assert schema.is_valid({**head, "items": [item]})
    assert not schema.is_valid({**head, "items": [item | wrong]})
    assert not schema.is_valid({**head, "language": None, "items": [item]})


def test_the_schema_lies_beside_the_code() -> None:
    assert json.loads((files("shared.suites") / "suite.schema.json").read_bytes()) == suite_schema()
