"""The files in a snapshot of IndexTTS2, examined without loading any of them.

Owns the pin's options, the names that config.yaml gives to files, and the check that everything is there: the package
would try to download missing files. Knows nothing of speaking.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.indextts2.releases import RELEASES, V2, V2_5, Release

CONFIG = "config.yaml"
VOICES = "voices"
NAMED_BY_CONFIG = {
    "gpt_checkpoint": "gpt.pth",
    "s2mel_checkpoint": "s2mel.pth",
    "w2v_stat": "wav2vec2bert_stats.pt",
    "spk_matrix": "feat1.pt",
    "emo_matrix": "feat2.pt",
}
"""Key of config.yaml -> the file name in the official weights."""
BPE = "bpe_model"
QWEN = "qwen_emo_path"


class IndexTtsWeights:
    """One snapshot. Raises `EngineError` if options or files are not what the release needs."""

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        """``options`` of the pin: ``release`` ("2.0" or "2.5"; default: by the files), ``half`` (true or false)."""
        if unknown := sorted(set(options) - {"release", "half"}):
            raise EngineError(f"unknown option of an indextts2 pin: {', '.join(unknown)}; known options: release, half")
        self.folder = folder
        self.release = _release(folder, options)
        self.half = options.get("half", False)
        if not isinstance(self.half, bool):
            raise EngineError(f"the pin's option half must be true or false, not {self.half!r}")
        if missing := sorted(self._missing()):
            raise EngineError(
                f"IndexTTS {self.release.name} needs {', '.join(missing)}, which the lock does not name; "
                "add them to the pin's components"
            )

    @property
    def auxiliary(self) -> dict[str, str]:
        """The constructor's ``aux_paths``."""
        return {key: str(self.folder / path) for key, (path, _) in self.release.auxiliary.items()}

    @property
    def voices(self) -> dict[str, Path]:
        """The voices that came with the weights: ``voices/NAME.wav``."""
        return {path.stem: path for path in sorted((self.folder / VOICES).glob("*.wav"))}

    @cached_property
    def reads_feelings(self) -> bool:
        """True if the model that turns words into emotions is there. It is 1.2 GB, and a team may leave it out."""
        folder = self.folder / self._setting(QWEN, "qwen0.6bemo4-merge")
        return (folder / "config.json").is_file()

    def limit(self, key: str, default: int) -> int:
        """Return a whole number from the GPT's configuration."""
        value = self._setting(key, str(default))
        return int(value) if value.isdecimal() else default

    def _missing(self) -> Iterator[str]:
        names = [CONFIG, *self.release.files]
        names += [self._setting(key, official) for key, official in NAMED_BY_CONFIG.items()]
        if self.release is V2:
            names.append(self._setting(BPE, "bpe.model"))
        for path, inside in self.release.auxiliary.values():
            names += [f"{path}/{name}" for name in inside] or [path]
        return (name for name in names if not (self.folder / name).is_file())

    def _setting(self, key: str, default: str) -> str:
        """Return a scalar of config.yaml, at any depth. It is read as text, because this must work without the engine's
        packages."""
        found = re.search(rf"^\s*{key}:\s*[\"']?([^\"'#\s]+)", self._config, re.MULTILINE)
        return found.group(1) if found else default

    @cached_property
    def _config(self) -> str:
        file = self.folder / CONFIG
        return file.read_text(encoding="utf-8") if file.is_file() else ""


def _release(folder: Path, options: Mapping[str, Any]) -> Release:
    asked = options.get("release")
    if asked is None:
        return V2_5 if (folder / V2_5.files[0]).is_file() else V2
    if asked not in RELEASES:
        raise EngineError(f"the pin's option release must be one of {', '.join(RELEASES)}, not {asked!r}")
    return RELEASES[asked]
