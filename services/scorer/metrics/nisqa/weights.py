"""The two files of weights that the authors publish. They are named .tar but are torch archives."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from services.scorer.metrics.weights import PinnedWeights

_COMMIT = "fe84f0f252abec382b24367d5b22498a7ce34dbb"
_FOLDER = f"https://raw.githubusercontent.com/gabrielmittag/NISQA/{_COMMIT}/weights"

NISQA_TTS = PinnedWeights("nisqa_tts.tar", "c556a954cd9536360b4fe6f524ad432816509cd22f436f345b281a7851360656", _FOLDER)
NISQA = PinnedWeights("nisqa.tar", "7ec4cf937514dd3f8860b21e66fabd8ca87a168572675ef8d979c4c4ad2e805c", _FOLDER)


def state_of(pin: PinnedWeights, models: Path) -> dict[str, Tensor]:
    """Return the state of a network. The file may also be beside the store, if somebody put it there by hand."""
    state: dict[str, Tensor] = pin.read(models, (models, models / "nisqa"))["model_state_dict"]
    return state
