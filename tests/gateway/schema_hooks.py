"""What schemathesis is told beside the document: which pins there are, so that most of what it sends is taken."""

from __future__ import annotations

from typing import Any

import schemathesis

PINS = ("espeak-v2", "rich-v1", "bare-v1")


@schemathesis.hook
def map_body(_: schemathesis.HookContext, body: Any) -> Any:
    """Every pin that is named by a text becomes one that is known, but for those that begin with a digit."""
    jobs = body.get("jobs") if isinstance(body, dict) else None
    for one in [body, *(jobs if isinstance(jobs, list) else ())]:
        if isinstance(one, dict) and isinstance(pin := one.get("pin"), str) and not pin[:1].isdigit():
            one["pin"] = PINS[len(pin) % len(PINS)]
    return body
