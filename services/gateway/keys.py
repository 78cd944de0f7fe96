"""API keys: how one is made, and whose request it is.

Owns the form ``rt_<id>_<secret>`` and the rules of who needs one. A store holds hashes only. Knows no HTTP.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable

from shared.errors import RefusalCode, Refused
from shared.keys import Key, KeyStore

LOCAL_USER = "local"
"""Whose jobs they are where no key is asked for."""
CACHED_S = 2.0
"""A key that was revoked is good for at most this much longer; likewise the first key asks for keys after this time."""
_MOST_CACHED = 10_000
_SECRET_CHARS = 43
"""Of 256 random bits in URL-safe base64."""
_FORM = re.compile(r"rt_([0-9a-f]{12})_([A-Za-z0-9_-]{20,100})")
USER_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def new_key(user: str, now: float, expires_at: float | None) -> tuple[Key, str]:
    """A key to store and its text, which is shown once and kept nowhere."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return Key(key_id, user, _hash(secret), now, expires_at), f"rt_{key_id}_{secret}"


def given_key(text: str, user: str, now: float) -> Key:
    """The key to store for a text that was made elsewhere. `ValueError` where it is none, or too easily guessed."""
    form = _FORM.fullmatch(text)
    if form is None or len(form[2]) < _SECRET_CHARS:
        raise ValueError(f"a key is rt_, 12 hexadecimal digits, _ and {_SECRET_CHARS} or more of A-Z a-z 0-9 - _")
    return Key(form[1], user, _hash(form[2]), now, None)


def _hash(secret: str) -> str:
    # The secret is 256 random bits: nothing to guess, so a fast hash is a good one.
    return hashlib.sha256(secret.encode()).hexdigest()


class KeyRing:
    """Tells users by their keys. ``open_to_local``: as long as no key was ever made, nobody is asked for one."""

    def __init__(self, store: KeyStore, clock: Callable[[], float], *, open_to_local: bool) -> None:
        self._store = store
        self._clock = clock
        self._open = open_to_local
        self._open_until = float("-inf")
        self._known: dict[str, tuple[Key, float]] = {}

    async def asks_for_keys(self) -> bool:
        """Whether requests need a key: false on a loopback address before the first key is made."""
        if self._open and time.monotonic() >= self._open_until:
            self._open = not await asyncio.to_thread(self._store.any)
            self._open_until = time.monotonic() + CACHED_S
        return not self._open

    async def user(self, text: str) -> str:
        """Whose key this is; `Refused` where it is none, or no good any more."""
        form = _FORM.fullmatch(text)
        if form is None:
            raise Refused(RefusalCode.KEY_INVALID, "this is not a key of the form rt_…")
        key = await self._find(form[1])
        known = key is not None and hmac.compare_digest(key.secret_sha256, _hash(form[2]))
        if key is None or not known or key.revoked_at is not None:
            raise Refused(RefusalCode.KEY_INVALID, "this key is not known, or it was revoked")
        if key.expires_at is not None and key.expires_at <= self._clock():
            raise Refused(RefusalCode.KEY_EXPIRED, "this key has expired")
        return key.user

    async def _find(self, key_id: str) -> Key | None:
        cached = self._known.get(key_id)
        if cached is not None and time.monotonic() < cached[1]:
            return cached[0]
        key = await asyncio.to_thread(self._store.find, key_id)
        if key is not None:
            if len(self._known) >= _MOST_CACHED:
                self._known.clear()
            self._known[key_id] = (key, time.monotonic() + CACHED_S)
        return key
