"""Which pins a worker serves: built in, and whatever engine families bring."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import espeakng_loader
import pytest

from services.worker.pins.served_pins import ServedPins
from shared.catalog import PinState
from shared.errors import SettingsError
from tests.worker.families import family_folder

FOUR = ("espeak-v1", "espeak-v2", "wobble", "wobble-noisy")


def environ(*path: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}


def test_every_pin_of_every_family_is_served(wobble_path: Path) -> None:
    served_pins = ServedPins(env=environ(wobble_path))
    manifests = {manifest.pin: manifest for manifest in served_pins.manifests()}
    assert {"espeak-v1", "espeak-v2", "wobble", "wobble-crash"} <= set(manifests)
    assert {manifest.state for manifest in manifests.values()} == {PinState.READY}
    assert {manifests["espeak-v1"].engine, manifests["wobble"].engine} == {"espeak", "wobble"}
    assert list(served_pins.served()) == list(manifests)


def test_only_the_pins_that_were_asked_for_are_served(wobble_path: Path) -> None:
    assert ServedPins(FOUR, env=environ(wobble_path)).served() == list(FOUR)


def test_a_misspelt_pin_cannot_be_served() -> None:
    with pytest.raises(SettingsError, match=r"unknown pin espeak-v9: neither built in nor locked; known: .*espeak-v1"):
        ServedPins(["espeak-v9"]).manifests()


def test_a_pin_with_wrong_bytes_is_refused_by_name_and_not_served(tmp_path: Path) -> None:
    package = Path(espeakng_loader.get_library_path()).parent
    shutil.copytree(package, tmp_path / package.name, copy_function=os.symlink)
    record = next(package.parent.glob("espeakng_loader-*.dist-info"))
    shutil.copytree(record, tmp_path / record.name)
    (tmp_path / package.name / "espeak-ng-data" / "cmn_dict").unlink()
    served_pins = ServedPins(env=environ(tmp_path))
    assert [(manifest.pin, manifest.state) for manifest in served_pins.manifests()] == [
        ("espeak-v1", PinState.REFUSED),
        ("espeak-v2", PinState.REFUSED),
    ]
    detail = served_pins.manifests()[0].detail
    assert detail is not None
    assert detail.startswith("model_lock_mismatch: ")
    assert "cmn_dict" in detail
    assert served_pins.served() == []


def test_a_pin_whose_manifest_crashes_takes_no_other_with_it(tmp_path: Path) -> None:
    code = """
    import os
    class Engine:
        def manifest(self): os.abort()
    class Family:
        name = "aborting"
        def pins(self): return ["aborting-v1"]
        def build(self, pin): return Engine()
    """
    served_pins = ServedPins(env=environ(family_folder(tmp_path, "aborting", code)))
    states = {manifest.pin: (manifest.state, manifest.detail) for manifest in served_pins.manifests()}
    assert states["espeak-v1"][0] is PinState.READY
    state, detail = states["aborting-v1"]
    assert state is PinState.REFUSED
    assert detail is not None
    assert "SIGABRT" in detail


def test_a_worker_may_be_told_to_serve_some_families_only(wobble_path: Path) -> None:
    served_pins = ServedPins(env=environ(wobble_path), families=["espeak"])
    assert served_pins.families() == ["espeak"]
    assert served_pins.served() == ["espeak-v1", "espeak-v2"]


def test_a_family_that_cannot_be_imported_takes_no_other_with_it(tmp_path: Path) -> None:
    served_pins = ServedPins(env=environ(family_folder(tmp_path, "broken", "import no_such_module")))
    assert served_pins.served() == ["espeak-v1", "espeak-v2"]


def test_a_pin_says_what_can_move_a_sample_where_it_is_spoken(wobble_path: Path) -> None:
    here = {"architecture": "x86_64", "gpu": None, "cuda": None, "precision": "float32", "commit": "of today"}
    (manifest,) = ServedPins(["wobble"], env=environ(wobble_path), here=here).manifests()
    assert manifest.environment == {"device": "x86_64", "cuda": None, "precision": "float32"}


def test_a_worker_that_does_not_know_where_it_is_says_nothing_of_it(wobble_path: Path) -> None:
    (manifest,) = ServedPins(["wobble"], env=environ(wobble_path)).manifests()
    assert manifest.environment is None
