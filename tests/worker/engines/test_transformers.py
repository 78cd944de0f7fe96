"""What checkpoints of all classes share: how weights come into memory, what the catalog may say, the seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from services.worker.engines.base import EngineError, Snapshot, SpeakRequest
from services.worker.engines.transformers.chance import seed_of_all
from services.worker.engines.transformers.engine import TransformersEngine
from services.worker.engines.transformers.family import Transformers
from services.worker.engines.transformers.languages import tag_of
from shared.catalog import Support
from shared.errors import FailureCode
from tests.worker.engines import checkpoints

HELLO = SpeakRequest("Hello, is anybody there?", "en", seed=7)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    return checkpoints.files(checkpoints.vits(tmp_path_factory.mktemp("made") / "vits"))


@pytest.fixture
def folder(pristine: Mapping[str, bytes], tmp_path: Path) -> Path:
    """A checkpoint that a test may spoil."""
    for path, content in pristine.items():
        (tmp_path / path).write_bytes(content)
    return tmp_path


def engine_of(folder: Path, *, trust_remote_code: bool = False, **options: Any) -> TransformersEngine:
    return TransformersEngine(
        Snapshot("vits-v1", folder, "0" * 64, options=options, trust_remote_code=trust_remote_code)
    )


def rewrite(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


# --- before the weights


def test_the_family_brings_no_pins() -> None:
    assert Transformers().pins() == ()
    with pytest.raises(KeyError):
        Transformers().build("vits-v1")


def test_a_manifest_needs_neither_weights_nor_torch(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    code = """
import sys
from pathlib import Path
from services.worker.engines.base import Snapshot
from services.worker.engines.transformers.family import Transformers
snapshot = Snapshot("vits-v1", Path(sys.argv[1]), "", {"device": "cpu"})
assert Transformers().build_from(snapshot).manifest().languages == ("en",)
print([name for name in ("torch", "transformers", "numpy") if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_without_a_configuration_the_pin_is_not_pulled(folder: Path) -> None:
    (folder / "config.json").unlink()
    with pytest.raises(EngineError, match=r"config.json is missing") as refused:
        engine_of(folder).manifest()
    assert refused.value.code is FailureCode.MODEL_NOT_PULLED


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"languages": []}, "options/languages: must be a list"),
        ({"languages": ["e n"]}, r"must be a list of language tags, not \['e n'\]"),
        ({"max_piece_chars": 49}, "options/max_piece_chars: must be a whole number from 50 to 2000"),
        ({"device": "tpu"}, "options/device: must be one of auto, cpu, cuda"),
        ({"threads": 0}, "options/threads: must be a whole number from 1 to 64"),
        ({"max_batch": 65}, "options/max_batch: must be a whole number from 1 to 64"),
        ({"compile": True}, "options/compile: must be one of none, inductor"),
        ({"speakers": []}, "options/speakers: must be a table"),
        ({"temperature": 1}, "options/temperature: unknown option"),
    ],
    ids=str,
)
def test_what_the_catalog_may_not_say_is_refused(folder: Path, options: Mapping[str, Any], complaint: str) -> None:
    with pytest.raises(EngineError, match=complaint):
        engine_of(folder, **options).manifest()


def test_the_catalog_overrules_the_checkpoint(folder: Path) -> None:
    manifest = engine_of(folder, languages=["de", "en-GB"], max_piece_chars=90).manifest()
    assert (manifest.languages, manifest.default_language) == (("de", "en-gb"), "de")
    assert manifest.max_piece_chars == 90


def test_on_a_cpu_texts_are_spoken_one_by_one_unless_the_catalog_says_otherwise(folder: Path) -> None:
    assert engine_of(folder, device="cpu").manifest().max_batch == 1
    assert engine_of(folder, device="cpu", max_batch=8).manifest().max_batch == 8


def test_a_model_that_speaks_one_text_at_a_time_takes_no_batch(folder: Path) -> None:
    rewrite(folder / "config.json", model_type="bark")
    assert engine_of(folder).manifest().max_batch == 1
    with pytest.raises(EngineError, match="options/max_batch: Bark speaks one text at a time"):
        engine_of(folder, max_batch=2).manifest()


def test_a_checkpoint_of_no_known_language_asks_for_one(folder: Path) -> None:
    rewrite(folder / "tokenizer_config.json", language=None)
    with pytest.raises(EngineError, match="set options/languages"):
        engine_of(folder).manifest()


def test_phonemes_need_a_package_that_is_not_here(folder: Path) -> None:
    rewrite(folder / "tokenizer_config.json", phonemize=True)
    with pytest.raises(EngineError, match="phonemizer is not installed"):
        engine_of(folder).manifest()


def test_no_emotion_and_no_reference_is_promised(folder: Path) -> None:
    controls = engine_of(folder).manifest().controls
    refused = {name for name, support in controls.items() if support is Support.UNSUPPORTED}
    assert refused == {"emotion", "strength", "emotion_vector", "emotion_audio", "emotion_text", "reference"}


@pytest.mark.parametrize(
    ("name", "tag"),
    [("eng", "en"), ("en-US", "en-us"), ("uzb-script_cyrillic", "uz-cyrl"), ("tzo-dialect_chamula", "tzo")],
)
def test_languages_have_their_shortest_tag(name: str, tag: str) -> None:
    assert tag_of(name) == tag


# --- weights


def test_pickled_weights_are_read_as_weights_only(folder: Path) -> None:
    before = spoken(folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert spoken(folder) == before


class _Payload:
    """Unpickled, it leaves a folder."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


def test_code_in_pickled_weights_is_not_run(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    torch.save({**weights, "more": _Payload(folder / "trace")}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(EngineError, match="contain more than weights"):
        engine_of(folder).load()
    assert not (folder / "trace").exists()


def test_weights_that_are_missing_are_not_made_up(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["decoder.conv_post.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(EngineError, match=r"1 weights are not in the checkpoint; the first is decoder.conv_post"):
        engine_of(folder).load()


def test_weights_of_another_shape_are_an_error(folder: Path) -> None:
    rewrite(folder / "config.json", hidden_size=64)
    with pytest.raises(EngineError):
        engine_of(folder).load()


def test_code_of_the_repository_runs_only_where_the_snapshot_says_so(folder: Path) -> None:
    rewrite(folder / "config.json", model_type="own", auto_map={"AutoConfig": "own.OwnConfig"})
    (folder / "own.py").write_text(f"open({str(folder / 'trace')!r}, 'w')\n")
    with pytest.raises(EngineError, match="trust_remote_code"):
        engine_of(folder, languages=["en"]).load()
    assert not (folder / "trace").exists()


# --- the same request, the same samples


@pytest.mark.parametrize(("options", "threads"), [({"threads": 2}, 2), ({}, 1)])
def test_the_number_of_threads_is_the_pins_and_not_the_machines(
    folder: Path, options: Mapping[str, Any], threads: int
) -> None:
    torch.set_num_threads(3)
    engine_of(folder, **options).load()
    assert torch.get_num_threads() == threads


def spoken(folder: Path) -> str:
    engine = engine_of(folder)
    engine.load()
    return engine.speak(HELLO).sha256


def test_a_call_draws_from_its_seed_and_leaves_the_other_numbers_alone(folder: Path) -> None:
    engine = engine_of(folder)
    engine.load()
    torch.manual_seed(1)
    first, state = engine.speak(HELLO), torch.get_rng_state()
    torch.manual_seed(2)
    assert engine.speak(HELLO) == first
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_seed_of_a_batch_is_of_every_text_and_seed_in_its_place() -> None:
    one, other = HELLO, replace(HELLO, text="Hello.")
    batches = ([one, other], [other, one], [one, replace(other, seed=8)], [one, one], [one])
    assert len({seed_of_all(batch) for batch in batches}) == len(batches)
    assert seed_of_all([one, other]) == 99_764_069_044_832_030
