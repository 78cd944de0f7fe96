"""Aliases in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.exc import IntegrityError

from shared.aliases import Alias, Move, MoveKind, Signature
from shared.store.sql.connection.database import Database
from shared.store.sql.tables.reading import readable
from shared.store.sql.tables.schema import alias_moves

_OF = (alias_moves.c.model, alias_moves.c.word)
_newest = select(*_OF, func.max(alias_moves.c.number).label("number")).group_by(*_OF).subquery()
_LAST = select(alias_moves).join(
    _newest,
    (alias_moves.c.model == _newest.c.model)
    & (alias_moves.c.word == _newest.c.word)
    & (alias_moves.c.number == _newest.c.number),
)


class SqlAliasStore:
    """Implements ``shared.ports.AliasStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def last_moves(self) -> list[Move]:
        with self._db.read() as connection:
            moves = readable(connection.execute(_LAST).mappings(), _move, "word")
        return sorted(moves, key=lambda move: move.alias)  # sorted here, not in SQL: servers sort text differently

    def history(self, alias: Alias) -> list[Move]:
        query = select(alias_moves).where(alias_moves.c.model == alias.model, alias_moves.c.word == alias.word)
        with self._db.read() as connection:
            return readable(connection.execute(query.order_by(alias_moves.c.number)).mappings(), _move, "word")

    def record(self, moves: Sequence[Move]) -> bool:
        try:
            with self._db.durable_write() as connection:
                connection.execute(insert(alias_moves), [_row(move) for move in moves])
        # The primary key (model, word, number) refuses a second move of one number.
        except IntegrityError:
            return False
        return True


def _row(move: Move) -> dict[str, Any]:
    return {
        "model": move.alias.model,
        "word": move.alias.word,
        "number": move.number,
        "kind": move.kind.value,
        "pin": move.pin,
        "previous": move.previous,
        "weight": move.weight,
        "by": move.signature.by,
        "reason": move.signature.reason,
        "at": move.signature.at,
    }


def _move(row: RowMapping) -> Move:
    return Move(
        Alias(row["model"], row["word"]),
        row["number"],
        MoveKind(row["kind"]),
        row["pin"],
        row["previous"],
        row["weight"],
        Signature(row["by"], row["reason"], row["at"]),
    )
