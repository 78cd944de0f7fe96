"""Checks whether the kernel enforces the sandbox of model hosts. The sandbox's own code is run in a child."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from services.doctor.children import NoAnswer, TooSlow, ask
from services.doctor.findings import Finding, not_tried, ok, warn
from shared.processes.interpreter import run_module

_PATIENCE_S = 8.0
_CONFINED = run_module("shared.sandbox")


def sandbox(confined: Sequence[str] = _CONFINED) -> Iterator[Finding]:
    """Check the sandbox. ``confined``: a command that confines itself and reports how."""
    try:
        told = ask(confined, _PATIENCE_S)
        answer = json.loads(told.output)
        enforced, how = answer["enforced"], answer["how"]
    except TooSlow as error:
        yield not_tried(f"it is unknown whether hosts run in a sandbox: {error}", "run ringtrue doctor --only sandbox")
    except NoAnswer as error:
        yield warn(f"it is unknown whether hosts run in a sandbox: {error}", "see the check wheels")
    except (ValueError, KeyError, TypeError):
        yield warn(f"it is unknown whether hosts run in a sandbox: {told.last_words}", "see the check wheels")
    else:
        if enforced:
            yield ok(f"hosts of engines and metrics run in a sandbox without network or other files ({how})")
        else:
            yield warn(
                f"the kernel does not enforce all of the sandbox of engine and metric hosts: {how}",
                "use a kernel of 6.12 or later with landlock in its list of modules (lsm=), and allow seccomp in the "
                "container; until then, run only models that you trust",
            )
