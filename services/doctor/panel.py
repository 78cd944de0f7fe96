"""The list of checks, their order, and their arguments. Checks nothing itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from services.doctor.checks.database import database
from services.doctor.checks.engines import LIMIT_S as ENGINES_S
from services.doctor.checks.engines import engines
from services.doctor.checks.folders import LEAST_FREE, Space, audio, caches, private, room, writable
from services.doctor.checks.gpu import LIMIT_S as GPU_S
from services.doctor.checks.gpu import gpu
from services.doctor.checks.memory import memory
from services.doctor.checks.metrics import metrics
from services.doctor.checks.mirrors import Endpoints, mirrors
from services.doctor.checks.packages import LIMIT_S as WHEELS_S
from services.doctor.checks.packages import placeholders, version_of, wheels
from services.doctor.checks.ports import gateway_port
from services.doctor.checks.process import open_files, python, settings
from services.doctor.checks.redis_server import clock, own_redis, redis
from services.doctor.checks.sandbox import sandbox
from services.doctor.checks.tracking_server import Credentials, mlflow, own_mlflow
from services.doctor.checks.weights import LIMIT_S as LOCKS_S
from services.doctor.checks.weights import WeightsSeen, locks
from services.doctor.findings import Check, Finding, Look, fail, ok
from shared.blobs import RESERVE_BYTES, local_folders, open_blobs
from shared.settings import Settings
from shared.weights.store import WeightStore

CHECKS: Mapping[str, str] = {
    "python": "The version of Python is the one that the pinned packages were resolved for.",
    "settings": "Every `RINGTRUE_…` variable is a known setting with a usable value.",
    "wheels": "Each declared dependency has its pinned version and can be imported, in a process of its own.",
    "placeholders": "No placeholder packages that only have the name of another one (`kantts`, `ttsfrd`).",
    "data": "`RINGTRUE_DATA` can be written, and is not open to other users of this machine.",
    "models": "`RINGTRUE_MODELS` can be written.",
    "blobs": "`RINGTRUE_BLOBS` can be written.",
    "caches": "`HF_HOME`, `MPLCONFIGDIR` and `NUMBA_CACHE_DIR`, or their defaults, can be written.",
    "disk": "There is disk space for data, and for files that are locked but not pulled yet.",
    "port": "The gateway can listen on its port; if not, which program uses it.",
    "files": "How many files and sockets a process may open.",
    "redis": "Redis answers, accepts writes and drops nothing; without `RINGTRUE_REDIS_URL`, the built-in server runs.",
    "clock": "The clocks of this machine and of Redis agree.",
    "database": "The database answers and has a schema that this version knows; on SQLite, WAL works in its folder.",
    "mlflow": "MLflow answers, accepts the login, and has the same major version.",
    "gpu": "Driver and torch build fit each other, and torch works on the GPU.",
    "memory": "There is enough memory (or graphics memory, or the container's share) for the pins to be served.",
    "locks": "Catalog and lock can be read; every pin is locked, pulled and unchanged.",
    "engines": "A host of each engine family starts in its Python; those that locked pins need are installed.",
    "metrics": "The metric families of other packages can be used.",
    "mirrors": "Every server that the catalog's files come from answers. Never more than a warning.",
    "sandbox": "The kernel enforces the sandbox of engine and metric hosts: no network, no files but their own.",
}
"""Every check with its sentence, in the order of the report."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined. ``settings`` is a sentence with the reason if the settings cannot be served."""

    settings: Settings | str
    misspelt: Sequence[str]
    named_redis: str | None
    credentials: Credentials
    endpoints: Endpoints
    caches: Mapping[str, Path]
    host: str
    port: int
    pins: Sequence[str]
    cores: int


def checks_for(patient: Patient) -> list[Check]:
    """Return one check per name of `CHECKS`. Without settings, the checks that need them are left out."""
    limits = {"wheels": WHEELS_S, "gpu": GPU_S, "memory": GPU_S, "locks": LOCKS_S, "engines": ENGINES_S}
    looks = _of_machine(patient)
    if not isinstance(patient.settings, str):
        looks |= _of_deployment(patient, patient.settings)
    return [Check(name, looks[name], limits.get(name, 10.0)) for name in CHECKS if name in looks]


def cache_folders(environ: Mapping[str, str], home: Path) -> Mapping[str, Path]:
    """Return the folders of the libraries' caches, by the variable that moves each of them."""
    cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    defaults = {
        "HF_HOME": cache / "huggingface",
        "MPLCONFIGDIR": config / "matplotlib",
        "NUMBA_CACHE_DIR": cache / "numba",
    }
    return {name: Path(environ.get(name) or folder).expanduser() for name, folder in defaults.items()}


def _of_machine(patient: Patient) -> dict[str, Look]:
    return {
        "python": partial(python, sys.version_info[:2]),
        "settings": partial(_settings, patient),
        "wheels": lambda: wheels(metadata.requires("ringtrue") or (), at_once=min(4, patient.cores)),
        "placeholders": placeholders,
        "caches": partial(caches, patient.caches),
        "port": partial(gateway_port, patient.host, patient.port),
        "files": open_files,
        "gpu": lambda: gpu(torch_installed=version_of("torch") is not None),
        "metrics": metrics,
        "sandbox": sandbox,
    }


def _of_deployment(patient: Patient, settings: Settings) -> dict[str, Look]:
    weights = WeightsSeen(settings.catalog, settings.catalog_lock, WeightStore(settings.models), patient.pins)
    own, uri = version_of("mlflow"), settings.mlflow_tracking_uri
    blobs = open_blobs(settings.blobs, create=False)
    return {
        "data": partial(private, settings.data),
        "models": partial(writable, settings.models, "choose another folder with RINGTRUE_MODELS"),
        "blobs": partial(audio, blobs, settings.blobs, "choose another folder with RINGTRUE_BLOBS"),
        "disk": lambda: room(_spaces(settings, weights.to_pull())),
        "redis": partial(redis, patient.named_redis) if patient.named_redis else own_redis,
        "clock": partial(clock, patient.named_redis) if patient.named_redis else lambda: [_alone()],
        "database": partial(database, settings.database_url, blobs),
        "mlflow": partial(mlflow, uri, patient.credentials, own) if uri else partial(own_mlflow, own),
        "memory": lambda: memory(weights.sizes()),
        "locks": partial(locks, weights),
        "engines": lambda: engines(weights.engines(), pythons=settings.interpreters),
        "mirrors": lambda: mirrors(weights.sources(), patient.endpoints),
    }


def _spaces(settings: Settings, to_pull: int) -> list[Space]:
    return [
        Space("data", settings.data, LEAST_FREE, "the first databases and clips"),
        Space("models", settings.models, to_pull, "files that are locked but not pulled yet"),
        *(Space("audio", folder, RESERVE_BYTES, "new jobs") for folder in local_folders(settings.blobs)),
    ]


def _settings(patient: Patient) -> list[Finding]:
    found = list(settings(patient.misspelt))
    if isinstance(patient.settings, str):
        mend = "correct it and run this again; checks that depend on settings were skipped"
        return [fail(patient.settings, mend), *(line for line in found if line.do)]
    return found


def _alone() -> Finding:
    return ok("no Redis is set, so there is no clock to compare with")
