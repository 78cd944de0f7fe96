"""Makes text from others safe for a terminal: what it would obey, or show in another order, is escaped as in JSON.

Owns which characters these are. The client has the same table (`ringtrue/console/printable.py`), since it shares no
code with the services.
"""

from __future__ import annotations

from typing import TextIO

_OBEYED = (*range(0x00, 0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0))
"""Control characters (C0, DEL, C1) except tab and line feed."""
_REORDERING = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
"""Marks, embeddings, overrides and isolates of writing direction, and the two line separators."""
TABLE = {code: f"\\u{code:04x}" for code in (*_OBEYED, *_REORDERING)}


def printable(text: str) -> str:
    """Return ``text`` without anything that a terminal acts upon. JSON keeps its meaning."""
    return text.translate(TABLE)


def screen(stream: TextIO) -> TextIO:
    """Return the terminal behind ``stream``, if that is a stream which escapes its text, as in the `ringtrue` command.

    For callers that write colours and move the cursor, and escape what they are given themselves.
    """
    behind: TextIO = getattr(stream, "screen", stream)
    return behind
