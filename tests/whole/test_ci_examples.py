"""The examples for CI: their one script judges on a deployment, the workflow files are what their systems take."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.stack import Stack, running

ROOT = Path(__file__).parents[2]
EXAMPLES, DOCS = ROOT / "examples" / "ci", ROOT / "docs"
SUITE = """
schema: 1
name: few-words
version: "1"
title: Ten sentences and two
licence: CC0-1.0
language: en
items:
""" + "".join(f'  - {{id: n-{n}, text: "Platform number {n} is closed until noon."}}\n' for n in range(12))
RULES = """
schema = 1

[[rule]]
metric = "signal/clipping_ratio"
not_worse_by = 0.01

[[rule]]
metric = "cost/peak_rss_mb"
not_worse_by = 10000
"""
FAILING = """
schema = 1

[[rule]]
metric = "signal/loudness_lufs"
direction = "higher"
better_by = 30
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Without a tracking server: CI waits for results only."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    with running(stack, "redis", "gateway", "worker", "scorer"):
        yield stack


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a suite and rules, as a repository would have them."""
    (tmp_path / "suite.yaml").write_text(SUITE)
    (tmp_path / "gate.toml").write_text(RULES)
    (tmp_path / "failing.toml").write_text(FAILING)
    return tmp_path


def gate(stack: Stack, place: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The script, with no more than a runner would have: the command on its PATH, and where the deployment is."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    env = {"PATH": path, "RINGTRUE_URL": stack.url, "GATE_SEEDS": "1", **more}
    argv = ["sh", str(EXAMPLES / "gate.sh"), *arguments]
    return subprocess.run(argv, cwd=place, env=env, capture_output=True, text=True, timeout=280, check=False)


def test_a_candidate_that_is_no_worse_passes_and_leaves_its_files(stack: Stack, place: Path) -> None:
    summary = place / "step-summary.md"
    how = {"GATE_RULES": "gate.toml", "GITHUB_STEP_SUMMARY": str(summary)}
    done = gate(stack, place, "espeak-v1", "espeak-v2", "suite.yaml", **how)
    assert done.returncode == 0, done.stderr
    output = place / "gate-output"
    assert json.loads((output / "gate.json").read_text())["verdict"] == "pass"
    cases = ET.parse(output / "gate-junit.xml").getroot().iter("testcase")
    assert [case.find("failure") for case in cases] == [None, None]
    assert summary.read_text() == (output / "gate.md").read_text()
    assert "espeak-v2" in (output / "report.html").read_text()


def test_a_candidate_that_fails_stops_the_pipeline(stack: Stack, place: Path) -> None:
    done = gate(stack, place, "espeak-v1", "espeak-v2", "suite.yaml", GATE_RULES="failing.toml")
    assert done.returncode == 1, done.stderr
    cases = ET.parse(place / "gate-output" / "gate-junit.xml").getroot().iter("testcase")
    assert [case.find("failure") is not None for case in cases] == [True]


def test_what_is_too_few_is_inconclusive_unless_that_may_pass(stack: Stack, place: Path) -> None:
    few = "".join(SUITE.splitlines(keepends=True)[:12])
    (place / "few.yaml").write_text(few)
    how = {"GATE_RULES": "gate.toml"}
    assert gate(stack, place, "espeak-v1", "espeak-v2", "few.yaml", **how).returncode == 2
    let_through = gate(stack, place, "espeak-v1", "espeak-v2", "few.yaml", GATE_INCONCLUSIVE="pass", **how)
    assert let_through.returncode == 0
    assert "let through" in let_through.stderr


def test_what_cannot_be_judged_is_no_verdict(stack: Stack, place: Path) -> None:
    assert gate(stack, place, "espeak-v1", "no-such-pin", "suite.yaml").returncode >= 64
    assert gate(stack, place, "espeak-v1", "espeak-v2", "suite.yaml", GATE_RULES="missing.toml").returncode >= 64


@pytest.mark.parametrize("arguments", [(), ("espeak-v1",), ("espeak-v1", "")])
def test_a_script_that_is_called_without_two_pins_gives_no_verdict(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """In GitLab an exit code of 2 is only a warning."""
    argv = ["sh", str(EXAMPLES / "gate.sh"), *arguments]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (64, "usage: gate.sh BASELINE CANDIDATE [SUITE]\n")


SETTINGS = {"RINGTRUE_URL", "RINGTRUE_API_KEY", "RINGTRUE_PACKAGE"}
"""All that has to be set before a copied workflow runs."""


def test_what_a_workflow_takes_from_the_settings_is_what_it_and_the_docs_say_to_set() -> None:
    github = (EXAMPLES / "github-workflow.yml").read_text()
    assert set(re.findall(r"\$\{\{ (?:vars|secrets)\.(\w+)", github)) == SETTINGS
    for file in (EXAMPLES / "github-workflow.yml", EXAMPLES / "gitlab-ci.yml", DOCS / "ci.md"):
        text = file.read_text()
        assert all(name in text for name in SETTINGS), file
        assert "ringtrue[client] @ git+https://" in text, f"{file}: without the extra there is no command"
        assert "sh ci/gate.sh indextts2@production" in text, file


@pytest.mark.parametrize(
    ("file", "schema", "more"),
    [
        ("github-workflow.yml", "vendor.github-workflows", []),
        ("gitlab-ci.yml", "vendor.gitlab-ci", ["--data-transform", "gitlab-ci"]),
    ],
)
def test_a_workflow_file_passes_the_schema_that_is_published_for_it(file: str, schema: str, more: list[str]) -> None:
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *more, str(EXAMPLES / file)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
