"""Uploaded voices in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Text, bindparam, delete, exists, func, insert, select

from shared.store.sql.connection.database import Database
from shared.store.sql.tables.reading import read_page, readable
from shared.store.sql.tables.schema import voices
from shared.voices import Consent, Recording, Voice, VoiceShare

_OF_USER = bindparam("of_user", type_=Text)
_HAD = select(func.count(), func.coalesce(func.sum(voices.c.duration_s), 0.0)).where(voices.c.user == _OF_USER)
_LOCKS = 0x766F696365  # "voice"; keeps these locks apart from others of the database
_ONE_UPLOAD_AT_A_TIME = select(func.pg_advisory_xact_lock(func.hashtextextended(_OF_USER, _LOCKS)))
"""Lets one upload of a user at a time pass, until its transaction ends."""


class SqlVoiceStore:
    """Implements ``shared.voices.VoiceStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, voice: Voice, most: VoiceShare | None = None) -> VoiceShare | None:
        with self._db.durable_write() as connection:
            if most is not None:
                if not self._db.is_sqlite:  # SQLite has one writer at a time
                    connection.execute(_ONE_UPLOAD_AT_A_TIME, {"of_user": voice.user})
                had = _had(connection, voice.user)
                if not most.takes(voice.recording.duration_s, had):
                    return had
            connection.execute(insert(voices).values(_row(voice)))
            return None

    def had(self, user: str) -> VoiceShare:
        with self._db.read() as connection:
            return _had(connection, user)

    def find(self, user: str, ids: Iterable[str]) -> dict[str, Voice]:
        query = select(voices).where(voices.c.user == user, voices.c.id.in_(list(ids)))
        with self._db.read() as connection:
            return {voice.id: voice for voice in readable(connection.execute(query).mappings(), _voice)}

    def page(self, user: str, limit: int, before: str | None = None) -> list[Voice]:
        def rows_of(before: str | None, limit: int) -> Sequence[RowMapping]:
            query = select(voices).where(voices.c.user == user).order_by(voices.c.id.desc()).limit(limit)
            if before is not None:
                query = query.where(voices.c.id < before)
            with self._db.read() as connection:
                return connection.execute(query).mappings().all()

        return read_page(rows_of, _voice, before, limit)

    def remove(self, user: str, voice_id: str) -> Voice | None:
        forget = delete(voices).where(voices.c.user == user, voices.c.id == voice_id).returning(voices)
        with self._db.durable_write() as connection:
            row = connection.execute(forget).mappings().one_or_none()
            return None if row is None else _voice(row)

    def has_recording(self, pcm_sha256: str) -> bool:
        with self._db.read() as connection:
            return connection.execute(select(exists().where(voices.c.pcm_sha256 == pcm_sha256))).scalar_one()


def _had(connection: Connection, user: str) -> VoiceShare:
    return VoiceShare(*connection.execute(_HAD, {"of_user": user}).one())


def _row(voice: Voice) -> dict[str, Any]:
    return {
        "id": voice.id,
        "user": voice.user,
        "name": voice.name,
        "pcm_sha256": voice.recording.pcm_sha256,
        "sample_rate": voice.recording.sample_rate,
        "duration_s": voice.recording.duration_s,
        "consent_by": voice.consent.by,
        "consent_at": voice.consent.at,
        "consent_text": voice.consent.text,
        "created_at": voice.created_at,
    }


def _voice(row: RowMapping) -> Voice:
    return Voice(
        row["id"],
        row["user"],
        row["name"],
        Recording(row["pcm_sha256"], row["sample_rate"], row["duration_s"]),
        Consent(row["consent_by"], row["consent_at"], row["consent_text"]),
        row["created_at"],
    )
