"""Which pins a worker serves and what each can do, kept up to date while files and locks change.

Owns which families and pins there are, and how the host of one is started. A pin of the catalog is checked against the
store before every start of its host, and from time to time in between. Imports no engine code; it asks child processes.
"""

from __future__ import annotations

import json
import logging
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.worker.engine_host import EngineHost
from services.worker.engines.base import Snapshot
from services.worker.environment_record import Environment, comparable_part
from services.worker.installs.interpreters import Interpreter, Interpreters
from services.worker.pins.catalog_pins import CatalogPins
from shared.catalog import Manifest, PinState
from shared.errors import FailureCode, JobFailure, SettingsError
from shared.processes.hosting import Child, HostCrashed, HostTimeout
from shared.processes.interpreter import run_module
from shared.weights.errors import FilesWrong
from shared.weights.lock import PinLock

FAMILIES = run_module("services.worker.engines.families")
ANSWER_S = 60.0
"""Seconds for a list of pins or a manifest. No model is loaded for these."""

LOOK_EVERY_S = 5.0
"""Seconds between two looks of a running worker."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Family:
    """An installed family, as services/worker/engines/families.py describes it."""

    name: str
    reference: str
    distribution: str
    version: str
    interpreter: Interpreter = field(default_factory=Interpreter)

    @property
    def argv(self) -> Sequence[str]:
        return (*self.interpreter.host, "--family", self.reference)


@dataclass(frozen=True, slots=True)
class _Served:
    """A pin with its manifest. If it is refused, ``failure`` says why."""

    family: _Family
    manifest: Manifest
    failure: JobFailure | None = None
    lock: PinLock | None = None
    """The lock of a pin of the catalog; `None` for a built-in pin."""

    @property
    def may_recover(self) -> bool:
        """True if it is refused for its files, which may be right at the next look."""
        return self.failure is not None and self.failure.code in (
            FailureCode.MODEL_NOT_PULLED,
            FailureCode.MODEL_LOCK_MISMATCH,
        )


class ServedPins:
    """The pins of a worker, shared by its slots. Any thread may call it."""

    def __init__(
        self,
        pins: Sequence[str] | None = None,
        *,
        env: Mapping[str, str] | None = None,
        catalog_pins: CatalogPins | None = None,
        interpreters: Interpreters | None = None,
        families: Sequence[str] | None = None,
        here: Environment | None = None,
    ) -> None:
        """``pins``: serve only these; default: all that are built in or locked. ``env``: the hosts' environment;
        default: ours. ``catalog_pins``: the catalog's pins; default: none. ``interpreters``: the families' Pythons;
        default: ours. ``families``: only these; default: all that are installed. ``here``: this worker's environment;
        without it, no manifest says in which environment its pin is spoken."""
        self._wanted = pins
        self._env = env
        self._catalog_pins = catalog_pins
        self._interpreters = interpreters or Interpreters()
        self._only = families
        self._here = here
        self._looking = threading.Lock()
        self._installed: Sequence[_Family] = ()
        self._families: Mapping[str, _Family] = {}
        self._built_in: Mapping[str, _Served] = {}
        self._locked: Mapping[str, _Served] = {}
        self._looked = False

    def manifests(self) -> Sequence[Manifest]:
        """Return the manifest of each pin. A pin that fails is ``refused``, with the reason in ``detail``.

        Raises `SettingsError` for a requested pin that is neither built in nor locked.
        """
        return [served.manifest for served in self._served()]

    def families(self) -> Sequence[str]:
        """Return every served family. A pin of any of them may be locked later."""
        self.manifests()
        return sorted(self._families)

    def ready(self) -> Sequence[Manifest]:
        """Return the manifests of the pins that can be spoken with."""
        return [manifest for manifest in self.manifests() if manifest.state is PinState.READY]

    def served(self) -> Sequence[str]:
        """Return the names of the pins that can be spoken with."""
        return [manifest.pin for manifest in self.ready()]

    def refused(self) -> Mapping[str, JobFailure]:
        """Return the refused pins, each with the failure that its jobs end with."""
        return {served.manifest.pin: served.failure for served in self._served() if served.failure is not None}

    def lock_sha256(self, pin: str) -> str | None:
        """Return the lock that a host of ``pin`` would load now, or `None` if the pin is not here."""
        manifest = self.manifest(pin)
        return manifest.lock_sha256 if manifest else None

    def look(self) -> None:
        """Check again which pins of the catalog were locked, pulled, changed or removed, and which interpreters were
        made."""
        with self._looking:
            if not self._looked:
                self._installed = _installed(self._env)
            wanted = [one for one in self._installed if self._only is None or one.name in self._only]
            found = [replace(family, interpreter=self._interpreters.of(family.name)) for family in wanted]
            families = {family.name: family for family in found}
            if not self._looked or families != self._families:
                self._families = families
                self._built_in = self._asked_built_in()
            if self._catalog_pins is not None:
                self._locked = self._asked_locked(self._catalog_pins)
            self._looked = True

    def manifest(self, pin: str) -> Manifest | None:
        """Return the manifest of one pin, or `None` if the pin is not here."""
        served = self._of(pin)
        return served.manifest if served else None

    def weights_mb(self, pin: str) -> float:
        """Return the size of the pin's files in MB (1e6 bytes). 0 for a pin without files or one that is not here."""
        served = self._of(pin)
        files = served.lock.files if served and served.lock else ()
        return sum(file.size for file in files) / 1e6

    def start(self, pin: str, pass_fds: Sequence[int] = ()) -> EngineHost:
        """Start a host of ``pin`` after checking its files. It loads nothing yet and keeps ``pass_fds`` open. Raises
        `JobFailure`."""
        served = self._of(pin)
        if served is None:
            raise JobFailure(
                FailureCode.MODEL_NOT_PULLED, f"unknown pin {pin}: no engine here has it, and no lock names it"
            )
        if served.lock is None or self._catalog_pins is None:
            return self._host(pin, served.family, pass_fds=pass_fds)
        return self._host_of(self._catalog_pins, served.family, served.lock, pass_fds)

    def _of(self, pin: str) -> _Served | None:
        return next((served for served in self._served() if served.manifest.pin == pin), None)

    def _served(self) -> Sequence[_Served]:
        if not self._looked:
            self.look()
        return [*self._built_in.values(), *self._locked.values()]

    def _host_of(
        self, catalog_pins: CatalogPins, family: _Family, lock: PinLock, pass_fds: Sequence[int] = ()
    ) -> EngineHost:
        try:
            return self._host(lock.name, family, catalog_pins.snapshot(lock), pass_fds)
        except FilesWrong as wrong:
            raise JobFailure(wrong.code, str(wrong)) from wrong

    def _host(
        self, pin: str, family: _Family, snapshot: Snapshot | None = None, pass_fds: Sequence[int] = ()
    ) -> EngineHost:
        try:
            return EngineHost(pin, family.argv, self._env, pass_fds, snapshot=snapshot)
        except OSError as error:
            raise JobFailure(FailureCode.ENGINE_CRASHED, _no_start(family, error), final=False) from error

    def _asked_built_in(self) -> Mapping[str, _Served]:
        # All at once, so that the hosts of the families start side by side.
        children = [(family, self._child(family)) for family in self._families.values()]
        of_pin: dict[str, _Family] = {}
        for family, child in children:
            for pin in _pins(family, child) if child else ():
                of_pin.setdefault(pin, family)
        self._check_wanted([*of_pin, *(self._catalog_pins.locks() if self._catalog_pins else ())])
        of_pin = {pin: of_pin[pin] for pin in self._wanted or of_pin if pin in of_pin}
        hosts = [self._host(pin, family) for pin, family in of_pin.items()]
        try:
            return {host.pin: self._asked(host, of_pin[host.pin]) for host in hosts}
        finally:
            for host in hosts:
                host.close()

    def _child(self, family: _Family) -> Child | None:
        try:
            return Child(family.argv, self._env)
        except OSError as error:
            log.error("engine family %s: %s", family.name, _no_start(family, error))
            return None

    def _asked_locked(self, catalog_pins: CatalogPins) -> Mapping[str, _Served]:
        found: dict[str, _Served] = {}
        locks = catalog_pins.locks()
        for pin, lock in locks.items():
            family = self._families.get(lock.engine)
            if family is None or pin in self._built_in or (self._wanted is not None and pin not in self._wanted):
                continue  # served by another worker, or hidden by a built-in pin of the same name
            catalog_pins.hold(lock)
            found[pin] = self._looked_at(catalog_pins, family, lock)
        catalog_pins.release(but={locks[pin].sha256 for pin in found})
        return found

    def _looked_at(self, catalog_pins: CatalogPins, family: _Family, lock: PinLock) -> _Served:
        known = self._locked.get(lock.name)
        try:
            if known is not None and (known.lock, known.family) == (lock, family) and not known.may_recover:
                catalog_pins.snapshot(lock)
                return known
            host = self._host_of(catalog_pins, family, lock)
        except FilesWrong as wrong:
            return _refused(lock.name, family, JobFailure(wrong.code, str(wrong)), lock, known)
        except JobFailure as failure:
            return _refused(lock.name, family, failure, lock, known)
        try:
            return self._asked(host, family, lock, known)
        finally:
            host.close()

    def _asked(
        self, host: EngineHost, family: _Family, lock: PinLock | None = None, known: _Served | None = None
    ) -> _Served:
        try:
            manifest = host.manifest(ANSWER_S)
            around = host.look_around(ANSWER_S)
        except JobFailure as failure:
            return _refused(host.pin, family, failure, lock, known)
        if manifest.state is not PinState.REFUSED:
            there = comparable_part(self._here, around)
            return _Served(family, replace(manifest, environment=there), lock=lock)
        why = JobFailure(FailureCode.ENGINE_ERROR, manifest.detail or "refused by its engine")
        log.error("%s is refused: %s", host.pin, why.message)
        return _Served(family, replace(manifest, detail=f"{why.code.value}: {why.message}"), why, lock)

    def _check_wanted(self, known: Sequence[str]) -> None:
        if unknown := sorted(set(self._wanted or ()) - set(known)):
            there = ", ".join(known) or "none"
            raise SettingsError(f"unknown pin {', '.join(unknown)}: neither built in nor locked; known: {there}")


def _tell_refused(pin: str, failure: JobFailure) -> None:
    if failure.code is FailureCode.MODEL_NOT_PULLED:  # the normal state between `lock` and `pull`
        log.info("%s is locked but not pulled; run `ringtrue models pull %s`: %s", pin, pin, failure.message)
    else:
        log.error("%s is refused: %s: %s", pin, failure.code.value, failure.message)


def _no_start(family: _Family, error: OSError) -> str:
    return f"{family.interpreter.python}, which serves {family.name}, cannot be started: {error.strerror}"


def _installed(env: Mapping[str, str] | None) -> Sequence[_Family]:
    try:
        listed = subprocess.run(FAMILIES, env=env, stdout=subprocess.PIPE, check=True, timeout=ANSWER_S)
    except subprocess.SubprocessError as error:
        raise SettingsError(f"installed engines cannot be listed: {error}") from error
    return [_Family(**described) for described in json.loads(listed.stdout)]


def _pins(family: _Family, child: Child) -> Sequence[str]:
    """Return the pins that a family brings along, or none if it fails to answer. ``child`` is its host, which is ended
    here."""
    try:
        answer = child.ask({"op": "pins"}, timeout_s=ANSWER_S).header
        return list(answer["ok"]["pins"])
    except (HostCrashed, HostTimeout) as error:
        log.error("engine family %s (%s) is skipped: %s", family.name, family.distribution, error)
        return ()
    finally:
        child.kill()


def _refused(
    pin: str, family: _Family, failure: JobFailure, lock: PinLock | None, known: _Served | None = None
) -> _Served:
    """``known``: what the look before found. The same failure is not logged again."""
    before = known.failure if known else None
    if before is None or (before.code, before.message) != (failure.code, failure.message):
        _tell_refused(pin, failure)
    manifest = Manifest(
        pin=pin,
        engine=family.name,
        engine_version=family.version,
        lock_sha256=lock.sha256 if lock else "",
        sample_rate=0,
        languages=(),
        default_language="",
        voices=(),
        controls={},
        emotions=(),
        trust_remote_code=lock is not None and lock.trust_remote_code,
        state=PinState.REFUSED,
        detail=f"{failure.code.value}: {failure.message}",
    )
    return _Served(family, manifest, failure, lock)
