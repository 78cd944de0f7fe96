"""The `ringtrue` command as scripts see it: a process with arguments, two streams and an exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.fake_gateway import ALIAS, FakeGateway, Fault, problem, refusal, wav_of

PIN = "espeak-v2"
SAY = ("say", "Good morning", "--pin", PIN)
COMMAND = (sys.executable, "-m", "ringtrue")
Ran = subprocess.CompletedProcess[bytes]
Run = Callable[..., Ran]


def environment(url: str, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RINGTRUE_")}
    return {**inherited, "RINGTRUE_URL": url, **more}


@pytest.fixture
def run(gateway: FakeGateway) -> Run:
    """Runs the command against the fake gateway."""

    def ringtrue(*args: str, stdin: str = "", **env: str) -> Ran:
        return subprocess.run(
            [*COMMAND, *args],
            check=False,
            input=stdin.encode(),
            capture_output=True,
            env=environment(gateway.url, **env),
            timeout=60,
        )

    return ringtrue


def started(*args: str, url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*COMMAND, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(url))


def test_say_writes_the_file_prints_its_path_and_tells_the_rest_on_stderr(run: Run, tmp_path: Path) -> None:
    ran = run(*SAY, "-o", str(tmp_path / "a.wav"))
    assert (ran.returncode, ran.stdout.decode()) == (0, f"{tmp_path / 'a.wav'}\n")
    assert (tmp_path / "a.wav").read_bytes() == wav_of("Good morning")[0]
    assert ran.stderr.decode() == "job_0001 succeeded\n"


def test_say_prints_the_id_where_no_file_is_asked_for(run: Run) -> None:
    assert run(*SAY).stdout == b"job_0001\n"


def test_say_writes_audio_and_nothing_else_to_stdout(run: Run) -> None:
    assert run(*SAY, "-o", "-").stdout == wav_of("Good morning")[0]


def test_say_reads_the_text_from_stdin(run: Run, gateway: FakeGateway) -> None:
    run("say", "-", "--pin", PIN, stdin="今天的阳光\n真灿烂!\n")
    assert gateway.seen[0].body["text"] == "今天的阳光\n真灿烂!"


def test_say_sends_every_option_by_its_type(run: Run, gateway: FakeGateway) -> None:
    options = (
        "--emotion happy --strength 0.8 --language zh --voice cmn+f2 --speed 1.5 --pitch-scale 0.9 --seed 42"
        " --sample-rate 24000 --option gap=3 --option whisper=true --option mode=x=y --metadata n=1 --no-score"
    )
    assert run(*SAY, *options.split()).returncode == 0
    assert gateway.seen[0].body == {
        "text": "Good morning",
        "pin": PIN,
        "emotion": {"name": "happy", "strength": 0.8},
        "language": "zh",
        "voice": "cmn+f2",
        "speed": 1.5,
        "pitch_scale": 0.9,
        "seed": 42,
        "sample_rate": 24000,
        "options": {"gap": 3, "whisper": True, "mode": "x=y"},
        "metadata": {"n": "1"},
        "score": False,
    }


def test_say_sends_a_lexicon_as_its_file_says(run: Run, gateway: FakeGateway, tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text('\ufeffname = "ours"\nversion = "3"\nlanguage = "en"\n[entries]\nAI = "A I"\nMayday = 2026-05-01\n')
    assert run(*SAY, "--lexicon", str(file)).returncode == 0
    assert gateway.seen[0].body["lexicon"] == {
        "name": "ours", "version": "3", "language": "en", "entries": {"AI": "A I", "Mayday": "2026-05-01"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        (None, 66, "no.toml: No such file"),
        (b"name = ", 65, "no.toml: Invalid value (at"),
        ("name = '重'".encode("gbk"), 65, "is not UTF-8"),
    ],
)
def test_a_lexicon_file_that_cannot_be_read_is_told_in_a_line(
    run: Run, gateway: FakeGateway, tmp_path: Path, content: bytes | None, code: int, told: str
) -> None:
    if content is not None:
        (tmp_path / "no.toml").write_bytes(content)
    ran = run(*SAY, "--lexicon", str(tmp_path / "no.toml"))
    assert (ran.returncode, len(ran.stderr.decode().splitlines())) == (code, 1)
    assert told in ran.stderr.decode()
    assert gateway.seen == []


def test_say_prints_the_job_as_json(run: Run) -> None:
    job = json.loads(run(*SAY, "--wait-for", "tracking", "--json").stdout)
    assert (job["status"], job["tracking"]["status"]) == ("succeeded", "done")


def test_say_only_submits_where_it_shall_not_wait(run: Run, gateway: FakeGateway) -> None:
    assert run("say", "forever", "--pin", PIN, "--wait-for", "none").stdout == b"job_0001\n"
    assert [request.method for request in gateway.seen] == ["POST"]


def test_a_wait_for_scores_delivers_the_audio_first(run: Run, gateway: FakeGateway, tmp_path: Path) -> None:
    gateway.score_s = 60
    ran = run(*SAY, "-o", str(tmp_path / "a.wav"), "--wait-for", "scoring", "--timeout", "0.2")
    assert ran.returncode == 75
    assert (tmp_path / "a.wav").exists()
    assert ran.stderr.decode().splitlines() == [
        "job_0001 scoring running",
        "error: job_0001 is still scoring running after 0.2 s",
    ]


def test_progress_is_a_line_per_change_for_a_log(run: Run) -> None:
    told = run("say", "forever", "--pin", PIN, "--timeout", "0.5").stderr.decode().splitlines()
    assert told[:-1] == ["job_0001 queued, 0 ahead"]


def test_progress_moves_on_a_terminal_and_leaves_stdout_alone(gateway: FakeGateway) -> None:
    gateway.speak_s = 0.2
    ours, theirs = os.openpty()
    env = environment(gateway.url, TERM="xterm")
    ran = subprocess.run([*COMMAND, *SAY], check=False, stdout=subprocess.PIPE, stderr=theirs, env=env, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert ran.stdout == b"job_0001\n"
    assert "\r" in shown
    assert "job_0001" in shown


def test_jobs_are_a_table_of_whole_values_for_programs(run: Run, gateway: FakeGateway) -> None:
    text = "A sentence [bold]that[/bold]\nis longer than any terminal is wide. " * 5
    gateway.has(text)
    header, row = run("jobs").stdout.decode().splitlines()
    assert header.split() == ["ID", "STATUS", "SCORING", "TRACKING", "PIN", "CREATED", "SECONDS", "TEXT"]
    assert row.endswith(" ".join(text.split()))


def test_on_a_narrow_screen_what_is_shown_is_whole(gateway: FakeGateway) -> None:
    gateway.has("A sentence that is wider than what is left of the screen. " * 5)
    ours, theirs = os.openpty()
    env = environment(gateway.url, TERM="xterm", NO_COLOR="1")
    for columns in ("80", "30"):
        subprocess.run([*COMMAND, "jobs"], check=True, stdout=theirs, env={**env, "COLUMNS": columns}, timeout=60)
    os.close(theirs)
    _, wide, _, narrow = os.read(ours, 65536).decode().splitlines()
    os.close(ours)
    assert wide.split()[:5] == narrow.split() + wide.split()[3:5]
    assert wide.split()[0] == "job_0001"
    assert len(narrow) <= 30


def test_jobs_are_filtered_limited_and_json_where_asked_for(run: Run, gateway: FakeGateway) -> None:
    for _ in range(3):
        gateway.has("Good morning")
    jobs = json.loads(run("jobs", "--status", "succeeded", "--limit", "2", "--json").stdout)
    assert [job["id"] for job in jobs] == ["job_0003", "job_0002"]
    assert gateway.seen[-1].query["status"] == "succeeded"


def test_a_job_is_shown_with_scores_and_links(run: Run, gateway: FakeGateway) -> None:
    gateway.has("Good morning")
    lines = [" ".join(line.split()) for line in run("job", "job_0001").stdout.decode().splitlines()]
    assert lines[0] == "job_0001 succeeded"
    assert "mos/nisqa 3.97 MOS" in lines
    assert "semantic/similarity 0.9" in lines  # a number without a unit
    assert "asr/wer language_not_covered" in lines
    assert "audio /v1/jobs/job_0001/audio" in lines


def test_a_jobs_audio_can_be_fetched_later(run: Run, gateway: FakeGateway, tmp_path: Path) -> None:
    gateway.has("Good morning")
    assert run("job", "job_0001", "-o", str(tmp_path / "a.wav")).returncode == 0
    assert (tmp_path / "a.wav").read_bytes() == wav_of("Good morning")[0]


def test_a_job_is_json_where_asked_for(run: Run, gateway: FakeGateway) -> None:
    gateway.has("Good morning")
    assert json.loads(run("job", "job_0001", "--wait", "--json").stdout)["id"] == "job_0001"


def test_a_job_is_canceled(run: Run, gateway: FakeGateway) -> None:
    gateway.has("forever")
    assert run("cancel", "job_0001").stdout == b"job_0001 canceled\n"
    assert json.loads(run("cancel", "job_0001", "--json").stdout)["status"] == "canceled"


def test_a_refused_pin_is_listed_with_its_reason(run: Run, gateway: FakeGateway) -> None:
    refused = {"state": "refused", "live": False, "sample_rate": 0, "detail": "model_not_pulled: a.bin"}
    gateway.pins.append({**gateway.pins[0], **refused, "name": "mine-v1"})
    ran = run("pins")
    assert ran.stdout.decode().splitlines()[2].split()[:4] == ["mine-v1", "espeak", "refused", "-"]
    assert ran.stderr.decode() == "mine-v1 is refused: model_not_pulled: a.bin\n"


def test_one_pin_is_shown_with_what_it_can_do(run: Run, gateway: FakeGateway) -> None:
    gap = {"type": "integer", "minimum": 0, "maximum": 500, "default": 0, "description": "pause between words"}
    style = {"type": "string", "enum": ["calm", "wild"]}
    more = {"voices": ["ann", "bob"], "default_voice": "ann", "licence": "MIT", "default_language": "en"}
    gateway.pins[0] = {**gateway.pins[0], **more, "options_schema": {"properties": {"gap_ms": gap, "style": style}}}
    for name in (PIN, ALIAS):
        lines = [" ".join(line.split()) for line in run("pins", name).stdout.decode().splitlines()]
        assert lines[0] == "espeak-v2 ready"
        assert "voices ann bob (default ann)" in lines
        assert "languages en cmn (default en)" in lines
        assert "controls emotion native, seed no_effect" in lines
        assert lines[-3:] == ["options", "gap_ms 0 to 500, default 0; pause between words", "style calm, wild"]
    assert json.loads(run("pins", PIN, "--json").stdout) == gateway.pins[0]


def test_a_pin_that_is_not_there_is_not_shown(run: Run) -> None:
    ran = run("pins", "espaek-v2")
    assert (ran.returncode, ran.stdout) == (66, b"")
    assert "there is no pin espaek-v2" in ran.stderr.decode()


def test_pins_are_listed(run: Run) -> None:
    assert run("pins").stdout.decode().splitlines()[1].split()[:4] == [PIN, "espeak", "ready", "22050"]
    assert json.loads(run("pins", "--json").stdout)[0]["name"] == PIN


@pytest.mark.parametrize(
    "args",
    [
        pytest.param((), id="nothing"),
        pytest.param(("sing",), id="unknown command"),
        pytest.param(("say",), id="no text"),
        pytest.param(("say", "a"), id="no pin"),
        pytest.param((*SAY, "--louder"), id="unknown option"),
        pytest.param((*SAY, "--speed", "fast"), id="no number"),
        pytest.param((*SAY, "--strength", "0.5"), id="strength of no emotion"),
        pytest.param((*SAY, "--option", "gap"), id="option without value"),
        pytest.param((*SAY, "-o", "-", "--json"), id="two things on stdout"),
        pytest.param((*SAY, "-o", "a.wav", "--wait-for", "none"), id="a file without waiting"),
        pytest.param(("--url", "nonsense", "pins"), id="address that is none"),
    ],
)
def test_a_wrong_command_line_is_64(run: Run, gateway: FakeGateway, args: tuple[str, ...]) -> None:
    ran = run(*args)
    assert (ran.returncode, ran.stdout) == (64, b"")
    assert ran.stderr
    assert gateway.seen == []


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("say", "", "--pin", PIN), 65, "error: text_empty: there is nothing to speak\n  the text: there is nothing"),
        (("say", "a", "--pin", "espeak-v9"), 66, "error: pin_unknown: no pin espeak-v9\n  request req_1"),
        (("job", "job_404"), 66, "error: job_not_found"),
        (("cancel", "job_404"), 66, "error: job_not_found"),
        (("say", "crash", "--pin", PIN), 76, "job_0001 failed: engine_crashed: the engine ended"),
        (("say", "forever", "--pin", PIN, "--timeout", "0.2"), 75, "error: job_0001 is still queued after 0.2 s"),
        ((*SAY, "-o", "/nowhere/a.wav"), 73, "/nowhere/a.wav: the folder does not exist"),
        ((*SAY, "-o", "/tmp"), 73, "/tmp: is a folder; give the name of a file in it"),
        ((*SAY, "-o", ""), 64, "needs the name of a file"),
        (
            (*SAY, "-o", "/proc/a.wav"),
            73,
            "/proc/a.wav: No such file or directory; to fetch the audio again, run `ringtrue job job_0001 -o FILE`",
        ),
    ],
)
def test_each_kind_of_failure_has_its_exit_code_and_its_words(
    run: Run, args: tuple[str, ...], code: int, told: str
) -> None:
    ran = run(*args)
    assert ran.returncode == code
    assert told in ran.stderr.decode()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (refusal(problem(401, "key_missing", "send your key")), 77),
        (refusal(problem(403, "forbidden", "not for you")), 77),
        (refusal(problem(429, "quota_exceeded", "used up"), {"Retry-After": "3600"}), 69),
        (refusal(problem(503, "backlog_full", "full"), {"Retry-After": "3600"}), 69),
        (refusal(problem(500, "internal_error", "our fault")), 70),
        (Fault(200, b"<html>"), 70),
    ],
)
def test_each_answer_of_the_gateway_has_its_exit_code(run: Run, gateway: FakeGateway, fault: Fault, code: int) -> None:
    gateway.fault("GET /v1/pins", fault)
    assert run("pins").returncode == code


def test_a_failed_job_is_json_all_the_same(run: Run) -> None:
    ran = run("say", "crash", "--pin", PIN, "--json")
    assert (ran.returncode, json.loads(ran.stdout)["error"]["code"]) == (76, "engine_crashed")


def test_that_a_request_is_tried_again_is_said(run: Run, gateway: FakeGateway) -> None:
    gateway.fault("GET /v1/pins", refusal(problem(503, "store_unavailable", "the store is away")))
    ran = run("pins")
    assert ran.returncode == 0
    assert ran.stderr.decode().startswith("store_unavailable: the store is away; trying again in ")


def test_the_key_comes_from_the_environment(run: Run, gateway: FakeGateway) -> None:
    gateway.key = "rt_1_secret"
    assert run("pins", RINGTRUE_API_KEY="rt_1_secret").returncode == 0
    assert run("pins").returncode == 77


def test_ctrl_c_leaves_the_job_alone_and_says_so(gateway: FakeGateway) -> None:
    process = started("say", "forever", "--pin", PIN, url=gateway.url)
    assert process.stderr is not None
    first = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert (process.returncode, first) == (130, b"job_0001 queued, 0 ahead\n")
    assert told == b"job_0001 continues on the server; to stop it, run `ringtrue cancel job_0001`\n"
    assert not gateway.jobs["job_0001"].canceled


def test_a_reader_that_has_gone_ends_the_command_quietly(gateway: FakeGateway) -> None:
    process = started("pins", url=gateway.url)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert (process.stderr.read(), process.wait(30)) == (b"", 141)
    process.stderr.close()


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").stdout.decode().strip()[0].isdigit()


def test_the_library_works_where_no_terminal_library_is_installed() -> None:
    lacking = "import sys; sys.modules.update(typer=None, rich=None, click=None); import ringtrue; ringtrue.Ringtrue()"
    subprocess.run([sys.executable, "-c", lacking], check=True, timeout=60)
