"""Errors for a person at a keyboard: in the words of the command line, and with what to do.

Owns the translation from the gateway's words, which are those of HTTP, to the command's.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from ringtrue.errors import APIError, ConnectionFailed, RingtrueError
from ringtrue.http.proxies import is_here

_IN_OUR_WORDS = {
    "POST /v1/jobs:batch": "`submit_many` of the Python client",
    "GET /v1/pins": "`ringtrue pins`",
}
"""What a program requests -> what a person types."""
_WHERE_KEYS_ARE_FROM = (
    "the key is read from RINGTRUE_API_KEY; to create one, run `ringtrue keys create NAME` on the gateway's machine"
)
_WHAT_A_PIN_HAS = "`ringtrue pins PIN` lists the languages, voices, controls and options of a pin"
_WHERE_IT_IS_LISTED = {
    "job_not_found": "`ringtrue jobs` lists your jobs",
    "voice_not_found": "`ringtrue voices list` lists your voices",
    "evaluation_not_found": "`ringtrue evaluations` lists your evaluations",
    "language_unsupported": _WHAT_A_PIN_HAS,
    "control_unsupported": _WHAT_A_PIN_HAS,
}
"""Code of a refusal -> the command that shows what there is instead."""
_KINDS = {"options": "option", "metadata": "metadata", "params": "parameter", "entries": "entry"}
"""Members whose own members have names that the user chose."""
_WRAPPERS = ("input", "body")
"""Members that contain what the user wrote, but that the user did not write."""


def told(error: RingtrueError) -> str:
    """Return the lines to print for an error."""
    headline = in_our_words(str(error))
    wrong: list[str] = []
    if isinstance(error, APIError):
        for one in error.errors:
            what = in_our_words(one.detail)
            wrong += [f"{place_in_words(one.pointer)}: {what}"]
            headline = headline.replace(f"{one.pointer}: {what}", wrong[-1])
    lines = [f"error: {headline}", *(line for line in wrong if line not in headline)]
    if isinstance(error, APIError):
        lines += [_WHERE_KEYS_ARE_FROM] if (error.code or "").startswith("key_") else []
        lines += _where_it_is_listed(error)
        lines += [f"request {error.request_id}"] if error.request_id else []
    if isinstance(error, ConnectionFailed):
        lines += [_where_to_look(error)]
    return "\n".join(lines)


def in_our_words(text: str) -> str:
    """Return ``text`` with the command's names instead of HTTP's."""
    for theirs, ours in _IN_OUR_WORDS.items():
        text = text.replace(theirs, ours)
    return text


def place_in_words(pointer: str) -> str:
    """Return a JSON pointer into a request in words: ``/text`` is the text, ``/jobs/0/text`` the text of job 1."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.strip("/").split("/") if part]
    if parts[:1] and parts[0] in _WRAPPERS and len(parts) > 1:
        parts = parts[1:]
    named: list[str] = []
    for part in parts:
        if part.isdecimal() and named:
            named[-1] = f"{named[-1].removeprefix('the ').removesuffix('s')} {int(part) + 1}"
        elif named and (kind := _KINDS.get(named[-1].removeprefix("the "))):
            named[-1] = f"the {kind} {part}"
        else:
            named.append(f"the {part}")
    return " of ".join(reversed(named)) or "the request"


def _where_it_is_listed(error: APIError) -> list[str]:
    if any(one.pointer == "/voice" for one in error.errors):
        return [_WHAT_A_PIN_HAS]
    return [_WHERE_IT_IS_LISTED[error.code]] if error.code in _WHERE_IT_IS_LISTED else []


def _where_to_look(error: ConnectionFailed) -> str:
    url = urlsplit(error.url)
    if is_here(url.hostname or "") and url.scheme == "https":
        return f"`ringtrue up` speaks HTTP without TLS: use --url http://{url.netloc}"
    if is_here(url.hostname or ""):
        return "is `ringtrue up` running? To use another gateway, set --url or RINGTRUE_URL"
    return "is this the URL of the gateway? It is set by --url or RINGTRUE_URL"
