"""A checkpoint of transformers as CTranslate2 has it, converted by its own converter."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path


def ctranslate2_files(checkpoint: Path, folder: Path) -> Mapping[str, bytes]:
    """Path -> content of the model that is made in ``folder`` from the checkpoint in another."""
    from ctranslate2.converters import TransformersConverter

    TransformersConverter(str(checkpoint)).convert(str(folder))
    for name in ("tokenizer.json", "preprocessor_config.json"):
        shutil.copy(checkpoint / name, folder / name)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
