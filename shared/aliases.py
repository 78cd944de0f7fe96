"""Aliases: names such as ``indextts2@production`` that a team moves from pin to pin.

Owns their form, what moves an alias, which users get a candidate, and the port behind which the moves are kept. An
alias is only its moves: it points to the pin of the last one, and all of them are its history.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, Protocol

from shared.errors import RingtrueError

PRODUCTION = "production"
CANDIDATE = "candidate"
"""The only alias that takes a share: of the users who ask for `PRODUCTION` of the same model."""
_MODEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_WORD = re.compile(r"[a-z][a-z0-9-]{0,31}")
_VERSION = re.compile(r"-v[0-9][a-z0-9._]*")
_MAX_REASON_CHARS = 500
_MAX_BY_CHARS = 100


class AliasRefused(RingtrueError):
    """A name that is not an alias, or a move that cannot be made. The message says why."""


class AliasUnknown(AliasRefused):
    """No pin was ever promoted to this alias."""


class Alias(NamedTuple):
    """An alias, written ``model@word``."""

    model: str
    word: str

    def __str__(self) -> str:
        return f"{self.model}@{self.word}"

    @property
    def production(self) -> Alias:
        """The production alias of the same model."""
        return Alias(self.model, PRODUCTION)

    @property
    def candidate(self) -> Alias:
        """The candidate alias of the same model."""
        return Alias(self.model, CANDIDATE)


class MoveKind(StrEnum):
    """How an alias came to its pin."""

    PROMOTE = "promote"  # a person named the pin
    ROLLBACK = "rollback"  # back to the pin that was there before


@dataclass(frozen=True, slots=True)
class Signature:
    """Who answers for a move, why, and when (epoch seconds)."""

    by: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Move:
    """One entry of an alias's history. ``number`` counts from 1; ``previous`` is the pin that the alias left."""

    alias: Alias
    number: int
    kind: MoveKind
    pin: str
    previous: str | None
    weight: float
    """Share of users, from 0 to 1; only a candidate has one."""
    signature: Signature


def read_alias(text: str) -> Alias:
    """Parse ``MODEL@ALIAS``. Raises `AliasRefused` if ``text`` is no alias."""
    model, at, word = text.partition("@")
    if not at or _MODEL.fullmatch(model) is None or _WORD.fullmatch(word) is None:
        raise AliasRefused(
            f"{text!r} is not an alias; write MODEL@ALIAS (ALIAS: a lower-case letter, then up to 31 of a-z, 0-9, -)"
        )
    return Alias(model, word)


def read_alias_for(text: str, pin: str) -> Alias:
    """Parse ``MODEL@ALIAS``, or ``ALIAS`` alone if the pin's name says the model: the part before its only ``-vN``.

    Raises `AliasRefused` if the pin's name does not say which model it is.
    """
    if "@" in text:
        return read_alias(text)
    model, version = pin[: pin.rfind("-v")], pin[pin.rfind("-v") :]
    if _VERSION.fullmatch(version) is None or _VERSION.search(model) is not None:
        raise AliasRefused(f"the name {pin} does not say which model it is a version of; write MODEL@{text}")
    return read_alias(f"{model}@{text}")


def signed(by: str, reason: str, at: float) -> Signature:
    """Return a signature. Raises `AliasRefused` unless both texts are one line, not blank and not too long."""
    for value, what, most in ((by, "who", _MAX_BY_CHARS), (reason, "why", _MAX_REASON_CHARS)):
        if not value.strip() or len(value) > most or not value.isprintable():
            raise AliasRefused(f"a move must say {what}, in one line of at most {most} characters")
    return Signature(by, reason, at)


def promoted(last: Mapping[Alias, Move], alias: Alias, pin: str, weight: float, signature: Signature) -> list[Move]:
    """Return the moves that bring ``alias`` to ``pin``; none if it is already there. Raises `AliasRefused`.

    ``last``: the last move of every alias. ``weight``: share of users, for a candidate.
    """
    if not 0 <= weight <= 1:
        raise AliasRefused(f"weight must be from 0 to 1 (found {weight:g})")
    if weight and alias.word != CANDIDATE:
        raise AliasRefused(
            f"only {alias.candidate} can take a share of {alias.production}; {alias} cannot have a weight"
        )
    production = last.get(alias.production)
    if weight and production is not None and production.pin == pin:
        raise AliasRefused(f"{pin} is {alias.production} already, so it cannot also take a share of it")
    before = last.get(alias)
    if before is not None and (before.pin, before.weight) == (pin, weight):
        return []
    move = _next(before, alias, MoveKind.PROMOTE, pin, weight, signature)
    return [move, *_end_of_share(last, move)]


def rolled_back(history: Sequence[Move], last: Mapping[Alias, Move], alias: Alias, signature: Signature) -> list[Move]:
    """Return the moves that bring ``alias`` back to its pin before, with weight 0.

    ``history``: its moves, oldest first. A second rollback goes one pin further back, not forward to the pin that the
    first one left. Raises `AliasUnknown`, or `AliasRefused` if there is no pin before.
    """
    pins: list[str] = []
    for move in history:
        if move.kind is MoveKind.ROLLBACK:
            pins.pop()
        elif not pins or pins[-1] != move.pin:
            pins.append(move.pin)
    if not pins:
        raise AliasUnknown(f"there is no alias {alias}; `ringtrue models aliases` lists them")
    if len(pins) < 2:
        raise AliasRefused(f"{alias} has no pin before {pins[0]}")
    back = _next(history[-1], alias, MoveKind.ROLLBACK, pins[-2], 0.0, signature)
    return [back, *_end_of_share(last, back)]


@lru_cache(maxsize=4096)
def is_drawn(model: str, candidate: str, user: str, weight: float) -> bool:
    """Return whether ``user`` is in the share of ``model`` that gets the pin ``candidate``.

    The answer for a user is always the same. A larger weight only adds users, and each candidate draws its own users.
    """
    drawn = hashlib.sha256("\0".join((model, candidate, user)).encode()).digest()[:8]
    return int.from_bytes(drawn) < weight * 2**64


def _next(before: Move | None, alias: Alias, kind: MoveKind, pin: str, weight: float, signature: Signature) -> Move:
    number, previous = (1, None) if before is None else (before.number + 1, before.pin)
    return Move(alias, number, kind, pin, previous, weight, signature)


def _end_of_share(last: Mapping[Alias, Move], move: Move) -> list[Move]:
    """Return the move that ends a candidate's share once its pin is production, even after production has moved on."""
    candidate = last.get(move.alias.candidate)
    if move.alias.word != PRODUCTION or candidate is None or not candidate.weight:
        return []
    if candidate.pin not in (move.pin, move.previous):
        return []
    return [_next(candidate, candidate.alias, MoveKind.PROMOTE, candidate.pin, 0.0, move.signature)]


class AliasStore(Protocol):
    """Aliases, stored as their moves. No move is ever deleted or changed."""

    def last_moves(self) -> list[Move]:
        """Return the last move of every alias, which says where it points now; sorted by alias."""

    def history(self, alias: Alias) -> list[Move]:
        """Return every move of one alias, oldest first; empty if there is no such alias."""

    def record(self, moves: Sequence[Move]) -> bool:
        """Add moves durably, all or none.

        Return False if an alias already has a move of that number: another writer came first.
        """
