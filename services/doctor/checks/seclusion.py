"""Can a host of models have its network closed by the kernel? Asked of the hosts' own code, in a child."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence

from services.doctor.children import NoAnswer, ask
from services.doctor.findings import Finding, ok, warn

_PATIENCE_S = 8.0
_WORKER = (sys.executable, "-m", "shared.seclusion")


def seclusion(worker: Sequence[str] = _WORKER) -> Iterator[Finding]:
    """``worker``: the command that closes its own network and tells how."""
    try:
        told = ask(worker, _PATIENCE_S)
        answer = json.loads(told.output)
        enforced, how = answer["enforced"], answer["how"]
    except NoAnswer as error:
        yield warn(f"whether a host's network can be closed is not known: {error}", "see wheels")
    except (ValueError, KeyError, TypeError):
        yield warn(f"whether a host's network can be closed is not known: {told.last_words}", "see wheels")
    else:
        if enforced:
            yield ok(f"hosts of engines and metrics run with the network closed ({how})")
        else:
            yield warn(
                f"hosts are only told to stay offline, the kernel does not hold them to it: {how}",
                "allow seccomp filters in the container, or cut the network of worker and scorer outside",
            )
