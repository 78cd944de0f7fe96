"""Pins of IndexTTS2 that cannot be served: each says why, and what to do about it."""

from __future__ import annotations

import ast
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path, PurePath

import pytest

from services.worker.engines.base import Snapshot
from services.worker.engines.indextts2.family import IndexTts2
from services.worker.engines.indextts2.releases import COMMIT
from shared.catalog import PinState, Support
from shared.errors import FailureCode
from shared.weights.catalog_file import read_catalog
from tests.worker.engines.indextts_pins import CONFIG, FAKE, FAMILY, QWEN, Hosts, files, installed, snapshot
from tests.worker.engines.own_python import load_failure, manifest_of, refusal, refused_by_a_worker

ROOT = Path(__file__).parents[3]


def fault(given: Snapshot) -> str:
    return refusal(IndexTts2(), given)


# --- the package


def test_without_the_package_the_pin_is_refused_and_says_what_it_could_do(tmp_path: Path) -> None:
    given = snapshot(tmp_path, "index-v21", files("2.0"))
    manifest = manifest_of(Hosts(None).start(given))
    assert manifest.state is PinState.REFUSED
    assert manifest.detail is not None
    assert "(No module named 'indextts'); give the engine its own Python" in manifest.detail
    assert manifest.support("emotion_vector") is Support.NATIVE
    assert load_failure(Hosts(None).start(given)) == (FailureCode.ENGINE_ERROR, manifest.detail)


def test_a_worker_without_the_package_refuses_the_pin_and_its_jobs_with_the_same_words(tmp_path: Path) -> None:
    manifest = refused_by_a_worker(FAMILY, "index-v21", files("2.0"), Hosts(tmp_path).environ, tmp_path)
    assert "No module named 'indextts'" in str(manifest.detail)
    assert manifest.support("emotion_vector") is Support.NATIVE


def test_with_the_package_the_pin_says_which_code_it_is_served_by(tmp_path: Path) -> None:
    manifest = manifest_of(Hosts(installed(tmp_path)).start(snapshot(tmp_path, "index-v21", files("2.0"))))
    assert manifest.state is PinState.READY
    assert manifest.engine_version == f"2.0 (indextts 2.0.0@{COMMIT[:12]})"


def test_other_code_than_the_engine_is_written_for_is_refused(tmp_path: Path) -> None:
    hosts = Hosts(installed(tmp_path, commit="830f6f8f" * 5))
    manifest = manifest_of(hosts.start(snapshot(tmp_path, "index-v21", files("2.0"))))
    assert manifest.state is PinState.REFUSED
    assert f"installed from commit {'830f6f8f' * 5}, but this engine needs {COMMIT}" in str(manifest.detail)


def test_a_package_among_wrong_packages_says_what_could_not_be_imported(tmp_path: Path) -> None:
    path = installed(tmp_path)
    (path / "indextts" / "infer_v2.py").write_text("from transformers.cache_utils import OffloadedPancake")
    code, message = load_failure(Hosts(path).start(snapshot(tmp_path, "index-v21", files("2.0"))))
    assert code is FailureCode.ENGINE_ERROR
    assert "ImportError: cannot import name 'OffloadedPancake'" in message
    assert "requirements.txt" in message


def test_importing_the_new_release_leaves_the_cache_of_the_hub_where_it_was(tmp_path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from services.worker.engines.indextts2.package import IndexTtsModel
from services.worker.engines.indextts2.weights import IndexTtsWeights
IndexTtsModel(IndexTtsWeights(Path(sys.argv[1]), {}))
print(os.environ["HF_HUB_CACHE"])
"""
    given = snapshot(tmp_path, "index-v25", files("2.5"))
    environ = {**Hosts(installed(tmp_path)).environ, "HF_HUB_CACHE": "/var/cache/hub"}
    run = subprocess.run([sys.executable, "-c", code, given.folder], env=environ, capture_output=True, check=True)
    assert run.stdout.decode().split() == ["/var/cache/hub"]


# --- the weights


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ("2.0", "config.yaml"),
        ("2.0", "gpt.pth"),
        ("2.0", "bpe.model"),
        ("2.0", "hf_cache/semantic_codec_model.safetensors"),
        ("2.0", "hf_cache/w2v-bert-2.0/preprocessor_config.json"),
        ("2.5", "multilingual_zh_ja_yue_char_del.tiktoken"),
        ("2.5", "hf_cache/campplus_cn_common.bin"),
        ("2.5", "hf_cache/bigvgan/bigvgan_generator.pt"),
    ],
)
def test_a_file_that_the_package_would_try_to_download_is_missed_before_that(
    tmp_path: Path, release: str, name: str
) -> None:
    content = files(release)
    del content[name]
    assert fault(snapshot(tmp_path, "index", content, release=release)).startswith(f"IndexTTS {release} needs {name},")


def test_files_are_called_what_config_yaml_calls_them(tmp_path: Path) -> None:
    content = files("2.0", {"config.yaml": CONFIG.replace(b"gpt.pth", b'"gpt-v23.pth"  # ours')})
    assert fault(snapshot(tmp_path, "index-v22", content)).startswith("IndexTTS 2.0 needs gpt-v23.pth,")
    content["gpt-v23.pth"] = content.pop("gpt.pth")
    assert IndexTts2().build_from(snapshot(tmp_path, "index-v23", content)).manifest().pin == "index-v23"


def test_the_release_is_known_by_its_files_unless_the_pin_says_it(tmp_path: Path) -> None:
    found = {
        release: IndexTts2().build_from(snapshot(tmp_path, f"index-{release}", files(release))).manifest()
        for release in ("2.0", "2.5")
    }
    assert {release: manifest.support("speed").value for release, manifest in found.items()} == {
        "2.0": "post",
        "2.5": "native",
    }
    assert "IndexTTS 2.5 needs codec.pth" in fault(snapshot(tmp_path, "index", files("2.0"), release="2.5"))


def test_feelings_in_words_need_the_model_that_reads_them(tmp_path: Path) -> None:
    without, having = (
        IndexTts2().build_from(snapshot(tmp_path, pin, content)).manifest().support("emotion_text")
        for pin, content in (("lean", files("2.0")), ("full", files("2.0", QWEN)))
    )
    assert (without, having) == (Support.UNSUPPORTED, Support.NATIVE)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"release": "1.5"}, "the pin's option release must be one of 2.0, 2.5, not '1.5'"),
        ({"release": 2.0}, "the pin's option release must be one of 2.0, 2.5, not 2.0"),
        ({"half": "yes"}, "the pin's option half must be true or false, not 'yes'"),
        ({"speed": 2}, "unknown option of an indextts2 pin: speed; known options: release, half"),
    ],
)
def test_options_of_a_pin_are_checked(tmp_path: Path, options: dict[str, object], why: str) -> None:
    assert fault(snapshot(tmp_path, "index", files("2.0"), **options)) == why


def test_half_precision_without_a_gpu_is_an_error_and_not_full_precision(tmp_path: Path) -> None:
    hosts = Hosts(installed(tmp_path))
    code, message = load_failure(hosts.start(snapshot(tmp_path, "index", files("2.0"), half=True)))
    assert (code, message) == (
        FailureCode.ENGINE_ERROR,
        "the pin's option half needs a GPU that supports it; there is none",
    )


# --- what is written about it


@pytest.mark.parametrize(("pin", "release"), [("indextts2", "2.0"), ("indextts2.5", "2.5")])
def test_the_example_catalog_puts_every_file_where_the_engine_looks(pin: str, release: str) -> None:
    places = [
        (PurePath(wanted.folder), {*wanted.files} - {*wanted.rename} | {*wanted.rename.values()})
        for wanted in read_catalog(ROOT / "examples" / "catalog.toml")[pin].components
    ]
    for name in files(release):
        assert any(
            PurePath(name).is_relative_to(folder)
            and any(fnmatch(str(PurePath(name).relative_to(folder)), pattern) for pattern in patterns)
            for folder, patterns in places
        ), name


@pytest.mark.parametrize("module", ["infer_v2", "infer_v2_5"])
def test_the_page_names_every_parameter_of_the_package(module: str) -> None:
    page = (ROOT / "docs" / "engines" / "indextts2.md").read_text()
    functions = [node for node in ast.walk(ast.parse((FAKE / f"{module}.py").read_text())) if _is_called(node)]
    parameters = {argument.arg for function in functions for argument in function.args.args} - {"self"}
    assert len(parameters) > 20
    assert {name for name in parameters if f"`{name}`" not in page} == set()


def _is_called(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name in ("__init__", "infer")
