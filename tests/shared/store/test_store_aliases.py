"""Moves of aliases are kept for good, and two people who move one at once do not both succeed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from shared.aliases import Alias, AliasStore, Move, MoveKind, Signature
from shared.store.sql import Database, SqlAliasStore
from tests.shared.store.building import NOW

PRODUCTION, CANDIDATE = Alias("indextts2", "production"), Alias("indextts2", "candidate")
FIRST = Move(PRODUCTION, 1, MoveKind.PROMOTE, "indextts2-v21", None, 0.0, Signature("ann", "首次上线", NOW))
SECOND = Move(
    PRODUCTION, 2, MoveKind.PROMOTE, "indextts2-v23", "indextts2-v21", 0.0, Signature("bob", "better", NOW + 1)
)
BACK = replace(SECOND, number=3, kind=MoveKind.ROLLBACK, pin="indextts2-v21", previous="indextts2-v23")
SHARE = Move(CANDIDATE, 1, MoveKind.PROMOTE, "indextts2-v23", None, 0.1, Signature("ann", "try", NOW))


def test_a_move_is_read_back_as_it_was_recorded(alias_store: AliasStore) -> None:
    assert alias_store.record([FIRST])
    assert alias_store.record([SECOND])
    assert alias_store.record([BACK])
    assert alias_store.history(PRODUCTION) == [FIRST, SECOND, BACK]


def test_an_alias_nobody_made_has_no_history(alias_store: AliasStore) -> None:
    alias_store.record([FIRST])
    assert alias_store.history(CANDIDATE) == []


def test_the_last_move_of_every_alias_is_told_by_name(alias_store: AliasStore) -> None:
    other = replace(FIRST, alias=Alias("bark", "production"), pin="bark-v1")
    dashed = replace(FIRST, alias=Alias("bark-small", "production"), pin="bark-small-v1")
    for move in (FIRST, SHARE, SECOND, dashed, other):
        alias_store.record([move])
    assert alias_store.last_moves() == [other, dashed, SHARE, SECOND]


def test_moves_are_recorded_all_or_none(alias_store: AliasStore) -> None:
    alias_store.record([SHARE])
    assert not alias_store.record([FIRST, SHARE])
    assert alias_store.last_moves() == [SHARE]


def test_the_same_number_is_given_once(alias_store: AliasStore) -> None:
    alias_store.record([FIRST])
    assert not alias_store.record([replace(FIRST, pin="indextts2-v23")])
    assert alias_store.history(PRODUCTION) == [FIRST]


def test_of_many_who_move_an_alias_at_once_one_does(database: Database) -> None:
    store, together = SqlAliasStore(database), threading.Barrier(4)

    def move(pin: str) -> bool:
        moves: Sequence[Move] = [replace(FIRST, pin=pin), replace(SHARE, pin=pin)]
        together.wait()
        return store.record(moves)

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(move, ["a", "b", "c", "d"])) == [False, False, False, True]
    assert len({move.pin for move in store.last_moves()}) == 1
