"""Uploaded voices in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import RowMapping, delete, exists, insert, select

from shared.store.sql.database import Database
from shared.store.sql.schema import voices
from shared.voices import Consent, Recording, Voice


class SqlVoiceStore:
    """Implements ``shared.voices.VoiceStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, voice: Voice) -> None:
        with self._db.durable_write() as connection:
            connection.execute(insert(voices).values(_row(voice)))

    def find(self, user: str, ids: Iterable[str]) -> dict[str, Voice]:
        query = select(voices).where(voices.c.user == user, voices.c.id.in_(list(ids)))
        with self._db.read() as connection:
            return {row["id"]: _voice(row) for row in connection.execute(query).mappings()}

    def page(self, user: str, limit: int, before: str | None = None) -> list[Voice]:
        query = select(voices).where(voices.c.user == user).order_by(voices.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(voices.c.id < before)
        with self._db.read() as connection:
            return [_voice(row) for row in connection.execute(query).mappings()]

    def remove(self, user: str, voice_id: str) -> Voice | None:
        forget = delete(voices).where(voices.c.user == user, voices.c.id == voice_id).returning(voices)
        with self._db.durable_write() as connection:
            row = connection.execute(forget).mappings().one_or_none()
            return None if row is None else _voice(row)

    def has_recording(self, pcm_sha256: str) -> bool:
        with self._db.read() as connection:
            return connection.execute(select(exists().where(voices.c.pcm_sha256 == pcm_sha256))).scalar_one()


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
