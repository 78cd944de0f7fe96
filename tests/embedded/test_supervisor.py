"""The supervisor over one-line scripts: order, restarts, a clean end."""

from __future__ import annotations

import re
import signal
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from services.embedded.processes.child import answers_http
from tests.embedded.stack_process import StartStack, eventually, gone, kill

SERVES = "import time; print('ready'); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(600)"
SHORT_LIVED = "import time; print('ready'); time.sleep(0.3)"


def writes_its_end(name: str, book: Path) -> str:
    return (
        "import signal, sys, time\n"
        f"def end(*_): open({str(book)!r}, 'a').write('{name} '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('ready'); time.sleep(600)"
    )


def test_starts_in_order_and_stops_in_reverse(start: StartStack, tmp_path: Path) -> None:
    book = tmp_path / "ends"
    stack = start(**{name: writes_its_end(name, book) for name in ("store", "gateway", "worker")}).until_ready()
    assert stack.stop(signal.SIGINT) == 0
    assert re.findall(r"starting (\w+)", stack.words) == ["store", "gateway", "worker"]
    assert book.read_text().split() == ["worker", "gateway", "store"]
    assert not (stack.folder / "stack.json").exists()


def test_a_child_waits_until_the_one_before_is_ready(start: StartStack) -> None:
    slow = "import time; time.sleep(0.7); print('ready'); time.sleep(600)"
    stack = start(store=slow, gateway=SERVES)
    eventually(lambda: "starting store" in stack.words)
    time.sleep(0.3)
    assert "starting gateway" not in stack.words
    stack.until_ready()


def test_a_child_that_is_killed_comes_back_under_a_new_pid(start: StartStack) -> None:
    stack = start(worker=SERVES).until_ready()
    before = stack.pid_of("worker")
    kill(before)
    stack.until_said("worker is back")
    assert "worker died of SIGKILL; starting it again in 0.1 s" in stack.words
    assert stack.pid_of("worker") != before


def test_a_child_that_keeps_dying_is_started_again_ever_more_slowly(start: StartStack) -> None:
    stack = start(worker=SHORT_LIVED)
    eventually(lambda: len(re.findall("starting it again", stack.words)) >= 4)
    assert re.findall(r"starting it again in ([\d.]+) s", stack.words)[:4] == ["0.1", "0.2", "0.4", "0.4"]


def test_the_death_of_one_child_leaves_the_others_alone(start: StartStack) -> None:
    stack = start(store=SERVES, worker=SERVES).until_ready()
    store, worker = stack.pid_of("store"), stack.pid_of("worker")
    kill(store)
    stack.until_said("store is back")
    assert stack.pid_of("worker") == worker


def test_a_child_that_fails_at_the_start_ends_the_stack_with_its_code_and_words(start: StartStack) -> None:
    stack = start(store=SERVES, gateway="import sys; print('no keys were made yet', file=sys.stderr); sys.exit(78)")
    assert stack.process.wait(30) == 78
    assert "gateway ended with exit code 78: no keys were made yet" in stack.words
    assert "stopping store" in stack.words


def test_a_child_that_crashes_at_the_start_does_not_lend_its_code(start: StartStack) -> None:
    assert start(gateway="raise SystemExit(1)").process.wait(30) == 69


def test_a_child_that_ignores_the_request_to_stop_is_killed_with_what_it_started(
    start: StartStack, tmp_path: Path
) -> None:
    grandchild = tmp_path / "grandchild"
    script = (
        "import subprocess, sys\n"
        f"p = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}])\n"
        f"open({str(grandchild)!r}, 'w').write(str(p.pid))\n" + STUBBORN
    )
    stack = start(worker=script).until_ready()
    assert stack.stop() == 0
    assert "killing worker" in stack.words
    eventually(lambda: gone(int(grandchild.read_text())))


def test_a_child_that_others_can_do_without_never_ends_the_stack(start: StartStack) -> None:
    """It dies again and again before it was ever ready; the others are started, and stay as they were."""
    stack = start(store=SERVES, **{"extra-a": "raise SystemExit(78)", "extra-b": "import time; time.sleep(0.2)"})
    stack.until_ready()
    store = stack.pid_of("store")
    for name in ("extra-a", "extra-b"):
        stack.until_said(f"{name} is not ready yet")
        eventually(lambda name=name: len(re.findall(f"{name} ended .* starting it again", stack.words)) >= 3)
    assert stack.pid_of("store") == store
    assert stack.stop() == 0


def test_a_child_that_is_slow_gets_ever_more_time_and_the_others_go_on(start: StartStack, tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    slow_twice = (
        "import os, time\n"
        f"fd = os.open({str(tries)!r}, os.O_CREAT | os.O_APPEND | os.O_RDWR); os.write(fd, b'x')\n"
        f"time.sleep(600 if os.stat({str(tries)!r}).st_size < 3 else 0); print('ready'); time.sleep(600)"
    )
    stack = start("--hasty", store=SERVES, **{"extra-slow": slow_twice}).until_ready()
    stack.until_said("extra-slow is back")
    given = re.findall(r"was not ready within ([\d.]+) s and gets ([\d.]+) s next time", stack.words)
    assert given == [("1", "2"), ("2", "4")]
    assert len(re.findall("starting store", stack.words)) == 1


def test_a_vital_child_that_is_slow_does_not_end_the_stack_either(start: StartStack, tmp_path: Path) -> None:
    once = (
        "import os, time\n"
        f"fd = os.open({str(tmp_path / 'tries')!r}, os.O_CREAT | os.O_APPEND | os.O_RDWR); os.write(fd, b'x')\n"
        f"time.sleep(600 if os.fstat(fd).st_size < 2 else 0); print('ready'); time.sleep(600)"
    )
    start("--hasty", gateway=once).until_ready()


def test_a_child_that_would_lose_its_work_is_waited_for_and_that_is_said(start: StartStack, tmp_path: Path) -> None:
    may_be_ready = tmp_path / "may be ready"
    late = (
        "import os, time\n"
        f"while not os.path.exists({str(may_be_ready)!r}): time.sleep(0.05)\n"
        "print('ready'); time.sleep(600)"
    )
    stack = start("--hasty", **{"store": SERVES, "extra-with-patience": late})
    stack.until_said("extra-with-patience is not ready after 2 s; it keeps starting, parts that need it wait")
    pid = stack.pid_of("extra-with-patience")
    may_be_ready.touch()
    stack.until_ready()
    assert "starting it again" not in stack.words
    assert stack.pid_of("extra-with-patience") == pid


def test_a_child_that_does_one_thing_is_started_once_and_all_its_lines_are_shown(start: StartStack) -> None:
    stack = start(**{"extra-once": "print('341 MB\\n  of it 63 MB CC0')", "store": SERVES}).until_ready()
    stack.until_said("extra-once is done")
    assert "extra-once | 341 MB" in stack.words
    assert "extra-once |   of it 63 MB CC0" in stack.words
    kill(stack.pid_of("store"))
    stack.until_said("store is back")
    assert len(re.findall("starting extra-once", stack.words)) == 1
    assert stack.stop() == 0


def test_a_child_that_fails_at_its_one_thing_is_told_in_one_line_and_the_others_run(start: StartStack) -> None:
    fails = "import sys; print('the registry does not answer'); sys.exit(76)"
    stack = start(**{"extra-once": fails, "store": SERVES}).until_ready()
    stack.until_said("extra-once ended with exit code 76: the registry does not answer; the rest runs without it")
    assert "starting it again" not in stack.words
    assert stack.stop() == 0


def test_a_child_that_has_not_done_its_one_thing_is_stopped_with_the_stack(start: StartStack) -> None:
    stack = start(**{"extra-once": "import time; print('begun'); time.sleep(600)", "store": SERVES})
    stack.until_said("extra-once | begun")
    pid = stack.pid_of("extra-once")
    assert stack.stop() == 0
    assert gone(pid)


class Slow(BaseHTTPRequestHandler):
    """Answers when it is let; counts who has asked."""

    may_answer = threading.Event()
    asked = 0

    def do_GET(self) -> None:
        Slow.asked += 1
        assert self.may_answer.wait(30)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


def test_an_answer_that_takes_long_is_waited_for_and_holds_nobody_up() -> None:
    """A gateway looks for seconds at what it needs, and meanwhile the other children are attended to."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ready = answers_http("127.0.0.1", server.server_port, "/readyz")
        for _ in range(30):  # longer than one try of a second
            assert not ready(())
            time.sleep(0.05)
        assert Slow.asked == 1
        Slow.may_answer.set()
        eventually(lambda: ready(()))
        server.shutdown()


def test_where_nobody_listens_it_is_tried_again() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        ready = answers_http("127.0.0.1", bound.getsockname()[1], "/readyz")
        for _ in range(5):
            assert not ready(())
            time.sleep(0.01)


def test_a_second_ctrl_c_hurries(start: StartStack) -> None:
    stack = start("--slow", worker=STUBBORN).until_ready()
    stack.process.send_signal(signal.SIGINT)
    stack.until_said("stopping worker")
    assert stack.stop(signal.SIGINT, within_s=10) == 0


def test_the_view_shows_problems_and_keeps_the_rest_in_the_log(start: StartStack) -> None:
    script = "print('GET /healthz 200'); print('ERROR the store is away\\n  for 3 s\\nGET / 200');" + SERVES
    stack = start(gateway=script).until_ready()
    stack.until_said("gateway  |   for 3 s")
    assert "gateway  | ERROR the store is away" in stack.words
    assert "GET" not in stack.words
    assert "GET /healthz 200" in (stack.folder / "logs" / "gateway.log").read_text()


def test_verbose_shows_all(start: StartStack) -> None:
    start("--verbose", gateway=f"print('GET /healthz 200'); {SERVES}").until_said("gateway  | GET /healthz 200")


def test_a_log_that_has_grown_is_turned_over_at_the_start(start: StartStack, tmp_path: Path) -> None:
    logs = tmp_path / "data" / "logs"
    logs.mkdir(parents=True)
    (logs / "worker.log").write_bytes(b"x" * (9 << 20))
    start(worker=SERVES).until_ready()
    assert (logs / "worker.log.1").stat().st_size == 9 << 20
    assert (logs / "worker.log").read_text() == "ready\n"
