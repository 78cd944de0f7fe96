"""The Dockerfile as stages: what each stands on, and its instructions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.compose.compose_file import ROOT


@dataclass(frozen=True, slots=True)
class Stage:
    """``parent``: another stage's name, or an image."""

    name: str
    parent: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def said(self, instruction: str) -> Sequence[str]:
        return [rest for word, rest in self.instructions if word == instruction]


def stages() -> Mapping[str, Stage]:
    """Every stage by name, in the file's order."""
    found: dict[str, Stage] = {}
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    for line in lines:
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            parent, _, name = rest.partition(" AS ")
            assert name, f"a stage without a name: {line}"
            found[name] = Stage(name, parent)
        elif word and not word.startswith("#") and found:
            list(found.values())[-1].instructions.append((word, rest.strip()))
    return found


def last_said(target: str, instruction: str) -> str | None:
    """The instruction that holds in a target's image: its own last one, or what it inherits."""
    known = stages()
    while target in known:
        if said := known[target].said(instruction):
            return said[-1]
        target = known[target].parent
    return None


def arguments() -> Mapping[str, str]:
    """Every build argument with its default; declared again without one, it keeps the first."""
    found: dict[str, str] = {}
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("ARG "):
            name, has_default, default = line.removeprefix("ARG ").partition("=")
            assert has_default or name in found, f"{name} has no default"
            if has_default:
                found[name] = default
    return found
