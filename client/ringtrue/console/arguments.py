"""Options of the whole command, ``--url`` and ``--data``, at any place on the command line.

Owns the rule that they may be written after a command's name as well as before it. Knows no command.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

OF_THE_WHOLE = ("--url", "--data")


def options_first(arguments: Sequence[str], leave_alone: Collection[str] = ()) -> list[str]:
    """Return ``arguments`` with the options of the whole command moved to the front, where its parser expects them.

    Nothing after ``--`` is moved, and nothing on the line of a command in ``leave_alone``, which has its own options.
    """
    found: list[str] = []
    left: list[str] = []
    waiting = list(arguments)
    command = None
    while waiting:
        argument = waiting.pop(0)
        if argument == "--" or command in leave_alone:
            return [*found, *left, argument, *waiting]
        name, equals, _ = argument.partition("=")
        if name in OF_THE_WHOLE:
            found += [argument] if equals else [argument, *waiting[:1]]
            waiting = waiting if equals else waiting[1:]
            continue
        if command is None and not argument.startswith("-"):
            command = argument
        left.append(argument)
    return [*found, *left]
