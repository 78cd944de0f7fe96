"""What is sent to a webhook, signed by Standard Webhooks (https://www.standardwebhooks.com, 1.0.0).

Owns the form of a message and its signature. Sends nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)


def secret_from(text: str) -> bytes:
    """Return the key in ``whsec_…``. Raises `ValueError` if it is not one."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not text.startswith(PREFIX) or len(key) not in SECRET_BYTES:
        raise ValueError(f"a secret must be {PREFIX} followed by 24 to 64 bytes in base64")
    return key


@dataclass(frozen=True, slots=True)
class Message:
    """One event. ``id`` stays the same when it is sent again. ``at``: epoch seconds of the sending."""

    id: str
    type: str
    at: int
    data: Mapping[str, Any]

    @property
    def body(self) -> bytes:
        """The bytes that are sent."""
        timestamp = datetime.fromtimestamp(self.at, UTC).isoformat().replace("+00:00", "Z")
        return json.dumps({"type": self.type, "timestamp": timestamp, "data": self.data}).encode()

    def headers(self, secret: bytes | None) -> dict[str, str]:
        """Return the headers of the message; without a secret there is no signature."""
        known = {"Content-Type": "application/json", "webhook-id": self.id, "webhook-timestamp": str(self.at)}
        if secret is None:
            return known
        return {**known, "webhook-signature": signature(secret, self.id, self.at, self.body)}


def signature(secret: bytes, id_: str, at: int, body: bytes) -> str:
    """Return the signature: HMAC-SHA256 over id, time and body."""
    mac = hmac.new(secret, f"{id_}.{at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(mac.digest()).decode()}"
