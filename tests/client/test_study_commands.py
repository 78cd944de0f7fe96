"""`ringtrue evaluate`, `compare`, `noise`: pins on suites, as scripts see them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringtrue.commands.studying import Deadline
from tests.client.fake_gateway import problem
from tests.client.fake_studies import FILES, HEADLINE, RESULT, StudyGateway
from tests.client.test_command import Run, run

__all__ = ["run"]  # the fixture
EVALUATE = ("evaluate", "espeak-v2", "--suite", "golden-en-emotion")
SLOW = f"eval_{1:026}"
COMPARE = ("compare", "espeak-v1", "espeak-v2", "--suite", "golden-en-emotion")


@pytest.fixture
def gateway() -> Iterator[StudyGateway]:
    fake = StudyGateway()
    fake.start()
    yield fake
    fake.stop()


def cells(line: str) -> str:
    return " ".join(line.split())


def test_evaluate_prints_the_means(run: Run, gateway: StudyGateway) -> None:
    ran = run(*EVALUATE)
    header, first, _ = ran.stdout.decode().splitlines()
    assert header.split() == ["METRIC", "MEAN", "UNIT", "BETTER", "ITEMS", "SCORED", "UNSCORED"]
    assert cells(first) == "mos/nisqa 3.6 MOS higher 35 34 too_short 1"
    assert gateway.sent("evaluations") == [{"pin": "espeak-v2", "suite": "golden-en-emotion", "seeds": 1}]


def test_evaluate_sends_every_option_by_its_type(run: Run, gateway: StudyGateway) -> None:
    options = "--seeds 5 --score signal --score asr --param speed=1.5 --param voice=anna --preprocessing plain --fresh"
    assert run(*EVALUATE, *options.split()).returncode == 0
    assert gateway.sent("evaluations") == [
        {
            "pin": "espeak-v2",
            "suite": "golden-en-emotion",
            "seeds": 5,
            "score": ["signal", "asr"],
            "params": {"speed": 1.5, "voice": "anna"},
            "preprocessing": "plain",
            "fresh": True,
        }
    ]


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        (("evaluate", "espeak-v2", "--suite", "golden-hard"), 1),
        (("noise", "espeak-v2", "golden-hard", "--seeds", "2"), 1),
        (("compare", "espeak-v1", "espeak-v2", "--suite", "golden-hard"), 2),
        (("gate", "espeak-v1", "espeak-v2", "--suite", "golden-hard"), 2),
    ],
)
def test_a_lexicon_is_sent_with_every_evaluation(
    run: Run, gateway: StudyGateway, tmp_path: Path, command: tuple[str, ...], sent: int
) -> None:
    (tmp_path / "ours.toml").write_text('name = "ours"\nversion = "3"\n[entries]\n"重庆" = "崇庆"\n')
    run(*command, "--lexicon", str(tmp_path / "ours.toml"))
    lexicon = {"name": "ours", "version": "3", "entries": {"重庆": "崇庆"}}
    assert [evaluation["lexicon"] for evaluation in gateway.sent("evaluations")] == [lexicon] * sent


def test_a_mistyped_id_of_an_evaluation_is_told_what_an_id_looks_like(run: Run, gateway: StudyGateway) -> None:
    ran = run("compare", "eval_123", "espeak-v2")
    assert ran.returncode == 64
    assert "eval_123 is the name of a pin (an evaluation's id is eval_ and 26 characters)" in _unwrapped(ran.stderr)
    assert gateway.sent("evaluations") == []


def _unwrapped(words: bytes) -> str:
    return " ".join(words.decode().split())


def test_a_suite_of_ones_own_is_sent_as_its_file(run: Run, gateway: StudyGateway, tmp_path: Path) -> None:
    (tmp_path / "ours.yml").write_text("schema: 1\n# 你好\n")
    assert run("evaluate", "espeak-v2", "--suite", str(tmp_path / "ours.yml")).returncode == 0
    assert gateway.sent("evaluations")[0]["suite"] == {"notation": "yaml", "text": "schema: 1\n# 你好\n"}


def test_the_faults_of_a_suite_are_told_by_file_and_line(run: Run, gateway: StudyGateway, tmp_path: Path) -> None:
    file = tmp_path / "ours.jsonl"
    file.write_text("{}\n")
    errors = [{"pointer": "/suite/text", "detail": f"line {n}: item {n}: text is missing"} for n in (2, 3)]
    gateway.refuse["evaluations"] = problem(400, "suite_invalid", "it is no suite", errors=errors)
    ran = run("evaluate", "espeak-v2", "--suite", str(file))
    told = [f"{file}:{n}: item {n}: text is missing" for n in (2, 3)]
    assert (ran.returncode, ran.stderr.decode().splitlines()) == (65, told)


@pytest.mark.parametrize(("content", "code"), [(None, 66), (b"\xff\xfe", 65)])
def test_a_file_that_cannot_be_read_asks_for_nothing(
    run: Run, gateway: StudyGateway, tmp_path: Path, content: bytes | None, code: int
) -> None:
    file = tmp_path / "ours.yaml"
    if content is not None:
        file.write_bytes(content)
    ran = run("evaluate", "espeak-v2", "--suite", str(file))
    assert (ran.returncode, gateway.seen) == (code, [])
    assert str(file) in ran.stderr.decode()


def test_evaluate_only_asks_where_it_shall_not_wait(run: Run, gateway: StudyGateway) -> None:
    ran = run(*EVALUATE, "--no-wait")
    assert (ran.returncode, ran.stdout.decode()) == (0, f"eval_{1:026}\n")
    assert [seen.method for seen in gateway.seen] == ["POST"]


def test_progress_tells_the_stages_and_how_long_it_will_take(run: Run) -> None:
    ran = run("evaluate", "slow", "--suite", "golden", "--timeout", "0.5")
    assert ran.returncode == 75
    assert ran.stderr.decode().splitlines() == [
        f"eval_{1:026}",
        "slow on golden: 20 of 35 spoken, 10 scored, 5 reused, 1 failed, about 12 s",
        f"{SLOW} continues on the server; to wait for it again, run `ringtrue evaluations {SLOW}`;"
        f" to stop it, `ringtrue evaluations {SLOW} --cancel`",
        f"error: eval_{1:026} is still 20 of 35 spoken, 10 scored after 0.5 s",
    ]


def test_an_evaluation_that_fails_is_76_and_says_why(run: Run) -> None:
    ran = run("evaluate", "broken", "--suite", "golden")
    assert ran.returncode == 76
    assert f"eval_{1:026} failed: scorer_lost: the scorer was lost" in ran.stderr.decode()


def test_evaluations_are_listed(run: Run) -> None:
    run(*EVALUATE)
    header, row = run("evaluations", "--pin", "espeak-v2").stdout.decode().splitlines()
    assert header.split() == ["ID", "STATUS", "PIN", "SUITE", "SEEDS", "CLIPS", "SCORED", "FAILED", "CREATED"]
    assert cells(row).startswith(f"eval_{1:026} running espeak-v2 golden 1 1 35 10 1 ")
    assert json.loads(run("evaluations", "--json").stdout)[0]["id"] == f"eval_{1:026}"


def test_an_evaluation_that_goes_on_is_waited_for_again(run: Run) -> None:
    asked_for = run(*EVALUATE, "--no-wait").stdout.decode().strip()
    again = run("evaluations", asked_for)
    assert (again.returncode, again.stdout) == (0, run(*EVALUATE).stdout)
    assert json.loads(run("evaluations", asked_for, "--json").stdout)["result"] == RESULT
    run("evaluate", "broken", "--suite", "golden", "--no-wait")
    assert run("evaluations", f"eval_{3:026}").returncode == 76


def test_an_evaluation_is_stopped(run: Run, gateway: StudyGateway) -> None:
    run("evaluate", "slow", "--suite", "golden", "--no-wait")
    ran = run("evaluations", SLOW, "--cancel")
    assert (ran.returncode, ran.stdout.decode()) == (0, f"{SLOW} canceled\n")
    assert gateway.studies[SLOW]["status"] == "canceled"
    assert run("evaluations", f"eval_{7:026}", "--cancel").returncode == 66


def test_compare_evaluates_both_pins_and_prints_what_differs(run: Run, gateway: StudyGateway) -> None:
    ran = run(*COMPARE, "--seeds", "2")
    assert ran.returncode == 0
    assert [(one["pin"], one["seeds"]) for one in gateway.sent("evaluations")] == [("espeak-v1", 2), ("espeak-v2", 2)]
    assert gateway.sent("comparisons") == [{"baseline": f"eval_{1:026}", "candidate": f"eval_{2:026}", "allow": []}]
    _, better, missing = ran.stdout.decode().splitlines()
    assert cells(better) == (
        "mos/nisqa overall 3.62 → 3.97 +0.35 [+0.1, +0.6] +9.7% 0.012 0.036 20/5/9 35 B: too_short 1"
    )
    assert cells(missing) == "asr/wer overall 0 A: language_not_covered 35; B: language_not_covered 35"
    assert HEADLINE in ran.stderr.decode()


def test_compare_asks_for_both_before_it_waits_for_either(run: Run, gateway: StudyGateway) -> None:
    run(*COMPARE)
    asked = [(seen.method, seen.path.rpartition("/")[2]) for seen in gateway.seen]
    assert asked[:4] == [("GET", "pins"), *[("POST", "evaluations")] * 2, ("POST", "comparisons")]


def test_a_refused_second_pin_does_not_let_the_first_one_speak(run: Run, gateway: StudyGateway) -> None:
    ran = run("compare", "espeak-v1", "unknown", "--suite", "golden")
    assert ran.returncode == 66
    assert [one["status"] for one in gateway.studies.values()] == ["canceled"]
    assert f"eval_{1:026} canceled" in ran.stderr.decode()


def test_a_refused_comparison_leaves_evaluations_alone_that_were_there(run: Run, gateway: StudyGateway) -> None:
    run(*EVALUATE, "--no-wait")
    gateway.refuse["comparisons"] = problem(400, "invalid_request", "allow: a list of some of suite, ...")
    assert run("compare", f"eval_{1:026}", "espeak-v2", "--suite", "golden", "--allow", "all").returncode == 65
    assert [one["status"] for one in gateway.studies.values()] == ["running", "canceled"]


def test_the_timeout_is_that_of_all_waits_together() -> None:
    deadline = Deadline(0.5)
    time.sleep(0.2)
    assert deadline.left_s is not None
    assert 0 <= deadline.left_s <= 0.3
    assert (Deadline(None).left_s, Deadline(0).left_s) == (None, 0.0)


def test_who_gives_up_waiting_for_a_comparison_is_told_how_to_come_back(run: Run) -> None:
    ran = run("compare", "espeak-v1", "slow", "--suite", "golden", "--timeout", "0.5")
    assert ran.returncode == 75
    assert f"to wait for it again, run `ringtrue compare eval_{1:026} eval_{2:026}`" in ran.stderr.decode()
    assert "to stop it, run `ringtrue evaluations ID --cancel` for each of the two" in ran.stderr.decode()


def test_compare_takes_evaluations_that_are_there(run: Run, gateway: StudyGateway) -> None:
    for pin in ("espeak-v1", "espeak-v2"):
        run("evaluate", pin, "--suite", "golden", "--no-wait")
    assert run("compare", f"eval_{1:026}", f"eval_{2:026}").returncode == 0
    assert len(gateway.sent("evaluations")) == 2


def test_compare_tells_emotions_apart_where_asked(run: Run) -> None:
    _, row = run(*COMPARE, "--by", "emotion").stdout.decode().splitlines()
    assert cells(row).startswith("mos/nisqa emotion/happy 3.62 → 3.97")


def test_what_was_insisted_on_is_told(run: Run, gateway: StudyGateway) -> None:
    gateway.allowed = [{"what": "seeds", "baseline": "0", "candidate": "0, 1", "blocks": True, "allowed": True}]
    ran = run(*COMPARE, "--allow", "seeds", "--allow", "params")
    assert gateway.sent("comparisons")[0]["allow"] == ["seeds", "params"]
    assert "allowed difference: seeds: 0 / 0, 1" in ran.stderr.decode()


def test_what_is_not_comparable_is_65(run: Run, gateway: StudyGateway) -> None:
    gateway.not_comparable = "the seeds differ; insist with --allow seeds"
    ran = run(*COMPARE)
    assert (ran.returncode, ran.stdout) == (65, b"")
    assert "not_comparable: the seeds differ; insist with --allow seeds" in ran.stderr.decode()


def test_the_report_is_written(run: Run, tmp_path: Path) -> None:
    assert run(*COMPARE, "-o", str(tmp_path / "report.html")).returncode == 0
    assert (tmp_path / "report.html").read_bytes() == FILES["report.html"]


def test_compare_prints_json(run: Run) -> None:
    assert json.loads(run(*COMPARE, "--json").stdout)["headline"] == HEADLINE


def test_noise_prints_floors_and_says_which_are_zero(run: Run, gateway: StudyGateway) -> None:
    ran = run("noise", "espeak-v2", "golden", "--seeds", "3")
    header, floor, zero = ran.stdout.decode().splitlines()
    assert header.split() == ["METRIC", "FLOOR", "SIGMA", "UNIT", "MEAN", "ITEMS", "FREEDOM", "NOTE"]
    assert cells(floor) == "mos/nisqa ± 0.08 0.2 MOS 3.6 35 70"
    assert cells(zero).endswith("zero: all seeds gave the same score, so it cannot be used as a unit of margins")
    assert gateway.sent("evaluations")[0]["seeds"] == 3
    assert json.loads(run("noise", "espeak-v2", "golden", "--seeds", "3", "--json").stdout)["result"] == RESULT


@pytest.mark.parametrize(
    "args",
    [
        pytest.param(("evaluate", "espeak-v2"), id="no suite"),
        pytest.param(("evaluate", "espeak-v2", "--suite", "golden", "--seeds", "0"), id="no seeds"),
        pytest.param(("evaluate", "espeak-v2", "--suite", "golden", "--param", "speed"), id="param without value"),
        pytest.param(("compare", "espeak-v1"), id="one side"),
        pytest.param(("compare", "espeak-v1", "espeak-v2"), id="pins without a suite"),
        pytest.param(("compare", "a", "b", "--suite", "s", "--by", "mood"), id="unknown scope"),
        pytest.param(("noise", "espeak-v2", "golden"), id="noise without seeds"),
        pytest.param(("noise", "espeak-v2", "golden", "--seeds", "1"), id="noise of one seed"),
        pytest.param(("evaluate", "espeak-v2", "--suite", "./golden.txt"), id="a file that is no suite's"),
        pytest.param(("evaluations", "--cancel"), id="nothing to stop"),
        pytest.param(("gate",), id="a gate without sides"),
        pytest.param(("gate", "a", "b"), id="a gate without a suite"),
    ],
)
def test_a_wrong_command_line_is_64(run: Run, gateway: StudyGateway, args: tuple[str, ...]) -> None:
    ran = run(*args)
    assert (ran.returncode, ran.stdout, gateway.seen) == (64, b"", [])


def test_a_folder_that_is_not_there_is_told_before_anything_is_spoken(
    run: Run, gateway: StudyGateway, tmp_path: Path
) -> None:
    assert run(*COMPARE, "-o", str(tmp_path / "no" / "report.html")).returncode == 73
    assert gateway.seen == []
