"""Classifiers of emotions with random weights, saved as real ones are. Real code loads them; what they hear means
nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FOUR = ("neu", "hap", "ang", "sad")
"""The classes of superb/wav2vec2-base-superb-er."""
EIGHT = ("angry", "calm", "disgust", "fearful", "happy", "neutral", "sad", "surprised")
"""Those of classifiers that learned from RAVDESS."""

_SIZES: Mapping[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "classifier_proj_size": 16,
}


def classifier_files(
    folder: Path, labels: Sequence[str], kind: str = "Wav2Vec2", sampling_rate: int = 16_000, **config: Any
) -> Mapping[str, bytes]:
    """Path -> content of the checkpoint, which is made in ``folder``. ``kind``: Wav2Vec2, Hubert or WavLM."""
    import transformers

    transformers.set_seed(0)
    names = dict(enumerate(labels))
    made = getattr(transformers, f"{kind}Config")(**_SIZES, id2label=names, **config)
    model = getattr(transformers, f"{kind}ForSequenceClassification")(made)
    model.classifier.weight.data *= 20  # else every class is about as probable as the next
    model.save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True, sampling_rate=sampling_rate).save_pretrained(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
