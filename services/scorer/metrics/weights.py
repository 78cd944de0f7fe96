"""Files of weights that are pinned in code: their hashes, where they may be, and how they are read.

Owns the search and the check. Fetches nothing: `ringtrue models pull` does that. Files of torch are read with
``weights_only``, so nothing in them is run. Knows no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from services.scorer.metrics.base import WeightsMismatch
from services.scorer.metrics.locks import file_sha256
from shared.weights.store import WeightStore


@dataclass(frozen=True, slots=True)
class PinnedWeights:
    """One file of weights: its name at the source and here, its SHA-256, and the URL of the folder that it comes
    from."""

    file: str
    sha256: str
    folder_url: str

    @property
    def url(self) -> str:
        return f"{self.folder_url}/{self.file}"

    def find(self, models: Path, beside: Sequence[Path]) -> Path:
        """Return the path of the file in the store ``models`` or in a folder of ``beside``.

        Raises `FileNotFoundError` if it is in none of them.
        """
        for path in (WeightStore(models).blob(self.sha256), *(folder / self.file for folder in beside)):
            if path.is_file():
                return path
        raise FileNotFoundError(f"{self.file} is not in {models}; it comes from {self.url}, sha256 {self.sha256}")

    def read(self, models: Path, beside: Sequence[Path]) -> dict[str, Any]:
        """Return the saved objects, on the CPU, after checking the file's bytes. Raises `WeightsMismatch` if they are
        wrong."""
        path = self.find(models, beside)
        found = file_sha256(path)
        if found != self.sha256:
            raise WeightsMismatch(f"{path} has sha256 {found}, but {self.sha256} is pinned")
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return saved
