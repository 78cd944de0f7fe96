"""Aliases arrive in a real MLflow registry; one that is away, or refuses, disturbs nothing."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace

import pytest
from mlflow.entities.model_registry import ModelVersion

from services.scorer.tracking.alias_mirror import MIRRORED_AGAIN_S, AliasMirror, Registry
from services.scorer.tracking.mlflow_http import MlflowHttp
from services.scorer.tracking.mlflow_tracker import MlflowTracker
from services.scorer.tracking.runs import TrackerRefused, TrackerUnavailable
from shared.aliases import Alias, Signature, promoted, rolled_back
from tests.memory_store import MemoryAliasStore, MemoryJobStore
from tests.scorer.tracking.tracked_jobs import MANIFEST
from tests.scorer.tracking_server import Reader, TrackingServer

V21, V23 = (
    replace(MANIFEST, pin=f"sun-{version}", lock_sha256=mark * 64) for version, mark in (("v21", "1"), ("v23", "3"))
)
PRODUCTION, CANDIDATE = Alias("sun", "production"), Alias("sun", "candidate")
ANN = Signature("ann", "it sounds better", 1000.0)
Told = tuple[Alias, str, str]


class FakeRegistry:
    """Remembers what it was told, or raises what it is told to for a while."""

    def __init__(self, *troubles: Exception) -> None:
        self.told: list[Told] = []
        self._troubles = list(troubles)

    def takes(self, alias: Alias) -> bool:
        return alias.word != "v23"

    def point(self, alias: Alias, pin: str, lock_sha256: str) -> None:
        if self._troubles:
            raise self._troubles.pop(0)
        self.told.append((alias, pin, lock_sha256))


@dataclass
class Place:
    """A team that moves aliases, and the time."""

    store: MemoryJobStore = field(default_factory=MemoryJobStore)
    aliases: MemoryAliasStore = field(default_factory=MemoryAliasStore)
    now: float = 2000.0

    def promote(self, alias: Alias, pin: str, weight: float = 0.0) -> None:
        last = {move.alias: move for move in self.aliases.last_moves()}
        assert self.aliases.record(promoted(last, alias, pin, weight, ANN))

    def rollback(self, alias: Alias) -> None:
        assert self.aliases.record(rolled_back(self.aliases.history(alias), {}, alias, ANN))

    def mirror(self, registry: Registry, holder: str = "scorer-1") -> AliasMirror:
        return AliasMirror(self.aliases, self.store, registry, holder, lambda: self.now)


@pytest.fixture
def place() -> Place:
    place = Place()
    place.store.publish("worker", [V21, V23], place.now)
    return place


def test_what_changed_is_mirrored_and_nothing_else(place: Place) -> None:
    registry = FakeRegistry()
    mirror = place.mirror(registry)
    place.promote(PRODUCTION, V21.pin)
    mirror.turn()
    mirror.turn()
    place.promote(CANDIDATE, V23.pin, 0.1)
    mirror.turn()
    place.promote(CANDIDATE, V23.pin, 0.5)
    mirror.turn()
    assert registry.told == [(PRODUCTION, V21.pin, "1" * 64), (CANDIDATE, V23.pin, "3" * 64)]


def test_what_is_mirrored_is_mirrored_again_now_and_then(place: Place) -> None:
    """Somebody may have deleted it there."""
    registry = FakeRegistry()
    mirror = place.mirror(registry)
    place.promote(PRODUCTION, V21.pin)
    mirror.turn()
    place.now += MIRRORED_AGAIN_S - 1
    mirror.turn()
    assert len(registry.told) == 1
    place.now += 1
    mirror.turn()
    mirror.turn()
    assert registry.told == [(PRODUCTION, V21.pin, "1" * 64)] * 2


def test_where_there_is_no_alias_nothing_is_asked_of_anybody(place: Place) -> None:
    registry = FakeRegistry()
    place.mirror(registry).turn()
    assert registry.told == []


def test_a_registry_that_is_away_is_asked_again_later(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    registry = FakeRegistry(TrackerUnavailable("away"))
    mirror = place.mirror(registry)
    place.promote(PRODUCTION, V21.pin)
    mirror.turn()
    mirror.turn()
    assert registry.told == []
    assert caplog.text.count("away") == 1
    place.now += 3
    mirror.turn()
    assert registry.told == [(PRODUCTION, V21.pin, "1" * 64)]


def test_what_is_refused_is_tried_again_in_minutes_and_others_are_mirrored(place: Place) -> None:
    registry = FakeRegistry(TrackerRefused("not allowed"))
    mirror = place.mirror(registry)
    place.promote(CANDIDATE, V23.pin)
    place.promote(PRODUCTION, V21.pin)
    mirror.turn()
    mirror.turn()
    assert [alias for alias, _, _ in registry.told] == [PRODUCTION]
    place.now += 300
    mirror.turn()
    assert [alias for alias, _, _ in registry.told] == [PRODUCTION, CANDIDATE]


def test_what_nobody_foresaw_is_logged_and_stops_nothing(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    registry = FakeRegistry(ZeroDivisionError("nobody foresaw"))
    mirror = place.mirror(registry)
    place.promote(PRODUCTION, V21.pin)
    mirror.turn()
    assert "nobody foresaw" in caplog.text
    place.now += 300
    mirror.turn()
    assert len(registry.told) == 1


def test_a_reserved_name_is_left_out_and_that_is_said_once(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    registry = FakeRegistry()
    mirror = place.mirror(registry)
    place.promote(Alias("sun", "v23"), V23.pin)
    with caplog.at_level(logging.WARNING):
        mirror.turn()
        mirror.turn()
    assert registry.told == []
    assert caplog.text.count("alias sun@v23 is not copied to MLflow") == 1


def test_a_pin_that_was_forced_is_mirrored_once_it_is_published(place: Place) -> None:
    registry = FakeRegistry()
    mirror = place.mirror(registry)
    place.promote(PRODUCTION, "sun-v99")
    mirror.turn()
    assert registry.told == []
    place.store.publish("worker", [replace(V23, pin="sun-v99")], place.now)
    mirror.turn()
    assert registry.told == [(PRODUCTION, "sun-v99", "3" * 64)]


def test_a_pin_that_is_locked_anew_is_mirrored_anew(place: Place) -> None:
    registry = FakeRegistry()
    mirror = place.mirror(registry)
    place.promote(PRODUCTION, V21.pin)
    mirror.turn()
    place.store.publish("worker", [replace(V21, lock_sha256="7" * 64)], place.now)
    mirror.turn()
    assert [lock for _, _, lock in registry.told] == ["1" * 64, "7" * 64]


def test_while_one_scorer_mirrors_another_waits(place: Place) -> None:
    class Meets(FakeRegistry):
        def point(self, alias: Alias, pin: str, lock_sha256: str) -> None:
            other.turn()
            super().point(alias, pin, lock_sha256)

    idle, busy = FakeRegistry(), Meets()
    other = place.mirror(idle, "scorer-2")
    place.promote(PRODUCTION, V21.pin)
    place.mirror(busy).turn()
    assert (len(busy.told), idle.told) == (1, [])
    other.turn()
    assert idle.told == busy.told


def version_of(reader: Reader, alias: Alias) -> ModelVersion:
    return reader.client.get_model_version_by_alias(alias.model, alias.word)


def test_mlflow_shows_what_an_alias_means_to_the_byte(place: Place, server: TrackingServer, reader: Reader) -> None:
    mirror = place.mirror(MlflowTracker(MlflowHttp(server.uri)).registry)
    place.promote(PRODUCTION, V21.pin)
    place.promote(CANDIDATE, V23.pin, 0.1)
    mirror.turn()
    found = {alias: version_of(reader, alias) for alias in (PRODUCTION, CANDIDATE)}
    assert found[PRODUCTION].tags == {"tts.pin": V21.pin, "tts.lock_sha256": V21.lock_sha256}
    assert found[CANDIDATE].tags == {"tts.pin": V23.pin, "tts.lock_sha256": V23.lock_sha256}
    assert found[PRODUCTION].source == f"ringtrue:/{V21.pin}"


def test_mlflow_keeps_one_version_per_pin_and_lock(place: Place, server: TrackingServer, reader: Reader) -> None:
    moon = Alias("moon", "production")
    registry = MlflowTracker(MlflowHttp(server.uri)).registry
    mirror = place.mirror(registry)
    place.promote(moon, V21.pin)
    mirror.turn()
    place.promote(moon, V23.pin)
    mirror.turn()
    place.rollback(moon)
    mirror.turn()
    place.mirror(registry, "a scorer that was started again").turn()
    assert version_of(reader, moon).tags["tts.pin"] == V21.pin
    assert len(reader.client.search_model_versions("name = 'moon'")) == 2


@pytest.mark.parametrize("word", ["latest", "v23", "v1"])
def test_mlflow_reserves_the_names_that_we_leave_out(server: TrackingServer, word: str) -> None:
    registry = MlflowTracker(MlflowHttp(server.uri)).registry
    assert not registry.takes(Alias("mars", word))
    with pytest.raises(TrackerRefused, match="reserved"):
        registry.point(Alias("mars", word), V21.pin, V21.lock_sha256)


@pytest.mark.parametrize("word", ["production", "latest-2", "v23-rc", "v", "v2x"])
def test_mlflow_takes_every_other_name(server: TrackingServer, reader: Reader, word: str) -> None:
    registry, alias = MlflowTracker(MlflowHttp(server.uri)).registry, Alias("venus.eu-1_0", word)
    assert registry.takes(alias)
    registry.point(alias, V21.pin, V21.lock_sha256)
    assert version_of(reader, alias).tags["tts.pin"] == V21.pin


def test_mlflow_that_is_stopped_is_waited_for(place: Place, server: TrackingServer, reader: Reader) -> None:
    pluto = Alias("pluto", "production")
    mirror = place.mirror(MlflowTracker(MlflowHttp(server.uri)).registry)
    place.promote(pluto, V21.pin)
    server.stop()
    try:
        mirror.turn()
    finally:
        server.start()
    place.now += 3
    mirror.turn()
    assert version_of(reader, pluto).tags["tts.pin"] == V21.pin
