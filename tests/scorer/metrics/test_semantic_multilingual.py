"""Nearness of a text and its transcript in any language: two pins, and neither is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from services.scorer.metrics import characters
from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from services.scorer.metrics.semantic_multilingual import SemanticMultilingual
from shared.metrics import METRICS
from shared.scores import Reason, Score, Scored, Unscored
from tests.model_stores import ModelStores
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.measure import Measure
from tests.scorer.metrics.tiny_encoder import encoder_files
from tests.scorer.metrics.tiny_whisper import altered, whisper_files, without

NAME, FAMILY = "semantic/similarity_multilingual", "semantic_multilingual"
TEXTS = [known.text or "" for known in (KNOWN["en_plain"], KNOWN["zh_plain"])]


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    return whisper_files(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    return encoder_files(tmp_path_factory.mktemp("encoder"), TEXTS)


def _scored(folder: Path, **pins: Mapping[str, bytes]) -> Scored:
    model_stores = ModelStores(folder)
    model_stores.root.mkdir(exist_ok=True)
    for engine, files in pins.items():
        model_stores.put(f"tiny-{engine.replace('_', '-')}", files, engine=engine)
    panel = Panel(METRICS, Instruments(model_stores.store.root, lock_file=model_stores.lock_file))
    return panel.measure(FAMILY, KNOWN["en_plain"].clip())[NAME]


def _refusal(scored: Scored) -> str:
    assert isinstance(scored, Unscored), scored
    assert scored.reason is Reason.MODEL_NOT_PULLED
    return scored.detail


@pytest.mark.parametrize("name", ["en_plain", "zh_plain"])
def test_a_text_that_came_across_is_its_own_likeness(name: str, measure: Measure) -> None:
    assert measure.value(NAME, FAMILY, KNOWN[name].clip()) == pytest.approx(1, abs=1e-5)


def test_another_text_is_less_like_it(measure: Measure) -> None:
    other = MeasuredClip.of(KNOWN["zh_plain"].audio, text=KNOWN["zh_low"].text, language="zh")
    assert measure.value(NAME, FAMILY, other) < 0.99


def test_a_text_in_traditional_characters_is_the_same_text(measure: Measure) -> None:
    traditional = MeasuredClip.of(KNOWN["zh_plain"].audio, text="今天下午三點我們在圖書館門口見面。", language="zh")
    assert measure.value(NAME, FAMILY, traditional) == pytest.approx(1, abs=1e-5)


def test_a_language_that_the_recogniser_does_not_cover_is_said_so(measure: Measure) -> None:
    scored = measure(FAMILY, MeasuredClip.of(KNOWN["en_plain"].audio, text="Bonjour.", language="fr"))[NAME]
    assert isinstance(scored, Unscored)
    assert scored.reason is Reason.LANGUAGE_NOT_COVERED


def test_the_checkpoint_says_how_words_become_a_sentence(
    tmp_path: Path, whisper: Mapping[str, bytes], encoder: Mapping[str, bytes]
) -> None:
    mean = encoder_files(tmp_path / "files", TEXTS, pooling="mean")
    assert mean["model.safetensors"] == encoder["model.safetensors"]
    found = [
        _scored(tmp_path / name, whisper=whisper, semantic_multilingual=files)
        for name, files in (("cls", encoder), ("mean", mean))
    ]
    first, second = (scored.value for scored in found if isinstance(scored, Score))
    assert first != pytest.approx(second, abs=1e-3)


def test_without_a_recogniser_it_is_said_which_pin_is_missing(tmp_path: Path, encoder: Mapping[str, bytes]) -> None:
    assert "engine whisper must be locked" in _refusal(_scored(tmp_path, semantic_multilingual=encoder))


def test_without_an_encoder_it_is_said_which_pin_is_missing(tmp_path: Path, whisper: Mapping[str, bytes]) -> None:
    assert "engine semantic_multilingual must be locked" in _refusal(_scored(tmp_path, whisper=whisper))


def test_an_encoder_that_does_not_say_how_it_pools_is_refused(
    tmp_path: Path, whisper: Mapping[str, bytes], encoder: Mapping[str, bytes]
) -> None:
    silent = without(encoder, "modules.json")
    assert "has no modules.json" in _refusal(_scored(tmp_path, whisper=whisper, semantic_multilingual=silent))


def test_weights_that_are_missing_are_not_made_up(
    tmp_path: Path, whisper: Mapping[str, bytes], encoder: Mapping[str, bytes]
) -> None:
    cut = altered(encoder, "config.json", num_hidden_layers=3)
    assert "weights are not in" in _refusal(_scored(tmp_path, whisper=whisper, semantic_multilingual=cut))


def test_its_lock_names_the_files_of_both_pins(
    instruments: Instruments, whisper: Mapping[str, bytes], encoder: Mapping[str, bytes]
) -> None:
    lock = SemanticMultilingual(instruments).lock()
    assert set(lock["weights"]) == set(encoder) | {f"whisper/{path}" for path in whisper}


def test_its_lock_says_how_characters_are_normalised(instruments: Instruments) -> None:
    assert characters.PARAMETERS.items() <= SemanticMultilingual(instruments).lock()["parameters"].items()
