"""Weights of Sambert-HifiGAN that weigh nothing, in a store, and the fake packages that take them for the real ones."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from services.worker.engine_host import HOST, EngineHost, never_mind
from services.worker.engines.base import Snapshot
from services.worker.engines.sambert.installed import COMMIT
from services.worker.shelf import Shelf
from shared.errors import FailureCode, JobFailure
from shared.weights.lock import PinLock
from tests.shelves import NOWHERE, Shelves, locked, pull
from tests.worker.engines.conftest import LOAD_S

FAMILY = "services.worker.engines.sambert.family:Sambert"
FAKE = Path(__file__).parents[2] / "engines" / "fake_sambert"
VERSIONS = {"modelscope": "1.29.0", "kantts": "0.0.1", "ttsfrd": "0.4.2"}
SOURCE_MODULE = "nsf_params: {nb_harmonics: 7, sampling_rate: 16000}"
"""With it a vocoder draws, without it not; written as PyYAML writes it after a training."""


def zipped(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with ZipFile(archive, "w") as writer:
        for name, content in files.items():
            writer.writestr(name, content)
    return archive.getvalue()


def configuration(**changes: Any) -> dict[str, bytes]:
    """``configuration.json``, with other members."""
    usual = {
        "framework": "pytorch",
        "task": "text-to-speech",
        "model": {"type": "sambert-hifigan", "sample_rate": 16_000},
        "pipeline": {"type": "sambert-hifigan-tts"},
    }
    return {"configuration.json": json.dumps(usual | changes).encode()}


def voice(name: str, language: str = "PinYin", vocoder: str = SOURCE_MODULE) -> dict[str, bytes]:
    """Its files."""
    place = f"voices/{name}"
    unit = f"linguistic_unit: {{language: {language}, lfeat_type_list: 'sy,emo_category'}}\n"
    return {
        f"{place}/audio_config.yaml": b"audio_config: {hop_length: 200, sampling_rate: 16000, trim_silence: true}\n",
        f"{place}/am/config.yaml": unit.encode(),
        f"{place}/am/ckpt/checkpoint_980000.pth": checkpoint("steps"),
        f"{place}/voc/config.yaml": f"Model:\n  Generator:\n    params:\n      channels: 8\n      {vocoder}\n".encode(),
        f"{place}/voc/ckpt/checkpoint_2000000.pth": checkpoint("generator"),
    }


def files(*names: str, **kinds: Any) -> dict[str, bytes]:
    """What a snapshot of these voices has in it."""
    found = configuration() | {"voices/voices.json": json.dumps({"voices": names}).encode()}
    found["resource.zip"] = zipped({"resource/front_end.txt": b"phones"})
    for name in names:
        found |= voice(name, **kinds)
    return found


@cache
def checkpoint(part: str) -> bytes:
    """As torch writes it."""
    import torch

    written = io.BytesIO()
    torch.save({"steps": 1, "model": {part: torch.zeros(1)}}, written)
    return written.getvalue()


def put(shelves: Shelves, pin: str, content: Mapping[str, bytes], **members: Any) -> PinLock:
    """Pull and lock a pin, with members of its lock."""
    lock = locked(pin, content, NOWHERE, engine="sambert", **members)
    pull(shelves.store, lock, content)
    shelves.write({lock.name: lock})
    return lock


def snapshot(folder: Path, pin: str, content: Mapping[str, bytes], **members: Any) -> Snapshot:
    """As a worker gives it to a host."""
    shelves = Shelves(folder / pin)
    lock = put(shelves, pin, content, **members)
    return Shelf(shelves.store, shelves.lock_file).snapshot(lock)


def installed(folder: Path, commit: str = COMMIT, **versions: str) -> Path:
    """A folder with the fakes in it as an installer would leave them."""
    shutil.copytree(FAKE, folder, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    for name, version in (VERSIONS | versions).items():
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    origin = {"url": "https://example.org/KAN-TTS", "vcs_info": {"vcs": "git", "commit_id": commit}}
    next(folder.glob("kantts-*")).joinpath("direct_url.json").write_text(json.dumps(origin))
    return folder


@dataclass(frozen=True)
class Hosts:
    """Starts hosts that find what is installed in ``path`` and put their own folders into ``rooms``."""

    path: Path | None
    rooms: Path

    @property
    def environ(self) -> dict[str, str]:
        """The fake speaks on the CPU, also where there is a GPU."""
        places = {"PYTHONPATH": str(self.path or ""), "TMPDIR": str(self.rooms)}
        return {**os.environ, **places, "CUDA_VISIBLE_DEVICES": ""}

    def start(self, given: Snapshot) -> EngineHost:
        """Not loaded."""
        argv = (*HOST, "--family", FAMILY, "--snapshot", json.dumps(given.to_json()))
        return EngineHost(given.pin, argv, self.environ)


def load_failure(hosts: Hosts, given: Snapshot) -> tuple[FailureCode, str]:
    """How it ends that a pin is loaded."""
    host = hosts.start(given)
    try:
        with pytest.raises(JobFailure) as failed:
            host.load(never_mind, LOAD_S)
        return failed.value.code, failed.value.message
    finally:
        host.close()
