"""`ringtrue gate`: the verdict is the exit code, and everybody who should know is told."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ringtrue.webhooks import Message, secret_from, signature
from tests.client.fake_gateway import problem
from tests.client.fake_studies import FILES, HEADLINE, RULES, StudyGateway
from tests.client.test_command import Run, run

__all__ = ["run"]  # the fixture
GATE = ("gate", "espeak-v1", "espeak-v2", "--suite", "golden-en-emotion")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def gateway() -> Iterator[StudyGateway]:
    fake = StudyGateway()
    fake.start()
    yield fake
    fake.stop()


@dataclass
class Receiver:
    """A webhook: ``answers`` with these codes, one after the other and then with 204."""

    url: str
    answers: list[int] = field(default_factory=list)
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def place(self) -> str:
        """Host and port."""
        return self.url.split("/")[2]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            told.came.append((dict(self.headers.items()), self.rfile.read(length)))
            self.send_response(told.answers.pop(0) if told.answers else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests read `came`."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    told = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield told
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("verdict", "code"), [("pass", 0), ("fail", 1), ("inconclusive", 2)])
def test_the_verdict_is_the_exit_code(run: Run, gateway: StudyGateway, verdict: str, code: int) -> None:
    gateway.verdict = verdict
    ran = run(*GATE)
    assert ran.returncode == code
    header, row = ran.stdout.decode().splitlines()
    assert header.split() == ["VERDICT", "METRIC", "SCOPE", "GAIN", "CI", "AT", "LEAST", "N", "WHY"]
    assert " ".join(row.split()) == (
        f"{verdict} mos/nisqa overall +0.35 [+0.1, +0.6] -0.1 35 no worse by more than 0.1"
    )
    assert ran.stderr.decode().splitlines()[-1] == f"{verdict}: {HEADLINE}"


@pytest.mark.parametrize("pins", [("broken", "espeak-v2"), ("espeak-v1", "broken")])
def test_what_cannot_be_judged_is_never_a_verdict(run: Run, pins: tuple[str, str]) -> None:
    assert run("gate", *pins, "--suite", "golden").returncode == 76


def test_what_is_not_comparable_is_never_a_verdict(run: Run, gateway: StudyGateway) -> None:
    gateway.not_comparable = "the suites differ"
    assert run(*GATE).returncode == 65


def test_rules_are_sent_as_their_file(run: Run, gateway: StudyGateway, tmp_path: Path) -> None:
    (tmp_path / "gate.toml").write_text("schema = 1\n")
    run(*GATE, "--rules", str(tmp_path / "gate.toml"))
    run(*GATE)
    assert [one.get("rules") for one in gateway.sent("gates")] == [{"notation": "toml", "text": "schema = 1\n"}, None]


def test_the_faults_of_rules_are_told_by_file_and_line_before_anybody_waits(
    run: Run, gateway: StudyGateway, tmp_path: Path
) -> None:
    rules = tmp_path / "gate.toml"
    rules.write_text("schema = 2\n")
    errors = [
        {"pointer": "/rules/text", "detail": "line 1: schema must be 1 (found 2)"},
        {"pointer": "/rules/text", "detail": "/: rule is missing"},
    ]
    gateway.refuse["gates"] = problem(400, "invalid_request", "the rules are wrong", errors=errors)
    ran = run(*GATE, "--rules", str(rules))
    assert (ran.returncode, ran.stdout) == (65, b"")
    assert ran.stderr.decode().splitlines()[-2:] == [
        f"{rules}:1: schema must be 1 (found 2)",
        f"{rules}: /: rule is missing",
    ]
    assert {seen.path for seen in gateway.seen if seen.method == "GET"} <= {"/v1/pins"}


def test_rules_that_are_not_there_let_nothing_be_spoken(run: Run, gateway: StudyGateway, tmp_path: Path) -> None:
    ran = run(*GATE, "--rules", str(tmp_path / "gate.toml"))
    assert (ran.returncode, gateway.seen) == (66, [])
    assert str(tmp_path / "gate.toml") in ran.stderr.decode()


def test_the_rules_that_ship_are_printed(run: Run) -> None:
    ran = run("gate", "--print-rules")
    assert (ran.returncode, ran.stdout.decode()) == (0, RULES)


def test_files_are_written_whatever_the_verdict(run: Run, gateway: StudyGateway, tmp_path: Path) -> None:
    gateway.verdict = "fail"
    files = {name: tmp_path / name for name in FILES}
    options = {"--junit": "junit.xml", "--markdown": "summary.md", "--report": "report.html"}
    args = [part for option, name in options.items() for part in (option, str(files[name]))]
    assert run(*GATE, *args).returncode == 1
    assert {name: file.read_bytes() for name, file in files.items()} == FILES


def test_the_summary_is_added_to_the_steps_own(run: Run, tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    summary.write_bytes(b"# Before\n")
    run(*GATE, GITHUB_STEP_SUMMARY=str(summary))
    assert summary.read_bytes() == b"# Before\n" + FILES["summary.md"]


def test_the_gate_is_printed_as_json(run: Run, gateway: StudyGateway) -> None:
    gateway.verdict = "inconclusive"
    ran = run(*GATE, "--json")
    assert (ran.returncode, json.loads(ran.stdout)["verdict"]) == (2, "inconclusive")


@pytest.mark.parametrize(("verdict", "runs"), [("pass", False), ("fail", True), ("inconclusive", False)])
def test_a_command_is_run_on_a_fail(run: Run, gateway: StudyGateway, tmp_path: Path, verdict: str, runs: bool) -> None:
    gateway.verdict = verdict
    script = tmp_path / "alarm.py"
    script.write_text("import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())")
    code = run(*GATE, "--on-fail", f"{sys.executable} {script} '{tmp_path / 'rung'}'").returncode
    assert code == {"pass": 0, "fail": 1, "inconclusive": 2}[verdict]
    assert (tmp_path / "rung").exists() is runs
    if runs:
        assert json.loads((tmp_path / "rung").read_text())["verdict"] == "fail"


def test_what_a_command_prints_is_not_in_the_gates_json(run: Run, gateway: StudyGateway) -> None:
    gateway.verdict = "fail"
    ran = run(*GATE, "--json", "--on-fail", f"{sys.executable} -c 'print(\"rung\")'")
    assert json.loads(ran.stdout)["verdict"] == "fail"
    assert "rung" in ran.stderr.decode()


@pytest.mark.parametrize("command", ["/no/such/command", "'", f"{sys.executable} -c 'raise SystemExit(7)'"])
def test_a_command_that_does_not_do_changes_no_verdict(run: Run, gateway: StudyGateway, command: str) -> None:
    gateway.verdict = "fail"
    ran = run(*GATE, "--on-fail", command)
    assert ran.returncode == 1
    assert "--on-fail: " in ran.stderr.decode()


@pytest.mark.parametrize(("verdict", "told"), [("pass", 0), ("fail", 1), ("inconclusive", 1)])
def test_a_webhook_is_told_of_what_is_no_pass(
    run: Run, gateway: StudyGateway, receiver: Receiver, verdict: str, told: int
) -> None:
    gateway.verdict = verdict
    run(*GATE, "--webhook", receiver.url, RINGTRUE_WEBHOOK_SECRET=SECRET)
    assert len(receiver.came) == told
    for headers, body in receiver.came:
        event = json.loads(body)
        assert (event["type"], event["data"]["verdict"], event["data"]["headline"]) == (
            "gate.decided", verdict, f"{verdict}: {HEADLINE}",
        )  # fmt: skip
        sent = headers["webhook-id"], int(headers["webhook-timestamp"])
        assert headers["webhook-signature"] == signature(secret_from(SECRET), *sent, body)


def test_without_a_secret_nothing_is_signed(run: Run, gateway: StudyGateway, receiver: Receiver) -> None:
    gateway.verdict = "fail"
    run(*GATE, "--webhook", receiver.url)
    assert "webhook-signature" not in receiver.came[0][0]


def test_a_webhook_that_fails_is_told_once_more_by_the_same_id(
    run: Run, gateway: StudyGateway, receiver: Receiver
) -> None:
    gateway.verdict = "fail"
    receiver.answers = [500, 302]
    ran = run(*GATE, "--webhook", receiver.url.replace("//", "//user:word@"))
    assert ran.returncode == 1
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == 1
    assert len(receiver.came) == 2
    assert [line for line in ran.stderr.decode().splitlines() if line.startswith("--webhook")] == [
        f"--webhook: {receiver.place}: 500",
        f"--webhook: {receiver.place}: 302",
    ]
    assert "word" not in ran.stderr.decode(), "who may read a log may not tell the webhook"


def test_a_webhook_that_is_gone_is_left_alone(run: Run, gateway: StudyGateway, receiver: Receiver) -> None:
    gateway.verdict = "fail"
    receiver.answers = [410]
    assert run(*GATE, "--webhook", receiver.url).returncode == 1
    assert len(receiver.came) == 1


@pytest.mark.parametrize("secret", ["abc", "whsec_", "whsec_!!!", "whsec_c2hvcnQ="])
def test_a_secret_that_is_none_is_told_before_anything_is_spoken(
    run: Run, gateway: StudyGateway, receiver: Receiver, secret: str
) -> None:
    assert run(*GATE, "--webhook", receiver.url, RINGTRUE_WEBHOOK_SECRET=secret).returncode == 64
    assert gateway.seen == []


@pytest.mark.parametrize("url", ["example.org/hook", "ftp://example.org/hook", "https:///hook", "http://[::1"])
def test_a_webhook_that_is_none_is_told_before_anything_is_spoken(run: Run, gateway: StudyGateway, url: str) -> None:
    assert run(*GATE, "--webhook", url).returncode == 64
    assert gateway.seen == []


def test_signatures_are_those_of_the_standard() -> None:
    # https://github.com/standard-webhooks/standard-webhooks, the test vector of its libraries
    signed = signature(secret_from(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_says_when_in_utc() -> None:
    message = Message("msg_1", "gate.decided", 1614265330, {})
    assert json.loads(message.body)["timestamp"] == "2021-02-25T15:02:10Z"
