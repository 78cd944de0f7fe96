"""A voice as large as MMS and as fast, that has learnt nothing: VITS in its default configuration, random weights.

What it says cannot be understood; how long that takes is what is measured.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from services.worker.engines.base import Snapshot, SpeakRequest
from services.worker.engines.transformers.engine import TransformersEngine

TEXT = "The old clock on the wall."
"""Four seconds: having learnt nothing, it takes its time."""
_SIGNS = ("<pad>", *" abcdefghijklmnopqrstuvwxyz'-.,?!", "<unk>")


def request(seed: int) -> SpeakRequest:
    return SpeakRequest(TEXT, "en", seed=seed)


def engine(checkpoint: Path, **options: Any) -> TransformersEngine:
    """The loaded engine of a pin with these options."""
    made = TransformersEngine(snapshot(checkpoint, **options))
    made.load()
    return made


def snapshot(checkpoint: Path, **options: Any) -> Snapshot:
    return Snapshot("untrained", checkpoint, "0" * 64, options=options)


def checkpoint(folder: Path) -> Path:
    """Write it, 145 MB; it knows lower-case English."""
    from transformers import VitsConfig, VitsModel, VitsTokenizer, set_seed

    folder.mkdir(parents=True)
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({sign: number for number, sign in enumerate(_SIGNS)}))
    VitsTokenizer(str(vocabulary), language="eng", phonemize=False, is_uroman=False).save_pretrained(folder)
    set_seed(0)
    VitsModel(VitsConfig(vocab_size=len(_SIGNS))).save_pretrained(folder)
    return folder


def gpu() -> bool:
    """Whether torch finds one here."""
    import torch

    return torch.cuda.is_available()
