"""Which columns name the user that a row belongs to, and how everything of one user is handed over to another.

Owns the list of these columns; a test checks that none is missing. Moves of aliases belong to everybody, and the name
of who signed one stays. An idempotency key is bound to its user by a hash and stays behind: the same request from
another user is a new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Column, Connection, Text, bindparam, delete, func, select, update

from shared.store.sql.tables.indexes import metadata_pairs
from shared.store.sql.tables.schema import jobs, studies, turns, usage, voices

OWNERS: Sequence[Column[str]] = (jobs.c.user, studies.c.user, voices.c.user, metadata_pairs.c.user)
ACCOUNTS = (usage, turns)
"""What a user has used up of the current window. If both users have an account, the one handed over stays."""

_MADE_BY = bindparam("made_by", type_=Text)
_HEIR = bindparam("heir", type_=Text)


def hand_over(connection: Connection, made_by: str, heir: str) -> Mapping[str, int]:
    """Make everything of the user ``made_by`` the user ``heir``'s.

    Return kind -> count, without kinds that had none.
    """
    who = {"made_by": made_by, "heir": heir}
    if made_by == heir:
        return {}
    of_kinds = select(studies.c.kind, func.count()).where(studies.c.user == _MADE_BY).group_by(studies.c.kind)
    counted = {f"{kind}s": count for kind, count in connection.execute(of_kinds, who)}
    for owner in OWNERS:
        moved = connection.execute(update(owner.table).where(owner == _MADE_BY).values({owner.name: _HEIR}), who)
        if owner.table in (jobs, voices):
            counted[owner.table.name] = moved.rowcount
    for account in ACCOUNTS:
        if connection.execute(select(account.c.user).where(account.c.user == _MADE_BY).limit(1), who).first():
            connection.execute(delete(account).where(account.c.user == _HEIR), who)
            connection.execute(update(account).where(account.c.user == _MADE_BY).values(user=_HEIR), who)
    return {kind: count for kind, count in counted.items() if count}
