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

from services.worker.engine_host import EngineHost
from services.worker.engines.base import Snapshot
from services.worker.engines.sambert.installed import COMMIT
from tests.worker.engines import own_python

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


def snapshot(folder: Path, pin: str, content: Mapping[str, bytes], **members: Any) -> Snapshot:
    """As a worker gives it to a host, with members of its lock."""
    return own_python.snapshot(folder, "sambert", pin, content, **members)


def installed(folder: Path, commit: str = COMMIT, **versions: str) -> Path:
    """A folder with the fakes in it as an installer would leave them."""
    shutil.copytree(FAKE, folder, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    for name, version in (VERSIONS | versions).items():
        built = own_python.from_commit(commit) if name == "kantts" else None
        own_python.note_installed(folder, name, version, built)
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
        return own_python.host_of(FAMILY, given, self.environ)
