"""Two certificates, item by item: whether they have the same sound, and what can be said without the samples.

Owns which items can be compared. Knows neither files nor servers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.worker.certify.certificate import Certificate, CertificateEntry
from services.worker.certify.tiers import Tier, TierDifference, difference
from shared.errors import RingtrueError


class NothingInCommon(RingtrueError):
    """The two have no item that can be compared. The message says why the first cannot."""


@dataclass(frozen=True, slots=True)
class TakePair:
    """One item, with either a ``difference`` or ``why`` there is none."""

    id: str
    difference: TierDifference | None
    why: str | None = None
    used_otherwise: tuple[str, ...] = ()
    """Members that the two pins filled in differently although the request was the same."""

    def to_json(self) -> dict[str, Any]:
        if self.difference is None:
            return {"id": self.id, "tier": None, "why": self.why}
        more = {"used_otherwise": list(self.used_otherwise)} if self.used_otherwise else {}
        return {"id": self.id, **self.difference.to_json(), **more}


@dataclass(frozen=True, slots=True)
class TakesCompared:
    """The comparison of ``one`` and ``other``. Each difference is that of the second from the first."""

    one: Certificate
    other: Certificate
    pairs: tuple[TakePair, ...]

    @property
    def differences(self) -> list[TierDifference]:
        """The differences of the items that could be compared."""
        return [pair.difference for pair in self.pairs if pair.difference is not None]

    @property
    def tier(self) -> Tier | None:
        """The worst of all items, or ``None`` if one could not be compared."""
        if len(self.differences) < len(self.pairs):
            return None
        return max(one.tier for one in self.differences)

    @property
    def unheard(self) -> list[TakePair]:
        """Items in tier 2 that might be in tier 1 if the samples of both were there."""
        return [pair for pair in self.pairs if (of := pair.difference) and of.tier is Tier.SAME_SOUND and not of.heard]

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": 1,
            "object": "certificate_comparison",
            "certificates": [_named(self.one), _named(self.other)],
            "tier": None if self.tier is None else int(self.tier),
            "items": [pair.to_json() for pair in self.pairs],
        }


def compared(one: Certificate, other: Certificate) -> TakesCompared:
    """Compare two certificates. Raises `NothingInCommon` if no item can be compared."""
    pairs = tuple(_pairs(one, other))
    if all(pair.difference is None for pair in pairs):
        raise NothingInCommon(f"no item can be compared: {pairs[0].id}: {pairs[0].why}" if pairs else "no items")
    return TakesCompared(one, other, pairs)


def _pairs(one: Certificate, other: Certificate) -> Iterator[TakePair]:
    left, right = ({entry.id: entry for entry in each.entries} for each in (one, other))
    for id_ in dict.fromkeys([*left, *one.unspoken, *right, *other.unspoken]):
        if id_ in left and id_ in right:
            yield _pair(left[id_], right[id_])
        else:
            which, lacking = ("first", one) if id_ not in left else ("second", other)
            yield TakePair(id_, None, f"not spoken in the {which}: {lacking.unspoken.get(id_, 'not one of its items')}")


def _pair(one: CertificateEntry, other: CertificateEntry) -> TakePair:
    if one.asked != other.asked:
        names = [name for name in sorted({*one.asked, *other.asked}) if one.asked.get(name) != other.asked.get(name)]
        return TakePair(one.id, None, f"the requests differ: {', '.join(names)}")
    otherwise = [name for name in sorted({*one.used, *other.used}) if one.used.get(name) != other.used.get(name)]
    return TakePair(one.id, difference(one.clip, other.clip), used_otherwise=tuple(otherwise))


def _named(certificate: Certificate) -> dict[str, Any]:
    return {
        "pin": certificate.pin,
        "lock_sha256": certificate.lock_sha256,
        "where": certificate.where,
        "made_at": certificate.made_at,
    }
