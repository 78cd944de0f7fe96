"""Where a request says that it comes from: a page of some origin, or a proxy.

Owns the rules on `Origin`, `Sec-Fetch-*` and the headers that proxies add. Knows no user and no key.
"""

from __future__ import annotations

import re
from functools import lru_cache

from starlette.datastructures import Headers

from shared.errors import RefusalCode, Refused

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""
_OWN_SITES = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of our own pages, and of an address that a person typed. `same-site` is another port or host."""
_PORT = {"http": ":80", "https": ":443"}
"""Default ports. Browsers leave them out of `Origin` and `Host`; some programs do not."""
_PROXIED = re.compile(
    r"forwarded|forwarded-for|via|cdn-loop|client-ip|x-(?:host|rewrite-url|proxyuser-ip|originating-ip|http-host-override)"
    r"|x-forwarded.*|x-original-.*|(?:.+-)?(?:real|client|connecting|remote|user|source)-?(?:ip|addr|address)"
    r"|(?:x-envoy|cf|fly|fastly|x-azure|x-appengine|x-arr|x-amzn|x-vercel|x-akamai|x-nf|wl-proxy)-.*"
)
"""Header names, in lower case and with dashes, that proxies add and that programs on this machine never send."""


def check_no_proxy(headers: Headers) -> None:
    """Raise `Refused` if a proxy passed the request on: the client behind it may not be on this machine."""
    for raw, _ in headers.raw:
        if _is_of_a_proxy(raw):
            name = raw.decode("latin-1")
            raise Refused(
                RefusalCode.FORBIDDEN,
                f"without API keys, this gateway answers only this machine, and the header {name[:60]} says"
                " that a proxy sent this; to make a key: ringtrue keys create NAME",
            )


@lru_cache(maxsize=512)  # clients send the same names again and again
def _is_of_a_proxy(name: bytes) -> bool:
    return _PROXIED.fullmatch(name.decode("latin-1").replace("_", "-")) is not None


def check_page(method: str, headers: Headers, *, with_key: bool) -> None:
    """Raise `Refused` if a page of another origin sent the request.

    With a key, only methods that change something are checked: a proxy may add the key for a logged-in user. Without a
    key, all methods are checked, because reading costs too. A link that a person follows is always allowed."""
    if "origin" not in headers and "sec-fetch-site" not in headers:
        return
    safe = method in _SAFE
    sites, origins = headers.getlist("sec-fetch-site"), headers.getlist("origin")
    if safe and with_key:
        return
    foreign_site = any(site.lower() not in _OWN_SITES for site in sites)
    if foreign_site and not (safe and _is_followed(headers)):
        raise _foreign(f"Sec-Fetch-Site is {sites[0][:40]}")
    if sites and with_key:
        return  # a proxy may have changed Host since; what the browser itself says is enough
    hosts = headers.getlist("host")
    schemes = ("http", "https") if with_key else ("http",)
    if len(origins) > 1 or not all(_is_own(origin, hosts, schemes) for origin in origins):
        raise _foreign(f"Origin is {origins[0][:100]}")


def _is_followed(headers: Headers) -> bool:
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def _is_own(origin: str, hosts: list[str], schemes: tuple[str, ...]) -> bool:
    scheme, _, place = origin.lower().partition("://")
    if scheme not in schemes or len(hosts) != 1:
        return False
    port = _PORT[scheme]
    return place.removesuffix(port) == hosts[0].lower().removesuffix(port)


def _foreign(why: str) -> Refused:
    return Refused(RefusalCode.FORBIDDEN, f"requests from pages of another origin are not allowed ({why})")
