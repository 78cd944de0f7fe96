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
        yield not_tried(f"whether hosts run in a sandbox is not known: {error}", "run this again, --only sandbox")
    except NoAnswer as error:
        yield warn(f"whether hosts run in a sandbox is not known: {error}", "see wheels")
    except (ValueError, KeyError, TypeError):
        yield warn(f"whether hosts run in a sandbox is not known: {told.last_words}", "see wheels")
    else:
        if enforced:
            yield ok(f"hosts of engines and metrics run in a sandbox, without network and other files ({how})")
        else:
            yield warn(
                f"the kernel does not hold hosts of engines and metrics to all of their sandbox: {how}",
                "a kernel of 6.12 or later with landlock in its list of modules (lsm=), and seccomp allowed in the "
                "container; until then run models that you trust only",
            )
