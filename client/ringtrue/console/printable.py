"""Makes text from others safe for a terminal: what it would obey, or show in another order, is escaped as in JSON.

Owns which characters these are (the services have the same table, `shared/values/printable.py`), and the streams
through which the command prints: nothing else reaches the terminal, whatever prints it and wherever it came from. A
stream that cannot be written is reported as one error, and only if its text was asked for.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from ringtrue.errors import OutputFailed

_OBEYED = (*range(0x00, 0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0))
"""Control characters (C0, DEL, C1) except tab and line feed."""
_REORDERING = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
"""Marks, embeddings, overrides and isolates of writing direction, and the two line separators."""
TABLE = {code: f"\\u{code:04x}" for code in (*_OBEYED, *_REORDERING)}
_STANDARD = ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_RDWR))
"""Modes with which /dev/null replaces a closed standard stream: reading and printing fail, messages vanish."""


def printable(text: str) -> str:
    """Return ``text`` without anything that a terminal acts upon. JSON keeps its meaning."""
    return text.translate(TABLE)


class PrintableStream(io.TextIOBase):
    """Writes printable text to ``screen``. It says that it is no terminal, so that libraries use no colours.

    Code that writes its own colours writes to ``screen``, after making the text of others printable. ``asked_for``:
    this is standard output, and `OutputFailed` is raised if it cannot be written; else the text is dropped.
    """

    def __init__(self, screen: TextIO, *, asked_for: bool = False) -> None:
        self.screen = screen
        self._asked_for = asked_for
        self._failed: OutputFailed | None = None

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError("only text can be written here, not bytes")  # click tests with empty text and bytes
        if text:  # libraries write nothing to test a stream, and swallow the error
            self._handed_on(lambda: self.screen.write(printable(text)))
        return len(text)

    def flush(self) -> None:
        self._handed_on(self.screen.flush)

    def finish(self) -> None:
        """Flush what is still held. An earlier failure was already raised by `write`, and is not raised again."""
        if self._failed is None:
            self.flush()

    def _handed_on(self, act: Callable[[], object]) -> None:
        if self._failed is None:
            try:
                with delivered(self.screen):
                    act()
            except OutputFailed as error:
                self._failed = error
        if self._failed is not None and self._asked_for:  # each time: a library may have swallowed it
            raise self._failed

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.screen.fileno()

    @property
    def buffer(self) -> Any:
        """For files that were asked for."""
        return self.screen.buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.screen.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self.screen.errors


@contextmanager
def delivered(screen: TextIO) -> Iterator[None]:
    """Raise `OutputFailed` if ``screen`` cannot be written. What it still holds is dropped."""
    try:
        yield
    except OSError as error:
        with suppress(OSError):  # else Python complains when it flushes at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), screen.fileno())
        gone = isinstance(error, BrokenPipeError)
        raise OutputFailed(f"standard output: {error.strerror or error}", gone=gone) from error


def open_closed_streams() -> None:
    """Open /dev/null in place of closed standard streams.

    Otherwise the next opened file would take their place and be printed into. Reading from stdin and printing to stdout
    then fail; messages to stderr are dropped.
    """
    for number, how in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, how)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


def screen(stream: TextIO) -> TextIO:
    """Return the terminal behind ``stream``."""
    return stream.screen if isinstance(stream, PrintableStream) else stream
