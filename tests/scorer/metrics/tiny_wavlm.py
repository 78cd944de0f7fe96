"""A WavLM of random weights with a head for x-vectors, saved as real ones are. Real code loads it; what it says of
voices means nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "tdnn_dim": (16, 16, 16, 16, 32),
    "xvector_output_dim": 16,
    "num_buckets": 32,
    "max_bucket_distance": 64,
}


def wavlm_files(folder: Path) -> Mapping[str, bytes]:
    """Path -> content of the checkpoint, which is made in ``folder``."""
    from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMForXVector, set_seed

    set_seed(0)
    WavLMForXVector(WavLMConfig(**_SIZES)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
