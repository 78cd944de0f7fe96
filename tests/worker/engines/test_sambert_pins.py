"""Pins of Sambert-HifiGAN that cannot be served: each says why, and what to do about it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from services.worker.engines.base import Snapshot
from services.worker.engines.sambert.family import Sambert
from services.worker.engines.sambert.installed import CODE, COMMIT
from shared.catalog import Manifest, PinState, Support
from shared.errors import FailureCode
from shared.weights.catalog_file import read_catalog
from tests.worker.engines import own_python
from tests.worker.engines.own_python import load_failure, refusal, refused_by_a_worker
from tests.worker.engines.sambert_pins import (
    FAKE,
    FAMILY,
    SOURCE_MODULE,
    Hosts,
    configuration,
    files,
    installed,
    snapshot,
    voice,
)

ROOT = Path(__file__).parents[3]


def fault(given: Snapshot) -> str:
    return refusal(Sambert(), given)


def manifest_of(path: Path | None, given: Snapshot) -> Manifest:
    """As a host says it that finds what is installed in ``path``."""
    return own_python.manifest_of(Hosts(path, given.folder).start(given))


# --- the packages


def test_a_worker_without_the_packages_refuses_the_pin_and_its_jobs_with_the_same_words(tmp_path: Path) -> None:
    environ = Hosts(tmp_path, tmp_path).environ
    manifest = refused_by_a_worker(FAMILY, "sambert-zhiyan", files("zhiyan_emo"), environ, tmp_path)
    assert "(No module named 'modelscope'); give the engine its own Python 3.10" in str(manifest.detail)
    assert manifest.support("emotion") is Support.NATIVE


def test_with_the_packages_the_pin_says_which_code_it_is_served_by(tmp_path: Path) -> None:
    manifest = manifest_of(installed(tmp_path / "packages"), snapshot(tmp_path, "sambert", files("zhiyan_emo")))
    assert manifest.state is PinState.READY
    assert manifest.engine_version == f"modelscope 1.29.0, kantts 0.0.1@{COMMIT[:12]}, ttsfrd 0.4.2"


@pytest.mark.parametrize(("name", "instead"), [("kantts", f"{CODE} at {COMMIT}"), ("ttsfrd", "ttsfrd 0.4.2, a wheel")])
def test_a_placeholder_is_refused_by_name_and_says_what_to_install(tmp_path: Path, name: str, instead: str) -> None:
    path = installed(tmp_path / "packages", **{name: "0.1.0"})
    manifest = manifest_of(path, snapshot(tmp_path, "sambert", files("zhiyan_emo")))
    assert manifest.state is PinState.REFUSED
    assert f"the installed package {name} is only a placeholder; remove it and install {instead}" in str(
        manifest.detail
    )


def test_a_placeholder_is_known_by_what_it_lacks_whatever_its_version(tmp_path: Path) -> None:
    path = installed(tmp_path / "packages")
    (path / "ttsfrd.py").write_text("def hello():\n    return 'Hello'\n")
    code, message = load_failure(Hosts(path, tmp_path).start(snapshot(tmp_path, "sambert", files("zhiyan_emo"))))
    assert code is FailureCode.ENGINE_ERROR
    assert "the installed package ttsfrd is only a placeholder" in message


def test_a_package_that_was_built_without_its_vocoder_says_how_to_build_it(tmp_path: Path) -> None:
    path = installed(tmp_path / "packages")
    (path / "kantts" / "models" / "hifigan" / "hifigan.py").unlink()
    manifest = manifest_of(path, snapshot(tmp_path, "sambert", files("zhiyan_emo")))
    assert "kantts was installed without models/hifigan/hifigan.py" in str(manifest.detail)
    assert "kantts.ini" in str(manifest.detail)


def test_other_code_than_the_engine_is_written_for_is_refused(tmp_path: Path) -> None:
    path = installed(tmp_path / "packages", commit="975e8c5" * 5)
    manifest = manifest_of(path, snapshot(tmp_path, "sambert", files("zhiyan_emo")))
    assert f"from commit {'975e8c5' * 5}, but this engine needs {COMMIT}" in str(manifest.detail)


@pytest.mark.parametrize(
    ("module", "was", "becomes", "why"),
    [
        ("sambert_hifi", "(3, 99)", "(3, 11)", "ImportError: SambertHifigan: Python version needs to be <= 3.10"),
        (
            "voice",
            "import yaml\n",
            "import yaml\nfrom torch import pancake\n",
            "ImportError: cannot import name 'pancake'",
        ),
    ],
)
def test_packages_in_a_wrong_python_or_among_wrong_packages_say_so(
    tmp_path: Path, module: str, was: str, becomes: str, why: str
) -> None:
    path = installed(tmp_path / "packages")
    file = path / "modelscope" / "models" / "audio" / "tts" / f"{module}.py"
    file.write_text(file.read_text().replace(was, becomes))
    code, message = load_failure(Hosts(path, tmp_path).start(snapshot(tmp_path, "sambert", files("zhiyan_emo"))))
    assert code is FailureCode.ENGINE_ERROR
    assert why in message
    assert "requirements.txt" in message


# --- the weights


@pytest.mark.parametrize(
    "name",
    [
        "configuration.json",
        "resource.zip",
        "voices/voices.json",
        "voices/zhiyan_emo/am/config.yaml",
        "voices/zhiyan_emo/voc/config.yaml",
    ],
)
def test_a_file_that_the_package_would_miss_is_missed_before(tmp_path: Path, name: str) -> None:
    content = files("zhiyan_emo")
    del content[name]
    assert (
        fault(snapshot(tmp_path, "sambert", content)) == f"Sambert-HifiGAN needs {name}, which the lock does not name"
    )


def test_a_voice_without_a_checkpoint_is_missed_before(tmp_path: Path) -> None:
    content = files("zhiyan_emo")
    del content["voices/zhiyan_emo/voc/ckpt/checkpoint_2000000.pth"]
    assert "needs voices/zhiyan_emo/voc/ckpt/checkpoint_N.pth" in fault(snapshot(tmp_path, "sambert", content))


def test_only_voices_that_are_there_are_voices(tmp_path: Path) -> None:
    content = files("zhiyan_emo", "zhitian_emo")
    there = {name: body for name, body in content.items() if "zhiyan_emo/" not in name}
    manifest = Sambert().build_from(snapshot(tmp_path, "sambert", there)).manifest()
    assert (manifest.voices, manifest.default_voice) == (("zhitian_emo",), "zhitian_emo")


def test_the_rate_is_the_models_and_may_not_contradict_its_voices(tmp_path: Path) -> None:
    model = configuration(model={"type": "sambert-hifigan", "sample_rate": 24_000})
    assert "has 16000 Hz in its audio_config.yaml, but configuration.json has 24000" in fault(
        snapshot(tmp_path, "both", files("zhiyan_emo") | model)
    )
    audio = {"voices/zhiyan_emo/audio_config.yaml": b"audio_config:\n  # Feature extraction\n  sampling_rate: 24000\n"}
    faster = Sambert().build_from(snapshot(tmp_path, "faster", files("zhiyan_emo") | model | audio)).manifest()
    assert faster.sample_rate == 24_000


@pytest.mark.parametrize(
    ("vocoder", "support"),
    [
        (SOURCE_MODULE, Support.NATIVE),
        ("nsf_params:\n        nb_harmonics: 7", Support.NATIVE),
        ("nsf_params: null", Support.NO_EFFECT),
        ("causal: false", Support.NO_EFFECT),
    ],
)
def test_a_seed_matters_where_the_vocoder_draws(tmp_path: Path, vocoder: str, support: Support) -> None:
    given = snapshot(tmp_path, "sambert", files("zhiyan_emo", vocoder=vocoder))
    assert Sambert().build_from(given).manifest().support("seed") is support


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (configuration(plugins=["pancake"]), "configuration.json asks for code (plugins); this engine runs no code"),
        (configuration(allow_remote=True), "configuration.json asks for code (allow_remote)"),
        (configuration(pipeline={"type": "llm"}), "pipeline.type must be sambert-hifigan-tts"),
        (configuration(model={"type": "sambert-hifigan", "sample_rate": "16k"}), "'16k' is not a sample rate"),
        (configuration(model={"type": "sambert-hifigan", "custom_ckpt": {"voice_name": "F7"}}), "has a custom_ckpt"),
        ({"configuration.json": b"{"}, "configuration.json is not JSON"),
        ({"voices/voices.json": b'{"voices": ["../../etc"]}'}, "voices.json has no list of voices"),
        (
            {"voices/voices.json": b'{"voices": ["nobody"]}'},
            "all voices of voices/voices.json are missing: nobody",
        ),
        (voice("zhiyan_emo", language="Klingon"), "speak Klingon; set the pin's option language"),
    ],
)
def test_what_a_model_must_not_say_is_refused(tmp_path: Path, content: dict[str, bytes], why: str) -> None:
    assert why in fault(snapshot(tmp_path, "sambert", files("zhiyan_emo") | content))


def test_voices_of_two_languages_need_two_pins(tmp_path: Path) -> None:
    content = files("zhiyan_emo", "jiajia") | voice("jiajia", language="ZhHK")
    assert (
        fault(snapshot(tmp_path, "sambert", content))
        == "the voices have several languages; make a pin for each language"
    )


def test_options_say_what_the_weights_do_not(tmp_path: Path) -> None:
    said = {"emotions": {"worf": ["angry", "sambert:serious"]}, "language": "tlh"}
    manifest = (
        Sambert().build_from(snapshot(tmp_path, "sambert", files("worf", language="Klingon"), options=said)).manifest()
    )
    assert manifest.emotions == ("neutral", "angry", "sambert:serious")
    assert manifest.languages == ("tlh",)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"speed": 2}, "unknown option of a sambert pin: speed; known options: emotions, language"),
        ({"emotions": ["happy"]}, "must be a table of voices to lists of emotions, not ['happy']"),
        (
            {"emotions": {"zhiyan_emo": ["smug"]}},
            "emotion of zhiyan_emo in the pin's option emotions: smug; known: neutral, happy",
        ),
        ({"emotions": {"nobody": ["happy"]}}, "names nobody; the voices are zhiyan_emo"),
        ({"language": "Mandarin!"}, "must be a BCP 47 tag in lower case, not 'Mandarin!'"),
    ],
)
def test_options_of_a_pin_are_checked(tmp_path: Path, options: dict[str, Any], why: str) -> None:
    assert why in fault(snapshot(tmp_path, "sambert", files("zhiyan_emo"), options=options))


# --- what is written about it


def test_the_example_in_the_catalog_is_a_pin_of_this_engine() -> None:
    pin = read_catalog(ROOT / "examples" / "catalog.toml")["sambert-zhiyan"]
    assert pin.engine == "sambert"
    assert set(pin.options) <= {"emotions", "language"}


def test_the_page_names_every_parameter_of_what_is_called() -> None:
    page = (ROOT / "docs" / "engines" / "sambert.md").read_text()
    called = {"pipelines/__init__.py": {"pipeline", "__call__"}, "models/audio/tts/sambert_hifi.py": {"forward"}}
    trees = {file: ast.parse((FAKE / "modelscope" / file).read_text()) for file in called}
    functions = [
        node
        for file, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in called[file]
    ]
    parameters = {argument.arg for function in functions for argument in function.args.args} - {"self"}
    assert len(parameters) > 10
    assert {name for name in parameters if f"`{name}`" not in page} == set()


def test_the_requirements_name_the_commit_that_the_engine_is_written_for() -> None:
    requirements = (ROOT / "services" / "worker" / "engines" / "sambert" / "requirements.txt").read_text()
    assert f"# set: KANTTS=git+{CODE}@{COMMIT}\n" in requirements
    assert "kantts @ ${KANTTS}" in requirements.splitlines()
    assert not any(line.startswith(("kantts==", "ttsfrd==0.1")) for line in requirements.splitlines())
