"""API keys: how a key is made, and which user a key belongs to.

Owns the form ``rt_<id>_<secret>`` and the rules on when a request needs a key. A store holds hashes only. Knows no
HTTP.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable

from services.gateway.sharing.group_commit import in_time
from shared.errors import RefusalCode, Refused
from shared.keys import Key, KeyStore

LOCAL_USER = "local"
"""The user of a request without a key, where no key is asked for."""
CACHED_S = 2.0
"""Seconds. A revoked key is good for at most this much longer. The first key is asked for at most this much later."""
_MOST_CACHED = 10_000
_LOOKUPS_AT_ONCE = 2
"""Unknown keys cost a query each. Clients that send them take at most two threads; the other threads stay free."""
_SECRET_CHARS = 43
"""Length of 256 random bits in URL-safe base64."""
_FORM = re.compile(r"rt_([0-9a-f]{12})_([A-Za-z0-9_-]{20,100})")
USER_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def new_key(user: str, now: float, expires_at: float | None) -> tuple[Key, str]:
    """Make a key. Return it as it is stored, and its text, which is shown once and kept nowhere.

    ``now`` and ``expires_at``: epoch seconds."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return Key(key_id, user, _hash(secret), now, expires_at), f"rt_{key_id}_{secret}"


def given_key(text: str, user: str, now: float) -> Key:
    """Return the key to store for a text that was made elsewhere.

    Raises `ValueError` if the text is not a key, or is too easily guessed."""
    form = _FORM.fullmatch(text)
    if form is None or len(form[2]) < _SECRET_CHARS:
        raise ValueError(f"a key must be rt_, 12 hexadecimal digits, _ and {_SECRET_CHARS} or more of A-Z a-z 0-9 - _")
    return Key(form[1], user, _hash(form[2]), now, None)


def _hash(secret: str) -> str:
    # The secret is 256 random bits and cannot be guessed, so a fast hash is good enough.
    return hashlib.sha256(secret.encode()).hexdigest()


class KeyRing:
    """Finds the user of a key. ``open_to_local``: ask for no key until the first one is made."""

    def __init__(self, store: KeyStore, clock: Callable[[], float], *, open_to_local: bool) -> None:
        self._store = store
        self._clock = clock
        self._open = open_to_local
        self._open_until = float("-inf")
        self._looking = asyncio.Semaphore(_LOOKUPS_AT_ONCE)
        self._known: dict[str, tuple[Key, float]] = {}

    async def asks_for_keys(self) -> bool:
        """Return whether requests need a key. False on a loopback address until the first key is made."""
        if self._open and time.monotonic() >= self._open_until:
            self._open = not await in_time(asyncio.to_thread(self._store.any))
            self._open_until = time.monotonic() + CACHED_S
        return not self._open

    async def user(self, text: str) -> str:
        """Return the user of this key. Raises `Refused` if it is not a key, is unknown, was revoked or has expired."""
        form = _FORM.fullmatch(text)
        if form is None:
            raise Refused(RefusalCode.KEY_INVALID, "a key must have the form rt_…")
        key = await self._find(form[1])
        known = key is not None and hmac.compare_digest(key.secret_sha256, _hash(form[2]))
        if key is None or not known or key.revoked_at is not None:
            raise Refused(RefusalCode.KEY_INVALID, "this key is unknown or was revoked")
        if key.expires_at is not None and key.expires_at <= self._clock():
            raise Refused(RefusalCode.KEY_EXPIRED, "this key has expired")
        return key.user

    async def _find(self, key_id: str) -> Key | None:
        cached = self._known.get(key_id)
        if cached is not None and time.monotonic() < cached[1]:
            return cached[0]
        async with self._looking:
            key = await in_time(asyncio.to_thread(self._store.find, key_id))
        if key is not None:
            if len(self._known) >= _MOST_CACHED:
                self._known.clear()
            self._known[key_id] = (key, time.monotonic() + CACHED_S)
        return key
