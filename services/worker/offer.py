"""What a worker offers: its pins and what each can do, kept true while files and locks change.

Owns which families and pins there are and how the host of one is started. A pin of the catalog is checked against the
store before every start of its host, and now and then in between. It imports no engine code; what is installed it hears
from child processes.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.worker.engine_host import EngineHost
from services.worker.interpreters import Interpreter, Interpreters
from services.worker.shelf import Shelf
from services.worker.whereabouts import Environment, comparable_part
from shared.catalog import Manifest, PinState
from shared.errors import FailureCode, JobFailure, SettingsError
from shared.hosting import Child, HostCrashed, HostTimeout
from shared.weights.errors import FilesWrong
from shared.weights.lock import PinLock

FAMILIES = (sys.executable, "-m", "services.worker.engines.families")
ANSWER_S = 60.0
"""For a list of pins or a manifest: no model is loaded for that."""

LOOK_EVERY_S = 5.0
"""A running worker looks again this often."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Family:
    """An installed family as services/worker/engines/families.py describes it."""

    name: str
    reference: str
    distribution: str
    version: str
    interpreter: Interpreter = field(default_factory=Interpreter)

    @property
    def argv(self) -> Sequence[str]:
        return (*self.interpreter.host, "--family", self.reference)


@dataclass(frozen=True, slots=True)
class _Offered:
    """A pin and what it can do; or why it cannot, with a manifest that says so."""

    family: _Family
    manifest: Manifest
    failure: JobFailure | None = None
    lock: PinLock | None = None
    """Of a pin of the catalog."""

    @property
    def may_recover(self) -> bool:
        """It is refused for its files, and they may be right at the next look."""
        return self.failure is not None and self.failure.code in (
            FailureCode.MODEL_NOT_PULLED,
            FailureCode.MODEL_LOCK_MISMATCH,
        )


class Offer:
    """Shared by the slots of a worker; any thread may ask."""

    def __init__(
        self,
        pins: Sequence[str] | None = None,
        *,
        env: Mapping[str, str] | None = None,
        shelf: Shelf | None = None,
        interpreters: Interpreters | None = None,
        families: Sequence[str] | None = None,
        here: Environment | None = None,
    ) -> None:
        """``pins``: only these; default: all that are built in or locked. ``env``: the hosts' environment, default
        ours. ``shelf``: the catalog's pins; default: none. ``interpreters``: the families' Pythons; default: ours.
        ``families``: only these; default: all that are installed. ``here``: this worker's environment; without it no
        manifest says where its pin is spoken."""
        self._wanted = pins
        self._env = env
        self._shelf = shelf
        self._interpreters = interpreters or Interpreters()
        self._only = families
        self._here = here
        self._looking = threading.Lock()
        self._installed: Sequence[_Family] = ()
        self._families: Mapping[str, _Family] = {}
        self._built_in: Mapping[str, _Offered] = {}
        self._locked: Mapping[str, _Offered] = {}
        self._looked = False

    def manifests(self) -> Sequence[Manifest]:
        """What each pin can do. One that fails is ``refused`` with the reason in ``detail``.

        Raises `SettingsError` for a pin that was asked for and that is neither built in nor locked.
        """
        return [offered.manifest for offered in self._offered()]

    def families(self) -> Sequence[str]:
        """Every installed family: a pin of any of them may be locked later."""
        self.manifests()
        return sorted(self._families)

    def ready(self) -> Sequence[Manifest]:
        """Of the pins that can be spoken with."""
        return [manifest for manifest in self.manifests() if manifest.state is PinState.READY]

    def served(self) -> Sequence[str]:
        """Their names."""
        return [manifest.pin for manifest in self.ready()]

    def refused(self) -> Mapping[str, JobFailure]:
        """Pins that cannot, and how a job for one ends."""
        return {offered.manifest.pin: offered.failure for offered in self._offered() if offered.failure is not None}

    def lock_sha256(self, pin: str) -> str | None:
        """Of what a host of ``pin`` would load now."""
        manifest = self.manifest(pin)
        return manifest.lock_sha256 if manifest else None

    def look(self) -> None:
        """Look again: what of the catalog's pins was locked, pulled, changed or removed, and what Python was made."""
        with self._looking:
            if not self._looked:
                self._installed = _installed(self._env)
            wanted = [one for one in self._installed if self._only is None or one.name in self._only]
            found = [replace(family, interpreter=self._interpreters.of(family.name)) for family in wanted]
            families = {family.name: family for family in found}
            if not self._looked or families != self._families:
                self._families = families
                self._built_in = self._asked_built_in()
            if self._shelf is not None:
                self._locked = self._asked_locked(self._shelf)
            self._looked = True

    def manifest(self, pin: str) -> Manifest | None:
        """What one pin can do; `None` for a pin that is not here."""
        offered = self._of(pin)
        return offered.manifest if offered else None

    def weights_mb(self, pin: str) -> float:
        """Size of the pin's files; 0 for a pin without any, and for one that is not known."""
        offered = self._of(pin)
        files = offered.lock.files if offered and offered.lock else ()
        return sum(file.size for file in files) / 1e6

    def start(self, pin: str, pass_fds: Sequence[int] = ()) -> EngineHost:
        """A host of ``pin``, its files checked, nothing loaded; it keeps ``pass_fds`` open. Raises `JobFailure`."""
        offered = self._of(pin)
        if offered is None:
            raise JobFailure(FailureCode.MODEL_NOT_PULLED, f"no engine here brings {pin}, and no lock names it")
        if offered.lock is None or self._shelf is None:
            return self._host(pin, offered.family, pass_fds=pass_fds)
        return self._host_of(self._shelf, offered.family, offered.lock, pass_fds)

    def _of(self, pin: str) -> _Offered | None:
        return next((offered for offered in self._offered() if offered.manifest.pin == pin), None)

    def _offered(self) -> Sequence[_Offered]:
        if not self._looked:
            self.look()
        return [*self._built_in.values(), *self._locked.values()]

    def _host_of(self, shelf: Shelf, family: _Family, lock: PinLock, pass_fds: Sequence[int] = ()) -> EngineHost:
        try:
            snapshot = shelf.snapshot(lock)
        except FilesWrong as wrong:
            raise JobFailure(wrong.code, str(wrong)) from wrong
        return self._host(lock.name, family, "--snapshot", json.dumps(snapshot.to_json()), pass_fds=pass_fds)

    def _host(self, pin: str, family: _Family, *more: str, pass_fds: Sequence[int] = ()) -> EngineHost:
        argv = (*family.argv, *more)
        try:
            return EngineHost(pin, argv, self._env, pass_fds, elsewhere=family.interpreter.elsewhere)
        except OSError as error:
            raise JobFailure(FailureCode.ENGINE_CRASHED, _no_start(family, error), final=False) from error

    def _asked_built_in(self) -> Mapping[str, _Offered]:
        # All at once: families and hosts start side by side.
        children = [(family, self._child(family)) for family in self._families.values()]
        of_pin: dict[str, _Family] = {}
        for family, child in children:
            for pin in _pins(family, child) if child else ():
                of_pin.setdefault(pin, family)
        self._check_wanted([*of_pin, *(self._shelf.locks() if self._shelf else ())])
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

    def _asked_locked(self, shelf: Shelf) -> Mapping[str, _Offered]:
        found: dict[str, _Offered] = {}
        locks = shelf.locks()
        for pin, lock in locks.items():
            family = self._families.get(lock.engine)
            if family is None or pin in self._built_in or (self._wanted is not None and pin not in self._wanted):
                continue  # another worker's; a built-in name stays what it was
            shelf.hold(lock)
            found[pin] = self._looked_at(shelf, family, lock)
        shelf.release(but={locks[pin].sha256 for pin in found})
        return found

    def _looked_at(self, shelf: Shelf, family: _Family, lock: PinLock) -> _Offered:
        known = self._locked.get(lock.name)
        try:
            if known is not None and (known.lock, known.family) == (lock, family) and not known.may_recover:
                shelf.snapshot(lock)
                return known
            host = self._host_of(shelf, family, lock)
        except FilesWrong as wrong:
            return _refused(lock.name, family, JobFailure(wrong.code, str(wrong)), lock)
        except JobFailure as failure:
            return _refused(lock.name, family, failure, lock)
        try:
            return self._asked(host, family, lock)
        finally:
            host.close()

    def _asked(self, host: EngineHost, family: _Family, lock: PinLock | None = None) -> _Offered:
        try:
            manifest = host.manifest(ANSWER_S)
            around = host.look_around(ANSWER_S)
        except JobFailure as failure:
            return _refused(host.pin, family, failure, lock)
        if manifest.state is not PinState.REFUSED:
            there = comparable_part(self._here, around)
            return _Offered(family, replace(manifest, environment=there), lock=lock)
        why = JobFailure(FailureCode.ENGINE_ERROR, manifest.detail or "refused by its engine")
        log.error("%s is refused: %s", host.pin, why.message)
        return _Offered(family, replace(manifest, detail=f"{why.code.value}: {why.message}"), why, lock)

    def _check_wanted(self, known: Sequence[str]) -> None:
        if unknown := sorted(set(self._wanted or ()) - set(known)):
            there = ", ".join(known) or "none"
            raise SettingsError(f"neither built in nor locked: {', '.join(unknown)}; there are: {there}")


def _no_start(family: _Family, error: OSError) -> str:
    return f"{family.interpreter.python}, which serves {family.name}, cannot be started: {error.strerror}"


def _installed(env: Mapping[str, str] | None) -> Sequence[_Family]:
    try:
        listed = subprocess.run(FAMILIES, env=env, stdout=subprocess.PIPE, check=True, timeout=ANSWER_S)
    except subprocess.SubprocessError as error:
        raise SettingsError(f"installed engines cannot be listed: {error}") from error
    return [_Family(**described) for described in json.loads(listed.stdout)]


def _pins(family: _Family, child: Child) -> Sequence[str]:
    """The pins that a family brings along; none where it cannot say. ``child``: its host, which ends here."""
    try:
        answer = child.ask({"op": "pins"}, timeout_s=ANSWER_S).header
        return list(answer["ok"]["pins"])
    except (HostCrashed, HostTimeout) as error:
        log.error("engine family %s (%s) is left out: %s", family.name, family.distribution, error)
        return ()
    finally:
        child.kill()


def _refused(pin: str, family: _Family, failure: JobFailure, lock: PinLock | None) -> _Offered:
    log.error("%s is refused: %s: %s", pin, failure.code.value, failure.message)
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
        state=PinState.REFUSED,
        detail=f"{failure.code.value}: {failure.message}",
    )
    return _Offered(family, manifest, failure, lock)
