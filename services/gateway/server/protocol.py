"""One connection: uvicorn's HTTP/1.1, which refuses what is too large, too many or too slow before the application
runs.

Owns what is counted on a connection and when its client is given up. `connections.py` owns how many connections there
may be. The application knows what a request means.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from services.gateway.http.local_users import with_owner
from services.gateway.server.connections import Connections, peer_of
from services.gateway.server.head import Head, malformed, too_many, too_slow
from services.gateway.server.limits import CHUNK_OVERHEAD
from services.gateway.server.refusals import answer_bytes
from shared.errors import Refused

LATE_S = 3.0
"""Seconds between two checks of all connections, which are made every second. Longer: this process was busy or
stopped."""
PIECE = 32 << 10
"""Bytes that are parsed at a time before they are counted again."""


class Turn(Enum):
    """What a connection waits for."""

    HEAD = "the client sends a request, or nothing"
    BODY = "the client sends a body"
    UNREAD = "the client sends the rest of a body that nobody reads any more"
    ANSWER = "we answer"
    LAST = "the client reads the last answer; what it sends is thrown away"


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits. Also implements `connections.Connection`."""

    cycle: Any

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        connections: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all = connections
        self._limits = connections.limits
        self._head = Head(connections.limits)
        self._turn = Turn.HEAD
        self._since = connections.now
        self._progress = 0
        self.waits_since: float | None = connections.now
        self._begun = self._seen = 0
        self._raw = self._fed = self._content = self._thrown_away = 0
        self._deaf = self._in_body = False
        self._running: Any = None
        self._stalled: tuple[float, int] | None = None
        self.peer = ""

    # A connection, and bytes on it

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = with_owner(self.app_state, transport)
        self.peer = peer_of(self.client)
        if not self._all.add(self):
            self._refuse(too_many(self._limits.of_one_peer), "refused: too many connections")

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.remove(self)
        super().connection_lost(exc)
        for cycle in (self._running, *(waiting for waiting, _ in self.pipeline)):
            if cycle is not None:  # uvicorn tells only the last of several requests on a connection
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if len(data) <= PIECE and not self._deaf:
            self._parse(data)
        else:
            view = memoryview(data)
            for start in range(0, len(data), PIECE):
                if self._deaf or self.transport.is_closing():
                    self._throw_away(len(data) - start)
                    return
                self._parse(view[start : start + PIECE])
        self._take_turn()

    def _parse(self, piece: bytes | memoryview) -> None:
        begun = self._begun
        self._fed = self._raw + len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            # The upgrade is declined, as a server may do. What follows is of no protocol that we know.
            self._end_after_this_answer()
            return
        except httptools.HttpParserError as error:
            why = error.__context__
            if not isinstance(why, Refused):
                why = malformed("the address cannot be parsed" if why else str(error))
            self._refuse(why, "invalid or too large request")
            return
        if begun == self._begun:  # otherwise it is unknown how many bytes of the piece belong to the request before
            self._raw += len(piece)
            self._count_parsed()

    def _count_parsed(self) -> None:
        """Check a request that came in several pieces by the bytes that have arrived."""
        try:
            if self._head.open:
                self._head.check_url(self.url)
            elif self._in_body and self.headers:
                self._take_trailers()
            around = self._raw - self._content - (self._head.taken if self._in_body else 0)
            if not self._in_body and around > self._limits.head_bytes + PIECE:
                raise self._head.too_large()
            if self._in_body and around > CHUNK_OVERHEAD + self._content // 4:
                raise malformed("the chunks are too small: they have more framing than content")
        except Refused as refused:
            self._refuse(refused, "invalid or too large request")

    def _take_trailers(self) -> None:
        """Count the trailers and drop them: no route reads them."""
        trailers, self.headers = self.headers, []
        self._head.add_trailers(trailers)

    # What the parser finds

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= self._limits.pipelined:
            raise malformed(f"at most {self._limits.pipelined} requests may be sent before their answers")
        super().on_message_begin()
        self._begun += 1
        self._raw = self._content = 0
        self._head.begin()

    def on_headers_complete(self) -> None:
        parser = self.parser
        # Its first bytes may have come in the piece in which the request before ended: those are in no count.
        most = self._fed + PIECE
        self._head.end(self.url, self.headers, most, parser.get_http_version(), upgrade=parser.should_upgrade())
        self._in_body = True
        super().on_headers_complete()
        self.headers = []  # room for trailers: the request keeps the list from before

    def on_body(self, body: bytes) -> None:
        self._content += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.headers:
            self._take_trailers()
        self._in_body = False
        self._raw = self._content = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._take_turn()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _should_upgrade(self) -> bool:
        return False

    # Whose turn it is, and how long it may take

    def _take_turn(self) -> None:
        """Work out whose turn it is. Call it after anything that may have changed that."""
        if self._turn is Turn.LAST:
            return
        answering = bool(self.pipeline) or (self.cycle is not None and not self.cycle.response_complete)
        if self._in_body and not self.pipeline:
            turn = Turn.BODY if answering else Turn.UNREAD
        else:
            turn = Turn.ANSWER if answering else Turn.HEAD
        if turn is not self._turn or self._begun != self._seen:
            self._turn, self._seen, self._progress = turn, self._begun, 0
            self._since = self._all.now
            self.waits_since = None if turn is Turn.ANSWER else self._since
        elif turn is Turn.BODY and self._content >> 16 != self._progress:
            self._progress = self._content >> 16
            self.waits_since = self._all.now

    def check(self, now: float, passed_s: float) -> None:
        """Give the client up if it was too slow. ``passed_s``: seconds since the last call."""
        if passed_s > LATE_S or (self.flow.read_paused and self._turn in (Turn.BODY, Turn.UNREAD)):
            self._since += passed_s  # we did not read, so the client is not to blame
        if now - self._since > self._allowed_s():
            self._give_up()
        elif self.flow.write_paused:
            self._check_reader(now)
        else:
            self._stalled = None

    def give_way(self) -> None:
        self._give_up()
        if not self.transport.is_closing():
            # The place belongs to another connection now: the last answer is still sent, but nothing is waited for.
            self.transport.close()

    def _allowed_s(self) -> float:
        limits = self._limits
        match self._turn:
            case Turn.HEAD:
                return limits.head_s if self._head.open or self._begun == 0 else limits.idle_s
            case Turn.BODY:
                return min(limits.body_most_s, limits.body_s + self._content / limits.body_bytes_per_s)
            case Turn.UNREAD:
                return limits.unread_s if self._content <= limits.unread_bytes else 0.0
            case Turn.LAST:
                return limits.last_s
        return float("inf")

    def _check_reader(self, now: float) -> None:
        left = self.transport.get_write_buffer_size()
        if self._stalled is None or left > self._stalled[1]:
            self._stalled = (now, left)
        elif now - self._stalled[0] > self._limits.answer_s:
            if self._stalled[1] - left < self._limits.answer_bytes:
                self._all.ended("client did not read the answer")
                self.transport.abort()
            self._stalled = (now, left)

    def _give_up(self) -> None:
        if self._turn is Turn.BODY or (self._turn is Turn.HEAD and self._head.open):
            self._refuse(too_slow(self._limits), "client too slow")
        elif self._turn is Turn.HEAD:
            self.transport.close()
        else:
            self.transport.abort()

    # The end

    def _refuse(self, refused: Refused, why: str) -> None:
        """Answer with a refusal and end the connection. Answer only if the client cannot take it for another
        request's."""
        self._all.ended(why)
        cycle = self.cycle if self.cycle is not None and not self.cycle.response_complete else None
        if cycle is not None and not self._in_body:
            self._end_after_this_answer()  # the fault came after this request
            return
        if cycle is not None:
            if self.pipeline or cycle.response_started:
                self.transport.abort()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        self.flow.resume_reading()
        self.transport.write(answer_bytes(refused, self.server_state.default_headers))
        if self.transport.can_write_eof():
            # If the socket were closed while bytes come in, the system would discard the answer.
            self.transport.write_eof()
        self._deaf = True
        self._turn = Turn.LAST
        self._since = self.waits_since = self._all.now

    def _end_after_this_answer(self) -> None:
        self._deaf = True
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
        else:
            self.cycle.keep_alive = False

    def _throw_away(self, count: int) -> None:
        self._thrown_away += count
        if self._thrown_away > self._limits.head_bytes * 16:
            self.transport.abort()
