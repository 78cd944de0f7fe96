"""Who is asking: a request to a user.

Owns the Authorization header, and the guard of a gateway that asks nobody for a key.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from starlette.requests import Request

from services.gateway.deps import gateway_of
from services.gateway.keys import LOCAL_USER
from shared.errors import RefusalCode, Refused, SettingsError
from shared.keys import KeyStore

_PORT = re.compile(r":\d+$")


async def user_of(request: Request) -> str:
    """The user that a request comes from."""
    keys = gateway_of(request).keys
    authorization = request.headers.get("authorization")
    if authorization is None:
        if await keys.asks_for_keys():
            raise Refused(RefusalCode.KEY_MISSING, "a key is needed: Authorization: Bearer rt_…")
        _refuse_foreign_host(request)
        return LOCAL_USER
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise Refused(RefusalCode.KEY_INVALID, "a key is sent as Authorization: Bearer rt_…")
    return await keys.user(text.strip())


EXAMPLE_SECRET = "change-me"  # noqa: S105 (it is the one that is no secret)
"""What stands in .env.example wherever a secret belongs."""
EXAMPLE_KEY_ID = "000000000000"
"""Of the key there, which a deployment that began on loopback may have kept."""


def check_secrets(published: str, secrets: Mapping[str, str]) -> None:
    """`SettingsError` where others than this machine reach the gateway, and a secret (by setting) is the example's."""
    for name, value in secrets.items():
        if EXAMPLE_SECRET in value and not is_loopback(published):
            raise SettingsError(f"{name} has the secret of .env.example, and {published} is not this machine alone")


def check_first_key(published: str, keys: KeyStore) -> None:
    """`SettingsError` where others than this machine reach the gateway, and the key of the example is still good."""
    if is_loopback(published):
        return
    key = keys.find(EXAMPLE_KEY_ID)
    if key is not None and key.revoked_at is None:
        raise SettingsError(
            f"the key of .env.example is good here, and {published} is not this machine alone: make another with"
            f" `ringtrue keys create`, then `ringtrue keys revoke {EXAMPLE_KEY_ID}`"
        )


def is_loopback(host: str) -> bool:
    """Whether an address or name can be reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _refuse_foreign_host(request: Request) -> None:
    # A web page whose name was rebound to 127.0.0.1 sends its own name here: without keys, only ours will do.
    name = _PORT.sub("", request.headers.get("host", ""))
    if not is_loopback(name):
        raise Refused(
            RefusalCode.FORBIDDEN, "without keys this gateway is for localhost; make one: ringtrue keys create"
        )
