"""Authentication: finds the user of a request.

Owns the Authorization header, and what a gateway without keys checks instead: the request names this machine, comes
through no proxy and from no page of another origin (`origins.py`), and is of the user who runs the gateway
(`local_users.py`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache

from starlette.requests import Request

from services.gateway.deps import gateway_of
from services.gateway.http.local_users import check_own_user
from services.gateway.http.origins import check_no_proxy, check_page
from services.gateway.keys import LOCAL_USER
from shared.errors import RefusalCode, Refused, SettingsError
from shared.keys import KeyStore

_PORT = re.compile(r":\d+$")


async def user_of(request: Request) -> str:
    """Return the user of a request. The user is also kept with the request, for limits that count by user.

    Raises `Refused` if the key is missing or no good, or the request may not come in without one."""
    request.state.user = user = await _user_of(request)
    return user


async def _user_of(request: Request) -> str:
    keys, headers = gateway_of(request).keys, request.headers
    authorizations = headers.getlist("authorization")
    if not authorizations:
        if await keys.asks_for_keys():
            raise Refused(RefusalCode.KEY_MISSING, "a key is required; send it as Authorization: Bearer rt_…")
        _check_host(headers.getlist("host"))
        check_no_proxy(headers)
        check_page(request.method, headers, with_key=False)
        check_own_user(request)
        return LOCAL_USER
    check_page(request.method, headers, with_key=True)
    scheme, _, text = authorizations[0].partition(" ")
    if scheme.lower() != "bearer" or len(authorizations) > 1:
        raise Refused(RefusalCode.KEY_INVALID, "a key must be sent once, as Authorization: Bearer rt_…")
    return await keys.user(text.strip())


EXAMPLE_SECRET = "change-me"  # noqa: S105 (it is the one that is no secret)
"""Part of every secret in .env.example."""
EXAMPLE_KEY_ID = "000000000000"
"""Id of the key in .env.example. A deployment that began on loopback may have kept it."""


def check_secrets(published: str, secrets: Mapping[str, str]) -> None:
    """Raise `SettingsError` if other machines can reach the gateway and a secret is the one of .env.example.

    ``published``: the address that the gateway is reached at. ``secrets``: by name of the setting."""
    for name, value in secrets.items():
        if EXAMPLE_SECRET in value and not is_loopback(published):
            raise SettingsError(
                f"{name} is the example secret of .env.example, but {published} can be reached from other machines"
            )


def check_first_key(published: str, keys: KeyStore) -> None:
    """Raise `SettingsError` if other machines can reach the gateway and the example key is still valid."""
    if is_loopback(published):
        return
    key = keys.find(EXAMPLE_KEY_ID)
    if key is not None and key.revoked_at is None:
        raise SettingsError(
            f"the example key of .env.example is valid here, but {published} can be reached from other machines; run"
            f" `ringtrue keys create NAME`, then `ringtrue keys revoke {EXAMPLE_KEY_ID}`"
        )


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Return whether an address or name can be reached from this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _check_host(hosts: list[str]) -> None:
    # DNS rebinding: a web page whose name now points to 127.0.0.1 sends its own name as Host. Without keys, only our
    # names are taken.
    if len(hosts) != 1 or not is_loopback(_PORT.sub("", hosts[0])):
        raise Refused(
            RefusalCode.FORBIDDEN,
            "without API keys, this gateway answers only requests to localhost; to make one: ringtrue keys create NAME",
        )
