"""The progress of a certificate on stderr: one moving line on a terminal, otherwise one line per condition."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from services.worker.certify.conditions import Tell, in_words
from shared.values.printable import screen


@contextmanager
def shown() -> Iterator[Tell]:
    """Give a function that shows the progress, for the length of the block."""
    console = Console(file=screen(sys.stderr), highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        with console.status("") as status:
            yield lambda condition, done, items: status.update(Text(f"{in_words(condition)}: {done} of {items} spoken"))
        return
    told: list[str] = []

    def tell(condition: str, _done: int, items: int) -> None:
        line = f"{in_words(condition)}: {items} to speak"
        if told[-1:] != [line]:
            told.append(line)
            console.print(line, soft_wrap=True)

    yield tell
