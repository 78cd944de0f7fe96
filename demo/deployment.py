"""The deployment of docker-compose.yml, as an operator would start it: with the secrets of ``.env``.

Owns which Compose is used, waiting until every container is well, and that only what was started here is stopped.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.failure import DemoFailed
from demo.stack import Stack

ROOT = Path(__file__).parents[1]
MLFLOW_PORT = "docker/mlflow-port.yml"
"""Gives MLflow a port: the demo looks its runs up there."""
WELL_WITHIN_S = 600
_LOOK_EVERY_S = 1.0
_STATE = '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{.State.ExitCode}} '
_HEALTH = "{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}"
_ENDED_WELL = ("exited", "0")


@contextlib.contextmanager
def deployed_stack(folder: Path = ROOT) -> Iterator[Stack]:
    """Bring the deployment up if it is not, and stop in the end what did not run before. Its data stay.

    MLflow has a port meanwhile, where the operator gave it none."""
    given = _settings(os.environ, folder / ".env")
    files = given.get("COMPOSE_FILE", "docker-compose.yml").split(os.pathsep)
    plain = Compose(_with(files), folder)
    compose = plain if MLFLOW_PORT in files else Compose(_with([*files, MLFLOW_PORT]), folder)
    before = compose.running()
    try:
        compose.run("up", "--detach", "--build")
        wait_until_well(compose)
        api, mlflow = compose.url("gateway", 8000), compose.url("mlflow", 5000)
        yield Stack(api, mlflow, given.get("RINGTRUE_API_KEY"), given.get("MLFLOW_PASSWORD"))
    finally:
        started = sorted(compose.running() - before)
        if not before:
            compose.run("down")
        else:
            if started:
                compose.run("stop", *started)
            if "mlflow" in before and plain is not compose:
                plain.run("up", "--detach", "--no-deps", "mlflow")


def _with(files: Sequence[str]) -> Sequence[str]:
    return [*compose_command(), *(word for file in files for word in ("--file", file))]


@dataclass(frozen=True, slots=True)
class Container:
    """How one container is; ``health``: ``healthy``, ``starting``, ``unhealthy``, or ``none`` where nothing looks."""

    service: str
    status: str
    exit_code: str
    health: str

    @property
    def well(self) -> bool:
        return (self.status, self.exit_code) == _ENDED_WELL or (
            self.status == "running" and self.health in ("healthy", "none")
        )

    @property
    def lost(self) -> bool:
        """It ended in a way that waiting does not mend."""
        return self.status == "exited" and self.exit_code != "0"


class Compose:
    """Docker Compose in one folder. ``command``: v2 (``docker compose``) or 1.29 (``docker-compose``)."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command = command
        self._folder = folder

    def run(self, *arguments: str) -> None:
        """Let it work, in view. `DemoFailed` where it does not go well."""
        if code := subprocess.run([*self._command, *arguments], cwd=self._folder, check=False).returncode:
            raise DemoFailed(f"`{' '.join([*self._command, *arguments])}` ended with exit code {code}")

    def running(self) -> set[str]:
        """Names of the services that run."""
        return set(self._asked("ps", "--services", "--filter", "status=running").split())

    def containers(self) -> Sequence[Container]:
        ids = self._asked("ps", "--all", "--quiet").split()
        asked = ["docker", "inspect", "--format", _STATE + _HEALTH, *ids]
        said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout if ids else ""
        return [Container(*line.split()) for line in said.splitlines()]

    def url(self, service: str, port: int) -> str:
        """Where a port of a service is reached from here."""
        host, _, published = self._asked("port", service, str(port)).strip().rpartition(":")
        return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{published}"  # noqa: S104  where to knock

    def _asked(self, *arguments: str) -> str:
        command = [*self._command, *arguments]
        try:
            return subprocess.run(command, cwd=self._folder, check=True, stdout=subprocess.PIPE, text=True).stdout
        except subprocess.CalledProcessError as error:
            raise DemoFailed(f"`{' '.join(command)}` ended with exit code {error.returncode}") from error


def compose_command() -> Sequence[str]:
    """`DemoFailed` where there is none."""
    if shutil.which("docker") is None:
        raise DemoFailed("docker is not installed; `make demo` needs only Python")
    plugin = ["docker", "compose"]
    if subprocess.run([*plugin, "version"], capture_output=True, check=False).returncode == 0:
        return plugin
    if shutil.which("docker-compose") is None:
        raise DemoFailed("neither `docker compose` nor `docker-compose` is installed")
    return ["docker-compose"]


def wait_until_well(compose: Compose, clock: Callable[[], float] = time.monotonic) -> None:
    """Until every container is, telling which are not yet."""
    started, said = clock(), ""
    while True:
        containers = compose.containers()
        if lost := [container for container in containers if container.lost]:
            codes = ", ".join(f"{container.service} with {container.exit_code}" for container in lost)
            raise DemoFailed(f"ended: {codes}; see their logs")
        if containers and all(container.well for container in containers):
            return
        waiting = ", ".join(sorted({container.service for container in containers if not container.well}))
        if clock() - started > WELL_WITHIN_S:
            raise DemoFailed(f"not well within {WELL_WITHIN_S} s: {waiting}")
        if waiting != said:
            print(f"{clock() - started:5.1f} s  waiting for {waiting}", file=sys.stderr)
            said = waiting
        time.sleep(_LOOK_EVERY_S)


def _settings(environ: Mapping[str, str], file: Path) -> Mapping[str, str]:
    """The deployment's settings: as Compose reads them, from the environment before the file."""
    lines = (line.partition("=") for line in file.read_text().splitlines() if not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in lines} | dict(environ)
