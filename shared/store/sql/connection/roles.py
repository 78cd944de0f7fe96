"""What each service may do with each table, if PostgreSQL has a role for it.

Owns the rights of a deployment whose services have their own database roles. A worker, which runs models, can read
neither keys nor the recorded responses of users. Only the gateway, which owns the tables, can change their schema. A
deployment with one role for everything, or with SQLite, is not affected.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, text

_READ, _ADD, _CHANGE, _REMOVE = "SELECT", "INSERT", "UPDATE", "DELETE"

RIGHTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ringtrue_worker": {
        "alembic_version": (_READ,),
        "jobs": (_READ, _CHANGE),
        "usage": (_READ, _ADD, _CHANGE),
        "pins": (_READ, _ADD, _CHANGE),
        "workers": (_READ, _ADD, _CHANGE, _REMOVE),
        "environments": (_READ, _ADD),
        "voices": (_READ,),
        "alias_moves": (_READ, _ADD),  # `ringtrue models promote` runs where the models are
        "studies": (_READ,),
        "clips": (_READ,),
        "holds": (_READ, _ADD, _CHANGE),
        "keys": (),
        "requests": (),
        "metadata_pairs": (),
        "turns": (),
        "scorer_locks": (),
    },
    "ringtrue_scorer": {
        "alembic_version": (_READ,),
        "jobs": (_READ, _CHANGE),
        "usage": (_READ, _ADD, _CHANGE),
        "pins": (_READ,),
        "workers": (_READ,),
        "environments": (_READ,),
        "voices": (_READ,),
        "alias_moves": (_READ,),
        "studies": (_READ, _CHANGE),
        "clips": (_READ, _CHANGE),
        "holds": (_READ, _ADD, _CHANGE),
        "scorer_locks": (_READ, _ADD, _CHANGE),
        "turns": (_READ, _ADD, _CHANGE),
        "keys": (),
        "requests": (),
        "metadata_pairs": (),
    },
}
"""Role -> table -> allowed statements. Every table is named for every role, so that each new one is decided on."""

_LOCK = 0x726F6C65  # an arbitrary number; nobody else uses it
_OWNED = text(
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relowner = current_user::regrole"
)
_KNOWN_ROLES = text("SELECT rolname FROM pg_roles WHERE rolname IN :names").bindparams(
    bindparam("names", expanding=True)
)
_HAS = text(
    "SELECT grantee::regrole::text, relname, privilege_type FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl)"
    " WHERE n.nspname = current_schema() AND c.relkind = 'r' AND grantee::regrole::text IN :names"
).bindparams(bindparam("names", expanding=True))


def grant_rights(connection: Connection) -> None:
    """Give the existing roles what `RIGHTS` says for the tables that we own, and nothing more. Writes only differences.

    Only the owner of the tables can grant rights; for any other connection this changes nothing.
    """
    roles = set(connection.execute(_KNOWN_ROLES, {"names": list(RIGHTS)}).scalars())
    if not roles or not (owned := set(connection.execute(_OWNED).scalars())):
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    wanted = {
        (role, table, right)
        for role in roles
        for table, rights in RIGHTS[role].items()
        for right in rights
        if table in owned
    }
    found = {tuple(row) for row in connection.execute(_HAS, {"names": sorted(roles)}) if row[1] in owned}
    for role, table, right in sorted(found - wanted):
        connection.exec_driver_sql(f'REVOKE {right} ON "{table}" FROM {role}')
    for role, table, right in sorted(wanted - found):
        connection.exec_driver_sql(f'GRANT {right} ON "{table}" TO {role}')
