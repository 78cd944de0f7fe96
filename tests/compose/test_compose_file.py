"""docker-compose.yml: valid for both Composes, closed but for two ports, durable, and no secret of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from compose_file import OURS, ROOT, composed, example, variables

from shared.settings import SETTINGS

FILE = composed(example())
SERVICES: dict[str, Any] = FILE["services"]
GPU = {"worker-gpu", "worker-indextts2", "worker-sambert"}
REACHABLE = {"gateway", "mlflow"}
RUN_ONCE = {"first-key"}


def validate(document: Mapping[str, Any]) -> None:
    """Against the schema of the Compose specification: github.com/compose-spec/compose-spec, Apache-2.0."""
    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(document)


def test_it_is_valid_by_the_compose_specification() -> None:
    validate(FILE)


@pytest.mark.parametrize("command", [("docker-compose",), ("docker", "compose")], ids=" ".join)
@pytest.mark.parametrize("profile", [(), ("--profile", "gpu")], ids=["plain", "gpu"])
def test_a_compose_that_is_installed_takes_it(command: tuple[str, ...], profile: tuple[str, ...]) -> None:
    version = [*command, "version"]
    if shutil.which(command[0]) is None or subprocess.run(version, capture_output=True, check=False).returncode:
        pytest.skip(f"no {' '.join(command)} here")
    asked = [*command, "--env-file", ".env.example", *profile, "config", "--quiet"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_default_stands_within_a_default() -> None:
    assert [found[0] for found in variables() if "$" in (found["other"] or "")] == []


def test_the_example_names_every_variable_and_no_other() -> None:
    tag = {"RINGTRUE_TAG"}  # whoever builds more than one version says so
    assert {found["name"] for found in variables()} - tag == set(example())


def test_two_services_are_reachable_and_from_this_machine_alone() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == REACHABLE
    for name in REACHABLE:
        assert [port.split(":")[0] for port in SERVICES[name]["ports"]] == ["127.0.0.1"]
    assert all("network_mode" not in service for service in SERVICES.values())


def test_it_can_be_published_on_purpose() -> None:
    published = composed({**example(), "RINGTRUE_PUBLISHED": "0.0.0.0"})["services"]
    for name in REACHABLE:
        assert [port.split(":")[0] for port in published[name]["ports"]] == ["0.0.0.0"]


@pytest.mark.parametrize("secret", ["POSTGRES_PASSWORD", "REDIS_PASSWORD", "RINGTRUE_API_KEY"])
def test_without_a_secret_nothing_starts(secret: str) -> None:
    with pytest.raises(AssertionError, match=f"{secret} is needed"):
        composed({**example(), secret: ""})


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("gateway", ("services.gateway", "--port", "0")),
        ("first-key", ("services.gateway.key_commands", "adopt", "admin")),
    ],
)
def test_published_with_the_secrets_of_the_example_it_is_refused(
    service: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    environment = composed({**example(), "RINGTRUE_PUBLISHED": "0.0.0.0"})["services"][service]["environment"]
    given = {**os.environ, **environment, "RINGTRUE_DATA": str(tmp_path)}
    asked = [sys.executable, "-m", *command]
    done = subprocess.run(asked, env=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in {64, 78}
    assert "has the secret of .env.example, and 0.0.0.0 is not this machine alone" in done.stderr


def test_what_runs_comes_back_and_what_runs_once_does_not() -> None:
    restarted = {name for name, service in SERVICES.items() if service.get("restart") == "unless-stopped"}
    assert restarted == set(SERVICES) - RUN_ONCE


def test_every_image_has_a_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name, service in SERVICES.items():
        repository, _, tag = service["image"].partition(":")
        assert tag not in {"", "latest"}
        assert (tag == version and repository.startswith("ringtrue-")) == (name in OURS)


def test_only_settings_that_exist_are_set() -> None:
    for service in SERVICES.values():
        ours = {name for name in service.get("environment", {}) if name.startswith("RINGTRUE_")}
        assert ours <= set(SETTINGS)


def test_redis_keeps_what_it_is_told_and_asks_who_is_there() -> None:
    command = " ".join(SERVICES["redis"]["command"])
    assert "--appendonly yes" in command
    assert f"--requirepass {example()['REDIS_PASSWORD']}" in command


def test_mlflow_keeps_runs_in_postgresql_and_hands_artifacts_through() -> None:
    environment = SERVICES["mlflow"]["environment"]
    assert environment["MLFLOW_BACKEND_STORE_URI"].startswith("postgresql")
    assert environment["MLFLOW_ARTIFACTS_DESTINATION"] == "/artifacts"


def test_every_volume_is_declared_and_used() -> None:
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert {volume for volume in mounted if not volume.startswith("./")} == set(FILE["volumes"])


def test_workers_share_the_ledger_of_the_machines_memory() -> None:
    for name in ("worker", *GPU):
        assert "memory:/run/ringtrue" in SERVICES[name]["volumes"]
        assert SERVICES[name]["environment"]["RINGTRUE_MEMORY_LEDGER"] == "/run/ringtrue"


def test_gpus_are_asked_for_in_their_profile_alone() -> None:
    assert {name for name, service in SERVICES.items() if service.get("profiles") == ["gpu"]} == GPU
    assert {name for name, service in SERVICES.items() if "deploy" in service} == GPU
    chosen = composed({**example(), "WORKER_GPU": "3"})["services"]["worker-gpu"]["environment"]
    assert (chosen["CUDA_VISIBLE_DEVICES"], chosen["CUDA_DEVICE_ORDER"]) == ("3", "PCI_BUS_ID")


def test_the_page_on_deployment_names_every_variable() -> None:
    page = (ROOT / "docs/deploy.md").read_text()
    assert [name for name in example() if f"`{name}`" not in page] == []


def test_the_worker_for_one_more_gpu_on_that_page_is_valid_and_another_gpus() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/deploy.md").read_text(), re.DOTALL)
    override = yaml.safe_load(block)
    validate(override)
    (more,) = override["services"].values()
    assert more["extends"]["service"] in GPU
    assert more["environment"]["CUDA_VISIBLE_DEVICES"] != example()["WORKER_GPU"]
