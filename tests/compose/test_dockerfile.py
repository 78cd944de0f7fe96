"""The images: one per service, none runs as root, each says how it is, and what goes into them is pinned."""

from __future__ import annotations

import json
import re

import pytest

from services.embedded.parts.mlflow_server import HEALTH_CHECK_S
from tests.compose.compose_file import OURS, ROOT, composed, example
from tests.compose.dockerfile import arguments, last_said, stages

SERVICES = composed(example())["services"]
TARGETS = sorted({SERVICES[name]["build"]["target"] for name in OURS})


def test_every_service_of_ours_has_a_target() -> None:
    assert set(TARGETS) <= set(stages())


@pytest.mark.parametrize("target", TARGETS)
def test_it_does_not_run_as_root(target: str) -> None:
    assert stages()[target].said("USER") == ["ringtrue"]


@pytest.mark.parametrize("target", TARGETS)
def test_it_says_whether_it_is_well(target: str) -> None:
    assert "docker/healthy.py" in (last_said(target, "HEALTHCHECK") or "")


@pytest.mark.parametrize("target", TARGETS)
def test_signals_reach_the_service_itself(target: str) -> None:
    assert (last_said(target, "CMD") or "").startswith("[")


def test_images_from_outside_are_versions_of_python() -> None:
    known = stages()
    outside = {stage.parent for stage in known.values() if stage.parent not in known}
    images = {arguments()[re.sub(r"[${}]", "", image)] for image in outside}
    assert images
    for image in images:
        assert re.fullmatch(r"python:3\.\d+-slim-bookworm", image)


def test_a_target_is_built_by_what_stands_before_it() -> None:
    seen: set[str] = set()
    for stage in stages().values():
        assert stage.parent in seen or stage.parent.startswith("${")
        seen.add(stage.name)


def test_what_pip_brings_is_pinned() -> None:
    for stage in stages().values():
        for command in stage.said("RUN"):
            for part in re.findall(r"pip install [^&]*", command):
                assert "--constraint requirements/cpu.txt" in part or "--no-deps" in part or "==" in part, part


def test_uv_is_the_one_of_the_makefile() -> None:
    versions = re.findall(r"uv==([\d.]+)", (ROOT / "Dockerfile").read_text())
    assert set(versions) == set(re.findall(r"UV_VERSION := ([\d.]+)", (ROOT / "Makefile").read_text()))


def test_nothing_goes_into_the_build_that_is_not_named() -> None:
    lines = (ROOT / ".dockerignore").read_text().split()
    assert lines[0] == "**"
    assert not [line for line in lines if line.startswith("!") and line.removeprefix("!").startswith((".", "tests"))]


def test_mlflow_gives_its_processes_as_long_to_answer_as_the_embedded_one() -> None:
    command = last_said("mlflow", "CMD")
    assert command is not None
    options = json.loads(command)
    assert options[options.index("--uvicorn-opts") + 1] == f"--timeout-worker-healthcheck {HEALTH_CHECK_S}"
    assert HEALTH_CHECK_S >= 60
