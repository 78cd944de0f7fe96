"""Checks whether the hosts answer that models are fetched from. Only pulling needs them, so it never more than warns.

Knows no hub's address: if none was set, a child asks the hub's own library.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from functools import partial
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request

from services.doctor.asking import opener_for, without_credentials
from services.doctor.children import NoAnswer, ask
from services.doctor.findings import Finding, ok, warn
from services.doctor.round import begun
from shared.errors import SettingsError
from shared.weights.lock import Source

_PATIENCE_S = 3.0
_SLOW_NAMES_S = 3.0
"""Seconds. Looking up a name has its own timeout, which cannot be set."""
_DO = "check the proxy, or set another address with {variable} or --from; pulled pins need none"

_DEFAULT = {
    "huggingface": "from huggingface_hub.constants import ENDPOINT as at; print(at)",
    "modelscope": "from modelscope_hub.constants import DEFAULT_MODELSCOPE_DATA_ENDPOINT as at; print(at)",
}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """For each hub, the addresses that were set, in the order in which they are tried."""

    named: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Endpoints:
        """Read the hubs' own variables. A list is separated by commas."""
        values = {
            "huggingface": environ.get("HF_ENDPOINT", ""),
            "modelscope": environ.get("MODELSCOPE_ENDPOINT") or environ.get("MODELSCOPE_DOMAIN", ""),
        }
        named = {hub: [at.strip() for at in value.split(",") if at.strip()] for hub, value in values.items()}
        return cls({hub: [at if "://" in at else f"https://{at}" for at in ats] for hub, ats in named.items()})


def mirrors(sources: Collection[Source], endpoints: Endpoints) -> Iterator[Finding]:
    """Check each address. Yield one line for each that does not answer."""
    addresses = sorted(set(_addresses(sources, endpoints)))
    looks = {address: begun(partial(_why_silent, address)) for address in addresses}
    deadline, silent = time.monotonic() + _PATIENCE_S + _SLOW_NAMES_S, 0
    for address, look in looks.items():
        try:
            why = look.result(timeout=max(0.0, deadline - time.monotonic()))
        except NotInTime:
            why = "no answer in time"
        if why:
            silent += 1
            variable = "HF_ENDPOINT" if address in endpoints.named["huggingface"] else "a source in the catalog"
            yield warn(f"{without_credentials(address)}: {why}", _DO.format(variable=variable))
    if not addresses:
        yield ok("the catalog has no source on the network")
    elif not silent:
        yield ok(f"reached: {', '.join(map(without_credentials, addresses))}")


def _addresses(sources: Collection[Source], endpoints: Endpoints) -> Iterator[str]:
    for at in endpoints.named.values():
        yield from at
    for source in sources:
        if source.url:
            parts = urlsplit(source.url)
            yield f"{parts.scheme}://{parts.netloc}"
    for hub in {source.hub for source in sources if source.hub}:
        if not endpoints.named[hub]:
            with contextlib.suppress(NoAnswer):
                told = ask([sys.executable, "-P", "-c", _DEFAULT[hub]], _PATIENCE_S)
                if told.code == 0:
                    yield told.output.strip()


def _why_silent(address: str) -> str:
    """Return why an address does not answer. Empty if it answers HTTP, whatever it says to a bare HEAD."""
    if urlsplit(address).scheme not in ("http", "https"):
        return "must be http or https"
    try:
        opener_for(address).open(Request(address, method="HEAD"), timeout=_PATIENCE_S).close()  # noqa: S310 (http, as seen above)
    except SettingsError as error:
        return str(error)
    except HTTPError as error:
        return f"answers {error.code}" if error.code >= 500 else ""
    except (URLError, OSError, ValueError) as error:
        return str(error.reason if isinstance(error, URLError) else error)
    return ""
