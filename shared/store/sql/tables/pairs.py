"""The metadata of jobs as rows of `metadata_pairs`, by which lists find them.

Owns how a pair becomes a number. That never changes, because stored rows were written with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b

from shared.jobs import NewJob

PairRow = tuple[str, int, float, str]
"""A row: user, pair, created_at, id of the job."""


@lru_cache(maxsize=4096)
def pair_of(key: str, value: str) -> int:
    """Return a signed 64-bit hash of a pair.

    Two pairs may share one, so a search by it must also compare the metadata.
    """
    said = key.encode() + b"\0" + value.encode()
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "big", signed=True)


def pairs_of(metadata: Mapping[str, str]) -> set[int]:
    """Return the hashes of one job's pairs."""
    return {pair_of(key, value) for key, value in metadata.items()}


def rows_of(new: Sequence[NewJob]) -> Iterator[PairRow]:
    """Return the rows of several jobs."""
    return ((job.user, pair, job.created_at, job.id) for job in new for pair in pairs_of(job.metadata))
