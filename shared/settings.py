"""The settings of a Ringtrue process: their names, their defaults, and what to say about a misspelt one.

Owns the names. Reads no environment by itself: each composition root passes its own in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import SettingsError
from shared.values.spelling import did_you_mean
from shared.voices import VOICE_MINUTES

SETTINGS: Mapping[str, str] = {
    "RINGTRUE_DATA": "Folder of store, blobs and logs. Default: ringtrue in XDG_DATA_HOME or in ~/.local/share.",
    "RINGTRUE_DATABASE_URL": "sqlite:///FILE or postgresql://HOST/NAME. Default: ringtrue.db in the data folder.",
    "RINGTRUE_REDIS_URL": "Redis, redis://HOST:PORT/N or unix:///SOCKET?db=N. Default: redis://127.0.0.1:6379/0.",
    "RINGTRUE_BLOBS": "Folder of the audio. Default: blobs in the data folder.",
    "RINGTRUE_MODELS": "Folder of the weights. Default: models in the data folder.",
    "RINGTRUE_CATALOG": "The catalog of pins; its lock lies beside it. Default: catalog.toml in the data folder.",
    "RINGTRUE_ENGINES": "Folder of the engines' own environments. Default: engines in the data folder.",
    "RINGTRUE_INTERPRETERS": "Engines' Pythons: family=/path/to/python,… Default: that of its environment, else ours.",
    "RINGTRUE_FUNASR_PYTHON": "The Python that has FunASR, for metrics that need it. Default: the scorer's own.",
    "RINGTRUE_ALIVE": "File that a worker or a scorer touches every few seconds, for health checks. Default: none.",
    "RINGTRUE_PUBLISHED": "Address on which the gateway can be reached, where it is not the one it binds (containers).",
    "RINGTRUE_MLFLOW_URL": "Where people reach MLflow, for links to runs. Default: MLFLOW_TRACKING_URI.",
    "RINGTRUE_MEMORY_LEDGER": "Folder where a machine's workers share its memory out. Default: memory in the data.",
    "RINGTRUE_VOICE_MINUTES": "Minutes of sound in all the uploaded voices of a user. Default: 60.",
    "RINGTRUE_URL": "Where the client finds the gateway. Default: http://127.0.0.1:8000.",
    "RINGTRUE_API_KEY": "The client's key.",
    "RINGTRUE_WEBHOOK_SECRET": "`whsec_…`, which `ringtrue gate --webhook` signs with.",
    "RINGTRUE_TEST_DATABASE_URL": "Tests only: a PostgreSQL server that databases may be made on.",
    "RINGTRUE_TEST_IMAGES": "Tests only: 1 builds and runs the images, which takes Docker and a quarter of an hour.",
    "RINGTRUE_TEST_DATA": "Tests only: folder of clips and weights that are not in the repository.",
}
"""Every ``RINGTRUE_…`` variable with its description; ``MLFLOW_TRACKING_URI`` keeps MLflow's own name."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the services share, with every default filled in."""

    data: Path
    database_url: str
    redis_url: str
    blobs: Path
    models: Path
    catalog: Path
    memory_ledger: Path
    engines: Path
    interpreters: Mapping[str, Path]
    """Engine family -> the Python that serves it, for the families that name one."""
    mlflow_tracking_uri: str | None
    mlflow_url: str | None = None
    alive: Path | None = None
    published: str | None = None
    funasr_python: Path | None = None
    """The Python that has FunASR; ``None`` if not set."""
    voice_minutes: float = VOICE_MINUTES
    """Minutes of uploaded voices, for each user."""

    @property
    def recordings(self) -> Path:
        """Folder of uploaded voices.

        It is inside the blobs but separate, because a clip of a job that is uploaded again is a different thing.
        """
        return self.blobs / "recordings"

    @property
    def catalog_lock(self) -> Path:
        """Path of ``catalog.lock``, beside the catalog."""
        return self.catalog.with_suffix(".lock")


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings of an environment.

    Raises ``SettingsError`` for a value that cannot be used. Creates no folder.
    """
    data = Path(environ.get("RINGTRUE_DATA") or _share(environ) / "ringtrue").expanduser().absolute()
    return Settings(
        data=data,
        database_url=environ.get("RINGTRUE_DATABASE_URL") or _file_url(data / "ringtrue.db"),
        redis_url=environ.get("RINGTRUE_REDIS_URL") or "redis://127.0.0.1:6379/0",
        blobs=_folder(environ, "RINGTRUE_BLOBS", data / "blobs"),
        models=_folder(environ, "RINGTRUE_MODELS", data / "models"),
        catalog=_folder(environ, "RINGTRUE_CATALOG", data / "catalog.toml"),
        memory_ledger=_folder(environ, "RINGTRUE_MEMORY_LEDGER", data / "memory"),
        engines=_folder(environ, "RINGTRUE_ENGINES", data / "engines"),
        interpreters=_interpreters(environ.get("RINGTRUE_INTERPRETERS") or ""),
        mlflow_tracking_uri=environ.get("MLFLOW_TRACKING_URI") or None,
        mlflow_url=environ.get("RINGTRUE_MLFLOW_URL") or None,
        alive=_path(environ, "RINGTRUE_ALIVE"),
        published=environ.get("RINGTRUE_PUBLISHED") or None,
        funasr_python=_path(environ, "RINGTRUE_FUNASR_PYTHON"),
        voice_minutes=_minutes(environ, "RINGTRUE_VOICE_MINUTES", VOICE_MINUTES),
    )


def unknown_settings(environ: Mapping[str, str]) -> list[str]:
    """Return one line for each ``RINGTRUE_…`` variable that nothing reads: most likely it is misspelt."""
    lines = []
    for name in sorted(environ):
        if name.startswith("RINGTRUE_") and name not in SETTINGS:
            lines.append(f"{name} is not a setting{did_you_mean(name, SETTINGS)}")
    return lines


def _share(environ: Mapping[str, str]) -> Path:
    """Return the folder of applications' data by the XDG Base Directory Specification, which ignores relative paths."""
    # Not platformdirs: it reads the environment of this process, not the one that was passed in.
    share = Path(environ.get("XDG_DATA_HOME") or "")
    return share if share.is_absolute() else Path.home() / ".local/share"


def _file_url(database: Path) -> str:
    if "?" in str(database):  # in a URL, options follow a question mark
        raise SettingsError(
            f"{database.parent}: the path of the data folder must not contain a question mark; rename it"
        )
    return f"sqlite:///{database}"


def _folder(environ: Mapping[str, str], name: str, default: Path) -> Path:
    value = environ.get(name)
    if not value:
        return default
    if "://" in value:
        raise SettingsError(f"{name}={value}: must be a file or folder; object stores are not supported")
    return Path(value).expanduser().absolute()


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    value = environ.get(name)
    return Path(value).expanduser().absolute() if value else None


def _minutes(environ: Mapping[str, str], name: str, default: float) -> float:
    value = environ.get(name)
    try:
        minutes = float(value) if value else default
    except ValueError:
        minutes = math.nan
    if not (math.isfinite(minutes) and minutes >= 0):
        raise SettingsError(f"{name}={value}: must be a number of minutes, 0 or more")
    return minutes


def _interpreters(value: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for part in filter(None, map(str.strip, value.split(","))):
        family, equals, python = map(str.strip, part.partition("="))
        if not (family and equals and python) or family in found:
            raise SettingsError(
                f"RINGTRUE_INTERPRETERS: {part!r} must be family=/path/to/python, with each family once"
            )
        found[family] = Path(python).expanduser().absolute()
    return found
