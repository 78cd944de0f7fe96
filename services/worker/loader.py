"""Which pins a worker serves, and the hosts that have them in memory.

Owns the choice of what stays loaded: the least recently used host leaves first. It imports no engine code; what is
installed it hears from child processes.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.worker.engine_host import HOST, EngineHost, Tick
from shared.catalog import Manifest, PinState
from shared.errors import FailureCode, JobFailure, SettingsError
from shared.hosting import Child, HostCrashed, HostTimeout

FAMILIES = (sys.executable, "-m", "services.worker.engines.families")
ANSWER_S = 60.0
"""For a list of pins or a manifest: no model is loaded for that."""
LOAD_S = 900.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Family:
    """An installed family as services/worker/engines/families.py describes it."""

    name: str
    reference: str
    distribution: str
    version: str

    @property
    def argv(self) -> Sequence[str]:
        return (*HOST, "--family", self.reference)


class Loader:
    """The hosts of one slot. A worker with several slots has a loader for each, used by one thread at a time: there
    is no lock in here."""

    def __init__(
        self, pins: Sequence[str] | None = None, *, env: Mapping[str, str] | None = None, capacity: int = 4
    ) -> None:
        """``pins``: serve only these; default: all that are installed. ``env``: the hosts' environment, default ours.
        ``capacity``: so many hosts stay loaded."""
        self._wanted = pins
        self._env = env
        self._capacity = capacity
        self._hosts: OrderedDict[str, EngineHost] = OrderedDict()  # least recently used first
        self._families: dict[str, _Family] | None = None
        self._manifests: tuple[Manifest, ...] | None = None

    def sibling(self) -> Loader:
        """A loader for another slot of the same worker: knows what this one has found out, shares no host with it."""
        other = Loader(self._wanted, env=self._env, capacity=self._capacity)
        other._families, other._manifests = self._families, self._manifests
        return other

    def manifests(self) -> Sequence[Manifest]:
        """What each pin can do, asked once. A pin or a family that fails is ``refused`` with the reason in ``detail``.

        Raises `SettingsError` for a pin that was asked for and that no installed family brings.
        """
        if self._manifests is None:
            self._manifests = tuple(self._asked_manifests())
        return self._manifests

    def served(self) -> Sequence[str]:
        """Pins that can be spoken with."""
        return [manifest.pin for manifest in self.manifests() if manifest.state is PinState.READY]

    def loaded(self) -> Sequence[str]:
        """Pins in memory, the most recently used first."""
        return [pin for pin, host in reversed(self._hosts.items()) if host.alive]

    def acquire(self, pin: str, tick: Tick) -> EngineHost:
        """The loaded host of ``pin``: as it stands, or started anew. Raises `JobFailure`, and what ``tick`` raises."""
        host = self._hosts.pop(pin, None)
        if host is not None and not host.alive:
            host.close()
            host = None
        if host is None:
            self._make_room()
            host = self._started(pin)
            try:
                host.load(tick, LOAD_S)
            except BaseException:
                host.close()
                raise
        self._hosts[pin] = host
        return host

    def close(self) -> None:
        """End every host."""
        while self._hosts:
            self._hosts.popitem()[1].close()

    def _make_room(self) -> None:
        while len(self._hosts) >= self._capacity:
            pin, host = self._hosts.popitem(last=False)
            log.info("%s leaves memory", pin)
            host.close()

    def _started(self, pin: str) -> EngineHost:
        family = self._family_of_pin().get(pin)
        if family is None:
            raise JobFailure(FailureCode.MODEL_NOT_PULLED, f"no engine installed here brings {pin}")
        return EngineHost(pin, family.argv, self._env)

    def _asked_manifests(self) -> Sequence[Manifest]:
        families = self._family_of_pin()
        hosts = [self._started(pin) for pin in self._wanted or families]  # all at once: they start side by side
        try:
            return [_manifest(host, families[host.pin]) for host in hosts]
        finally:
            for host in hosts:
                host.close()

    def _family_of_pin(self) -> Mapping[str, _Family]:
        if self._families is None:
            self._families = {}
            for family in _installed(self._env):
                for pin in _pins(family, self._env):
                    self._families.setdefault(pin, family)
        if unknown := sorted(set(self._wanted or ()) - set(self._families)):
            known = ", ".join(self._families) or "none"
            raise SettingsError(f"no installed engine brings {', '.join(unknown)}; there are: {known}")
        return self._families


def _installed(env: Mapping[str, str] | None) -> Sequence[_Family]:
    try:
        listed = subprocess.run(FAMILIES, env=env, stdout=subprocess.PIPE, check=True, timeout=ANSWER_S)
    except subprocess.SubprocessError as error:
        raise SettingsError(f"installed engines cannot be listed: {error}") from error
    return [_Family(**described) for described in json.loads(listed.stdout)]


def _pins(family: _Family, env: Mapping[str, str] | None) -> Sequence[str]:
    """The pins of a family; none where it cannot say."""
    child = Child(family.argv, env)
    try:
        answer = child.ask({"op": "pins"}, timeout_s=ANSWER_S).header
        return list(answer["ok"]["pins"])
    except (HostCrashed, HostTimeout) as error:
        log.error("engine family %s (%s) is left out: %s", family.name, family.distribution, error)
        return ()
    finally:
        child.kill()


def _manifest(host: EngineHost, family: _Family) -> Manifest:
    try:
        return host.manifest(ANSWER_S)
    except JobFailure as failure:
        log.error("%s is refused: %s: %s", host.pin, failure.code.value, failure.message)
        return _refused(host.pin, family, failure)


def _refused(pin: str, family: _Family, failure: JobFailure) -> Manifest:
    return Manifest(
        pin=pin,
        engine=family.name,
        engine_version=family.version,
        lock_sha256="",
        sample_rate=0,
        languages=(),
        default_language="",
        voices=(),
        controls={},
        emotions=(),
        state=PinState.REFUSED,
        detail=f"{failure.code.value}: {failure.message}",
    )
