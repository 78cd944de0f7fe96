"""A suite as a JSON value, as `Suite.to_json` returns it. Checked by the rules for files; errors have JSON pointers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.errors import FieldError, InvalidRequest, RefusalCode
from shared.suites.suite import Suite
from shared.values.faults import pointer


class DocumentInvalid(InvalidRequest):
    """A value that is not a suite. Every error has its JSON pointer."""


def suite_in(document: Mapping[str, Any], at: str = "") -> Suite:
    """Return the suite in ``document``. ``at``: pointer to it, if it is part of a larger document.

    Its ``sha256``, if present, must be that of its items. Raises `DocumentInvalid`.
    """
    from shared.suites.checking import suite_of  # loads pydantic

    members = {name: value for name, value in document.items() if name != "sha256"}
    suite, faults = suite_of(members, members.get("items"), lambda loc: at + pointer(loc))
    errors = [FieldError(at + pointer(loc), what) for loc, what in faults]
    if suite is not None and document.get("sha256") not in (None, suite.sha256):
        errors = [FieldError(f"{at}/sha256", f"is not that of the items, which is {suite.sha256}")]
    if suite is None or errors:
        raise DocumentInvalid(errors, RefusalCode.SUITE_INVALID)
    return suite
