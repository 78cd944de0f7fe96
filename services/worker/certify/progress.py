"""How far a certificate is, on stderr: one moving line for a person, a line per condition elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from services.worker.certify.conditions import Tell


@contextmanager
def shown() -> Iterator[Tell]:
    """As long as this lasts, what it is told is on the screen."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        with console.status("") as status:
            yield lambda condition, done, items: status.update(Text(f"{_words(condition)}: {done} of {items} spoken"))
        return
    told: list[str] = []

    def tell(condition: str, _done: int, items: int) -> None:
        line = f"{_words(condition)}: {items} to speak"
        if told[-1:] != [line]:
            told.append(line)
            console.print(line, soft_wrap=True)

    yield tell


def _words(condition: str) -> str:
    return condition.replace("_", " ")
