"""Which weights: where they come from, what their bytes must be, and how they are read.

Owns the pins. Fetches nothing: `ringtrue models pull` does that. The two files are named .tar by their authors and are
torch archives; they are read with ``weights_only``, so nothing in them is run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from services.scorer.metrics.base import WeightsMismatch
from services.scorer.metrics.locks import file_sha256
from shared.weights.store import WeightStore

_COMMIT = "fe84f0f252abec382b24367d5b22498a7ce34dbb"


@dataclass(frozen=True, slots=True)
class Pin:
    """One file of weights: its name at the authors' repository and here, its SHA-256."""

    file: str
    sha256: str

    @property
    def url(self) -> str:
        return f"https://raw.githubusercontent.com/gabrielmittag/NISQA/{_COMMIT}/weights/{self.file}"

    def find(self, models: Path) -> Path:
        """The file in the store ``models``, or beside it, put there by hand; `FileNotFoundError` where it is not."""
        for path in (WeightStore(models).blob(self.sha256), models / self.file, models / "nisqa" / self.file):
            if path.is_file():
                return path
        raise FileNotFoundError(f"{self.file} is not in {models}; it comes from {self.url}, sha256 {self.sha256}")

    def read(self, models: Path) -> dict[str, torch.Tensor]:
        """The state of the network, after its bytes were checked; `WeightsMismatch` where they are wrong."""
        path = self.find(models)
        found = file_sha256(path)
        if found != self.sha256:
            raise WeightsMismatch(f"{path} has sha256 {found}, pinned is {self.sha256}")
        state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)["model_state_dict"]
        return state


NISQA_TTS = Pin("nisqa_tts.tar", "c556a954cd9536360b4fe6f524ad432816509cd22f436f345b281a7851360656")
NISQA = Pin("nisqa.tar", "7ec4cf937514dd3f8860b21e66fabd8ca87a168572675ef8d979c4c4ad2e805c")
