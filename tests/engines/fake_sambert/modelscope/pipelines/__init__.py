"""modelscope/pipelines/builder.py and audio/text_to_speech_pipeline.py."""
# ruff: noqa: PLR0917 - the signatures are not ours

from __future__ import annotations

import json
import os

import torch

DEFAULT_MODEL_REVISION = None
MUTE = "mute"
"""A word at which nothing comes back."""


def pipeline(
    task=None, model=None, preprocessor=None, config_file=None, pipeline_name=None, framework=None, device=None,
    model_revision=DEFAULT_MODEL_REVISION, ignore_file_pattern=None, **kwargs
):  # fmt: skip
    assert task == "text-to-speech"
    if not os.path.exists(model):
        raise AssertionError("the real one would download it now")
    with open(os.path.join(model, "configuration.json"), encoding="utf-8") as file:
        cfg = json.load(file)
    assert not cfg.get("plugins"), "the real one would install and import them now"
    assert cfg["pipeline"]["type"] == "sambert-hifigan-tts"
    from modelscope.models.audio.tts.sambert_hifi import SambertHifigan

    settings = {name: value for name, value in cfg["model"].items() if name != "type"}
    try:
        return TextToSpeechSambertHifiganPipeline(SambertHifigan(model, **settings), device or "gpu")
    except Exception as e:
        raise type(e)(f"SambertHifigan: {e}") from e


class TextToSpeechSambertHifiganPipeline:
    def __init__(self, model, device):
        assert device.split(":")[0] in ("cpu", "cuda", "gpu")
        self.model = model

    def __call__(self, input, *args, **kwargs):
        forward_params = kwargs  # whatever it is: only one name is ever looked up
        with torch.no_grad():
            out = self.forward(input, **forward_params)
        return {"output_wav": None} if MUTE in input else out

    def forward(self, input, **forward_params):
        output_wav = self.model.forward(input, forward_params.get("voice"))
        return {"output_wav": output_wav}
