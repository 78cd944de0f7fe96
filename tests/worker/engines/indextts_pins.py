"""Weights of IndexTTS2 that weigh nothing, in a store, and the fake package that takes them for the real ones."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.worker.engine_host import EngineHost
from services.worker.engines.base import Snapshot
from services.worker.engines.indextts2.releases import COMMIT
from shared.audio import Audio, wav_file
from tests.worker.engines import own_python

FAMILY = "services.worker.engines.indextts2.family:IndexTts2"
FAKE = Path(__file__).parents[2] / "engines" / "fake_indextts" / "indextts"

CONFIG = b"""dataset:
    bpe_model: bpe.model
gpt:
    max_mel_tokens: 1815
    max_text_tokens: 600
gpt_checkpoint: gpt.pth
w2v_stat: wav2vec2bert_stats.pt
s2mel_checkpoint: s2mel.pth
emo_matrix: feat2.pt
spk_matrix: feat1.pt
qwen_emo_path: qwen0.6bemo4-merge/
version: 2.0
"""
BOTH = (
    *("gpt.pth", "s2mel.pth", "wav2vec2bert_stats.pt", "feat1.pt", "feat2.pt", "hf_cache/campplus_cn_common.bin"),
    *(f"hf_cache/w2v-bert-2.0/{name}" for name in ("config.json", "preprocessor_config.json", "model.safetensors")),
    *("hf_cache/bigvgan/config.json", "hf_cache/bigvgan/bigvgan_generator.pt"),
)
OF_2_0 = ("bpe.model", "hf_cache/semantic_codec_model.safetensors")
OF_2_5 = ("codec.pth", "multilingual_zh_ja_yue_char_del.tiktoken")
QWEN = {"qwen0.6bemo4-merge/config.json": b"{}"}


def recording(number: int) -> bytes:
    """A WAV file; each number is another voice."""
    return wav_file(Audio(bytes([number, 1]) * 22_050, 22_050), {})


VOICES = {"voices/narrator.wav": recording(1), "voices/visitor.wav": recording(2)}


def files(release: str, *more: Mapping[str, bytes]) -> dict[str, bytes]:
    """What a snapshot of ``release`` has in it."""
    names = (*BOTH, *(OF_2_5 if release == "2.5" else OF_2_0))
    found = {"config.yaml": CONFIG} | {name: name.encode() for name in names}
    for some in more:
        found |= some
    return found


def snapshot(folder: Path, pin: str, content: Mapping[str, bytes], **options: Any) -> Snapshot:
    """As a worker gives it to a host, with the engine's own ``options``."""
    return own_python.snapshot(folder, "indextts2", pin, content, options=options)


def installed(folder: Path, commit: str = COMMIT) -> Path:
    """A folder with the fake in it as an installer would leave it."""
    shutil.copytree(FAKE, folder / "indextts", ignore=shutil.ignore_patterns("__pycache__"))
    own_python.note_installed(folder, "indextts", "2.0.0", own_python.from_commit(commit))
    return folder


@dataclass(frozen=True)
class Hosts:
    """Starts hosts that find what is installed in ``path``."""

    path: Path | None

    @property
    def environ(self) -> dict[str, str]:
        """The fake speaks on the CPU, also where there is a GPU."""
        return {**os.environ, "PYTHONPATH": str(self.path or ""), "CUDA_VISIBLE_DEVICES": ""}

    def start(self, given: Snapshot) -> EngineHost:
        """Not loaded."""
        return own_python.host_of(FAMILY, given, self.environ)
