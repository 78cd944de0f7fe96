"""docker-compose.yml as Compose reads it: with the values of an environment file in place of its variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OURS = ("gateway", "first-key", "worker", "scorer", "worker-gpu", "worker-indextts2", "worker-sambert", "mlflow")
"""Services whose images are built here."""
SECRETS = (
    "POSTGRES_PASSWORD",
    "GATEWAY_DATABASE_PASSWORD",
    "WORKER_DATABASE_PASSWORD",
    "SCORER_DATABASE_PASSWORD",
    "MLFLOW_DATABASE_PASSWORD",
    "MLFLOW_PASSWORD",
    "MLFLOW_SECRET_KEY",
    "REDIS_PASSWORD",
    "RINGTRUE_API_KEY",
)
PORT_FILE = "docker/mlflow-port.yml"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<how>:?[-?])(?P<other>[^}]*))?\}")


def settings(text: str) -> dict[str, str]:
    """An environment file; later lines may name earlier ones."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith("#"):
            found[name] = filled(value, found)
    return found


def example() -> dict[str, str]:
    """What .env.example says."""
    return settings((ROOT / ".env.example").read_text())


def composed(environ: Mapping[str, str], file: str = "docker-compose.yml") -> dict[str, Any]:
    """The file with its variables filled in, merge keys resolved."""
    return dict(yaml.safe_load(filled((ROOT / file).read_text(), environ)))


def filled(text: str, environ: Mapping[str, str]) -> str:
    """``${NAME}``, ``${NAME-other}``, ``${NAME:-other}`` and ``${NAME:?why}``, as docker-compose 1.29 knows them."""

    def value(found: re.Match[str]) -> str:
        given = environ.get(found["name"])
        if given or (given is not None and not (found["how"] or "").startswith(":")):
            return given
        assert "?" not in (found["how"] or ""), f"{found['name']} is needed: {found['other']}"
        return found["other"] or ""

    return _VARIABLE.sub(value, text)


def variables() -> Iterator[re.Match[str]]:
    """Every variable that the two files name."""
    lines = [line for file in ("docker-compose.yml", PORT_FILE) for line in (ROOT / file).read_text().splitlines()]
    return _VARIABLE.finditer("\n".join(line for line in lines if not line.lstrip().startswith("#")))
