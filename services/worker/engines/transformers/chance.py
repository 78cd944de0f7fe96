"""The random numbers of one call: drawn from its seed alone, without changing the generator's state for other calls."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from services.worker.engines.base import SpeakRequest
from shared.catalog import canonical_json

if TYPE_CHECKING:
    import torch


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """In the block, torch draws from ``seed`` on the CPU and on ``device``, and keeps no gradients."""
    import torch

    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.inference_mode():
        torch.manual_seed(seed)
        yield


def seed_of_all(requests: Sequence[SpeakRequest]) -> int:
    """Return the one seed of a batch, computed from all its seeds and texts in their order. The same batch has the same
    seed."""
    composition = [[request.seed, request.text] for request in requests]
    return int.from_bytes(hashlib.sha256(canonical_json(composition)).digest()[:8], "big") >> 1


def settle(device: torch.device, threads: int) -> None:
    """Make ``device`` choose its algorithms by shape alone, never by measuring which is fastest at the moment.

    On a CPU the order of sums depends on how many ``threads`` share them, so their number is fixed as well.
    """
    import torch

    torch.set_num_threads(threads)
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
