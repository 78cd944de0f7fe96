"""Strangers at the socket, without a key: what they send is bounded in size, number and time, and others are served.

Real processes and sockets. Times are bounds to be met within, with room; sizes are of the server's memory.
"""

from __future__ import annotations

import json
import os
import re
import resource
import socket
import threading
import time
from collections.abc import Iterator

import psutil  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.server.limits import ConnectionLimits
from services.gateway.server.protocol import PIECE
from tests.gateway.place import SENTENCE
from tests.gateway.served import Server, read_all, served, status_of

HOST = b"Host: 127.0.0.1\r\n"
JSON = HOST + b"Content-Type: application/json\r\n"
GET = b"GET /healthz HTTP/1.1\r\n" + HOST
POST = b"POST /v1/jobs:batch HTTP/1.1\r\n" + JSON
CLOSE = b"Connection: close\r\n\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "headers": (GET, b"name: " + b"v" * 1000 + b"\r\n", 431),
    "headers of nothing": (GET, b"a:\r\n" * 250, 431),
    "one header": (GET + b"X: ", b"v" * 1000, 431),
    "the name of a header": (GET, b"n" * 1000, 431),
    "an address": (b"GET /", b"a" * 1000, 414),
    "a query": (b"GET /v1/jobs?", b"metadata.a=1&" * 80, 414),
    "a method": (b"", b"G" * 1000, 400),
    "empty lines": (b"", b"\r\n" * 500, 431),
    "extensions of a chunk": (CHUNKED + b"1;", b"e" * 1000, 400),
    "chunks of a byte": (CHUNKED, b"1\r\nx\r\n" * 200, 400),
    "the size of a chunk": (CHUNKED, b"0" * 1000, 400),
    "trailers": (CHUNKED + b"0\r\n", b"name: v\r\n" * 100, 431),
    "one trailer": (CHUNKED + b"0\r\nX: ", b"v" * 1000, 400),
    "random bytes": (b"\x16\x03\x01\x02\x00", b"\x00" * 1000, 400),
}
"""What goes on for ever: how it begins, what is repeated, how it is answered."""
MEMORY_MB = 20.0
SENT = 40 << 20
"""Bytes of each that are sent at most: a server that takes them has no bound that these tests would meet."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Quick to give up."""
    with served(head_s=3, body_s=3, idle_s=3, unread_s=3, body_bytes_per_s=1 << 20) as server:
        yield server


@pytest.mark.parametrize("what", ENDLESS)
def test_what_has_no_end_is_refused_and_takes_no_memory(server: Server, what: str) -> None:
    begin, more, status = ENDLESS[what]
    before, sent = server.memory_mb, 0
    with server.connect(begin) as connection:
        try:
            while sent < SENT:
                connection.sendall(more * 20)
                sent += len(more) * 20
        except OSError:
            pass
        assert sent < SENT
        assert status_of(read_all(connection)) in (status, 0)  # 0: it had gone on for so long that it was cut off
    assert server.memory_mb - before < MEMORY_MB
    assert server.healthy_s() < 10


@pytest.mark.parametrize("what", ENDLESS)
def test_what_is_too_long_by_little_is_told_so(server: Server, what: str) -> None:
    begin, more, status = ENDLESS[what]
    answer = server.ask(begin + more * (150_000 // len(more)))
    assert status_of(answer) == status
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["detail"]


SMUGGLED = {
    "two lengths": b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n",
    "one length twice": b"Content-Length: 4\r\nContent-Length: 4\r\n\r\n",
    "a list of lengths": b"Content-Length: 4, 4\r\n\r\n",
    "length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
    "chunks twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "chunks that are none": b"Transfer-Encoding: xchunked\r\n\r\n",
    "chunks of something": b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "chunks, then not": b"Transfer-Encoding: chunked, identity\r\n\r\n",
    "chunks with a stray byte": b"Transfer-Encoding: \x0bchunked\r\n\r\n",
    "a length below zero": b"Content-Length: -4\r\n\r\n",
    "a length with a sign": b"Content-Length: +4\r\n\r\n",
    "a length beyond numbers": b"Content-Length: 99999999999999999999999\r\n\r\n",
    "a space before the colon": b"Content-Length : 4\r\n\r\n",
    "a folded line": b"X: a\r\n b\r\nContent-Length: 4\r\n\r\n",
    "a bare line feed": b"X: a\nContent-Length: 4\r\n\r\n",
    "a bare return": b"X: a\rContent-Length: 4\r\n\r\n",
    "a zero byte": b"X: a\0b\r\nContent-Length: 4\r\n\r\n",
    "two hosts": b"Host: evil.example\r\nContent-Length: 4\r\n\r\n",
    "another protocol and a body": b"Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 4\r\n\r\n",
}


@pytest.mark.parametrize("what", SMUGGLED)
def test_what_two_readers_could_read_as_two_things_is_no_request(server: Server, what: str) -> None:
    answer = server.ask(b"POST /v1/jobs HTTP/1.1\r\n" + JSON + SMUGGLED[what] + b"0\r\n\r\n" + GET + CLOSE)
    assert status_of(answer) == 400
    assert len(re.findall(rb"HTTP/1\.1 \d\d\d ", answer)) == 1
    assert b"connection: close" in answer


@pytest.mark.parametrize("begin", [b"GET /healthz HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /healthz HTTP/2.0\r\n" + HOST + b"\r\n", b"POST /v1/jobs HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)])  # fmt: skip  # noqa: E501
def test_other_protocols_and_no_host_are_refused(server: Server, begin: bytes) -> None:
    assert status_of(server.ask(begin)) == 400


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c", b"TLS/1.0"])
def test_an_upgrade_is_not_taken_and_what_follows_it_is_not_read(server: Server, upgrade: bytes) -> None:
    asked = GET + b"Upgrade: " + upgrade + b"\r\nConnection: Upgrade\r\n\r\n"
    answer = server.ask(asked + GET + CLOSE)
    assert (status_of(answer), answer.count(b"HTTP/1.1 ")) == (200, 1)


def test_requests_ahead_of_their_answers_are_answered_in_order_up_to_a_number(server: Server) -> None:
    few = server.ask((GET + b"\r\n") * 20 + GET + CLOSE)
    assert few.count(b"HTTP/1.1 200") == 21
    before = server.memory_mb
    many = server.ask((GET + b"\r\n") * 50_000)
    assert 0 < many.count(b"HTTP/1.1 200") < 50_000
    assert many.count(b"HTTP/1.1 ") == many.count(b"HTTP/1.1 200")
    assert server.memory_mb - before < MEMORY_MB


@pytest.mark.parametrize("shared", [1, 200, PIECE - 200])
def test_a_head_that_begins_in_the_piece_of_the_request_before_is_counted_whole(server: Server, shared: int) -> None:
    """``shared``: bytes of the second head in the piece of 32 KiB that holds the end of the first request."""
    first = padded(PIECE - shared, b"\r\n")
    for over, answers in ((0, 2), (1, 1)):
        answer = server.ask(first + of_counted_bytes(ConnectionLimits().head_bytes + over))
        assert answer.count(b"HTTP/1.1 200") == answers


def padded(length: int, end: bytes) -> bytes:
    """Return a request for /healthz of ``length`` bytes."""
    begin = GET + b"X: "
    return begin + b"v" * (length - len(begin) - len(end) - 2) + b"\r\n" + end


def of_counted_bytes(counted: int) -> bytes:
    """Return a request of whose head ``counted`` bytes count: the address, the headers, and no first line."""
    uncounted = len(b"GET  HTTP/1.1\r\n\r\n")
    return padded(counted + uncounted, CLOSE)


def test_what_is_wrong_after_a_request_does_not_answer_it(server: Server) -> None:
    answer = server.ask(GET + b"\r\nGARBAGE\r\n\r\n")
    assert (status_of(answer), answer.count(b"HTTP/1.1 ")) == (200, 1)


def test_a_client_that_expects_to_be_told_is_told_before_it_sends(server: Server) -> None:
    expecting = JSON + b"Expect: 100-continue\r\nContent-Length: %d\r\n"
    body = json.dumps(SENTENCE).encode()
    with server.connect(b"POST /v1/jobs HTTP/1.1\r\n" + expecting % len(body) + CLOSE) as connection:
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert status_of(read_all(connection)) == 202
    foreign = b"Origin: https://evil.example\r\n"
    with server.connect(b"POST /v1/jobs HTTP/1.1\r\n" + foreign + expecting % len(body) + b"\r\n") as connection:
        assert status_of(connection.recv(4096)) == 403


SLOW = {
    "nothing": (b"", b"", 0),
    "headers, byte by byte": (GET, b"a", 408),
    "a body, byte by byte": (POST + b"Content-Length: 60000\r\n\r\n", b" ", 408),
    "half a body": (POST + b"Content-Length: 60000\r\n\r\n" + b" " * 30000, b"", 408),
    "nothing after an answer": (GET + b"\r\n", b"", 200),
    "empty lines after an answer": (GET + b"\r\n", b"\r\n", 200),
    "a body that nobody reads": (b"POST /healthz HTTP/1.1\r\n" + JSON + b"Content-Length: 999999\r\n\r\n", b" ", 405),
}
"""How it begins, what is added now and then, how the first answer begins."""


@pytest.mark.parametrize("what", SLOW)
def test_who_is_too_slow_is_given_up(server: Server, what: str) -> None:
    begin, more, status = SLOW[what]
    began = time.monotonic()
    with server.connect(begin, timeout_s=60) as connection:
        over = threading.Event()
        dripping = threading.Thread(target=drip, args=(connection, more, over))
        dripping.start()
        answer = read_all(connection)
        over.set()
        dripping.join()
    assert status_of(answer) == status
    assert time.monotonic() - began < 40


def drip(connection: socket.socket, more: bytes, over: threading.Event) -> None:
    try:
        while not over.wait(0.2):
            connection.sendall(more)
    except OSError:
        return


def test_who_keeps_the_rate_is_waited_for() -> None:
    body = json.dumps({"jobs": [SENTENCE]}).encode() + b" " * 60_000
    sent = POST + b"Content-Length: %d\r\n" % len(body) + CLOSE
    with served(body_s=1, body_bytes_per_s=4000) as server, server.connect(sent, timeout_s=60) as connection:
        for start in range(0, len(body), 10_000):
            connection.sendall(body[start : start + 10_000])
            time.sleep(0.5)
        assert status_of(read_all(connection)) == 202


def test_who_does_not_read_is_given_up() -> None:
    with served(answer_s=2) as server:
        asked = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\n" + HOST + b"\r\n"
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.settimeout(60)
        connection.sendall(asked * 10)  # 17 MB: more than the system keeps for a reader
        assert server.said("client did not read the answer")
        assert server.connections == 0
        assert not any("Traceback" in line for line in server.log)
        connection.close()


def test_a_body_of_many_is_in_files_and_not_in_memory(server: Server) -> None:
    connections = [server.connect(POST + b"Content-Length: %d\r\n\r\n" % (64 << 20)) for _ in range(6)]
    before = server.memory_mb
    senders = [threading.Thread(target=one.sendall, args=(b" " * (60 << 20),)) for one in connections]
    for sender in senders:
        sender.start()
    worst = max(server.healthy_s() for _ in range(20))
    for sender in senders:
        sender.join()
    assert server.memory_mb - before < 100
    assert worst < 10
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("begin", [b"", GET, POST + b"Content-Length: 10000000\r\n\r\n", GET + b"\r\n"])
def test_who_opens_all_connections_locks_nobody_out(begin: bytes) -> None:
    with served(files=256) as server:
        before = server.memory_mb
        opened = [server.connect(begin) for _ in range(400)]
        assert [server.healthy_s() < 10 for _ in range(10)] == [True] * 10
        assert server.connections < 256 / 2
        assert server.memory_mb - before < 2 * MEMORY_MB
        assert server.process.poll() is None
        assert server.said("closed to make room")
        assert len(server.log) < 10
        for one in opened:
            one.close()


def test_more_files_may_be_open_than_the_shell_said_at_first() -> None:
    with served(files=256, at_first=True, connections=300) as server:
        with open(f"/proc/{server.process.pid}/limits") as limits:
            _, soft, hard = next(line for line in limits if line.startswith("Max open files")).rsplit(None, 3)[:3]
        assert soft == hard


def test_without_a_free_file_it_says_so_once_and_goes_on_when_there_is_one() -> None:
    """Whatever has taken the files: what it may open is lowered to what it has open."""
    with served() as server:
        pid = server.process.pid
        most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")), most[1]))
        waiting = [server.connect() for _ in range(20)]
        assert server.said("cannot accept connections until others are closed")
        spent = sum(psutil.Process(pid).cpu_times()[:2])
        time.sleep(2)
        assert sum(psutil.Process(pid).cpu_times()[:2]) - spent < 1  # it waits, and does not try all the time
        resource.prlimit(pid, resource.RLIMIT_NOFILE, most)
        assert server.healthy_s() < 10
        assert sum("cannot accept" in line for line in server.log) == 1
        for one in waiting:
            one.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(
        st.one_of(
            st.sampled_from([GET, POST, CHUNKED, CLOSE, b"\r\n", b"Content-Length: 3\r\n", b"Upgrade: x\r\n",
                             b"0\r\n\r\n", b"Transfer-Encoding: chunked\r\n",
                             b"Connection: Upgrade\r\n", b"Expect: 100-continue\r\n",
                             b"3\r\n{} \r\n", b"Host: x\r\n", b"\n", b"\x00", b"HEAD / HTTP/1.0\r\n\r\n"]),
            st.binary(max_size=30),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_whatever_is_sent_it_answers_with_no_fault_of_its_own(server: Server, pieces: list[bytes]) -> None:
    with server.connect(b"".join(pieces)) as connection:
        connection.shutdown(socket.SHUT_WR)
        answer = read_all(connection)
    assert b"HTTP/1.1 5" not in answer
    assert not any("Traceback" in line or "Exception" in line for line in server.log)
