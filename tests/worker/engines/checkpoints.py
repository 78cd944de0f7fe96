"""Tiny checkpoints of random weights, saved as the real ones are: real code loads them and makes real noise.

The strides of their decoders multiply to a period within the range of voices, and what goes into those is made faint:
they hum at that period, so that speed and pitch can be measured on them as on a voice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LETTERS = " abcdefghijklmnopqrstuvwxyz'-.,?!"


def vits(folder: Path, letters: str = LETTERS, language: str = "eng", **changes: Any) -> Path:
    """VITS at 16 kHz; it knows ``letters``."""
    from transformers import VitsConfig, VitsModel, VitsTokenizer, set_seed

    folder.mkdir(parents=True)
    signs = ["<pad>", *letters, "<unk>"]
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({sign: number for number, sign in enumerate(signs)}))
    VitsTokenizer(
        str(vocabulary), language=language, add_blank=True, normalize=True, phonemize=False, is_uroman=False
    ).save_pretrained(folder)
    config = VitsConfig(**{"vocab_size": len(signs), **_VITS, **changes})
    set_seed(0)
    model = VitsModel(config)
    model.decoder.conv_pre.weight.data.mul_(0.01)
    model.decoder.conv_post.weight.data.mul_(0.3)
    model.save_pretrained(folder)
    return folder


def files(folder: Path) -> Mapping[str, bytes]:
    """Path -> content of all that lies in ``folder``."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def speecht5(folder: Path) -> Path:
    """SpeechT5 with a vocoder at 16 kHz and the speakers ``anna`` and ``bert``. It never finds an end by itself: its
    speech is as long as ``maxlenratio`` allows."""
    import numpy as np
    from transformers import (
        SpeechT5Config,
        SpeechT5ForTextToSpeech,
        SpeechT5HifiGan,
        SpeechT5HifiGanConfig,
        SpeechT5Tokenizer,
        set_seed,
    )

    folder.mkdir(parents=True)
    tokenizer = SpeechT5Tokenizer(str(_characters(folder.with_name("spm_char"))))
    tokenizer.save_pretrained(folder)
    config = SpeechT5Config(vocab_size=len(tokenizer), **_SPEECHT5)
    vocoder = SpeechT5HifiGanConfig(
        model_in_dim=8,
        upsample_initial_channel=32,
        upsample_rates=[8, 8, 2],
        upsample_kernel_sizes=[16, 16, 4],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1, 3]],
        initializer_range=0.15,
    )
    set_seed(0)
    model = SpeechT5ForTextToSpeech(config)
    model.speech_decoder_postnet.prob_out.bias.data.fill_(-20)
    model.save_pretrained(folder)
    hums = SpeechT5HifiGan(vocoder)
    hums.conv_pre.bias.data.normal_()
    hums.conv_pre.weight.data.mul_(0.1)
    hums.save_pretrained(folder / "vocoder")
    (folder / "speakers").mkdir()
    for name, seed in {"anna": 1, "bert": 2}.items():
        np.save(folder / "speakers" / f"{name}.npy", np.random.default_rng(seed).normal(size=16).astype("float32"))
    return folder


def bark(folder: Path) -> Path:
    """Bark at 24 kHz with the preset ``v2/en_speaker_0``; whatever the text, it speaks for a second or less."""
    import numpy as np
    from transformers import BarkConfig, BarkModel, GenerationConfig, set_seed
    from transformers.models.bark import BarkCoarseConfig, BarkFineConfig, BarkSemanticConfig

    folder.mkdir(parents=True)
    _words().save_pretrained(folder)
    size = {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "block_size": 512}
    config = BarkConfig(
        semantic_config=BarkSemanticConfig(**size, input_vocab_size=300, output_vocab_size=128),
        coarse_acoustics_config=BarkCoarseConfig(**size, input_vocab_size=256, output_vocab_size=256),
        fine_acoustics_config=BarkFineConfig(**size, input_vocab_size=65, output_vocab_size=65, n_codes_total=8),
        codec_config=_codec(),
    )
    set_seed(0)
    model = BarkModel(config)
    _hum(model.codec_model)
    for stage in (model.semantic, model.coarse_acoustics):
        stage.lm_head.weight.data.mul_(5)  # so that what was drawn before is heard in what is drawn next
    model.generation_config = GenerationConfig()
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps(_BARK_GENERATION))
    prompts = {"semantic_prompt": (20,), "coarse_prompt": (2, 30), "fine_prompt": (8, 30)}
    preset = {}
    (folder / "speaker_embeddings").mkdir()
    for name, shape in prompts.items():
        preset[name] = f"speaker_embeddings/en_speaker_0_{name}.npy"
        np.save(folder / preset[name], np.random.default_rng(1).integers(0, 64, size=shape))
    described = {"repo_or_path": "nobody/bark", "v2/en_speaker_0": preset}
    (folder / "speaker_embeddings_path.json").write_text(json.dumps(described))
    return folder


def musicgen(folder: Path) -> Path:
    """MusicGen at 24 kHz: a model that has no class of its own here. Its length is ``max_new_tokens``."""
    from transformers import (
        EncodecFeatureExtractor,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        T5Config,
        set_seed,
    )

    folder.mkdir(parents=True)
    tokenizer = _words()
    tokenizer.save_pretrained(folder)
    EncodecFeatureExtractor(sampling_rate=24_000).save_pretrained(folder)
    decoder = MusicgenDecoderConfig(
        vocab_size=64, hidden_size=16, num_hidden_layers=1, ffn_dim=32, num_attention_heads=2, num_codebooks=8,
        pad_token_id=64, bos_token_id=64,
    )  # fmt: skip
    config = MusicgenConfig(
        text_encoder=T5Config(vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2),
        audio_encoder=_codec(),
        decoder=decoder,
    )
    set_seed(0)
    model = MusicgenForConditionalGeneration(config)
    _hum(model.audio_encoder)
    generation = {"do_sample": True, "max_new_tokens": 160, "pad_token_id": 64, "decoder_start_token_id": 64}
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_text(
        json.dumps({**generation, "bos_token_id": 64, "guidance_scale": 3.0})
    )
    return folder


_VITS = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "ffn_dim": 64,
    "flow_size": 16,
    "spectrogram_bins": 33,
    "prior_encoder_num_flows": 2,
    "prior_encoder_num_wavenet_layers": 2,
    "posterior_encoder_num_wavenet_layers": 2,
    "wavenet_kernel_size": 3,
    "duration_predictor_num_flows": 2,
    "duration_predictor_filter_channels": 32,
    "duration_predictor_kernel_size": 3,
    "depth_separable_num_layers": 2,
    "upsample_initial_channel": 64,
    "upsample_rates": [8, 8, 2],
    "upsample_kernel_sizes": [16, 16, 4],
    "resblock_kernel_sizes": [3],
    "resblock_dilation_sizes": [[1, 3]],
    "num_speakers": 1,
    "speaker_embedding_size": 0,
    "sampling_rate": 16_000,
}
_SPEECHT5 = {
    "encoder_layers": 1,
    "encoder_ffn_dim": 64,
    "encoder_attention_heads": 2,
    "decoder_layers": 1,
    "decoder_ffn_dim": 64,
    "decoder_attention_heads": 2,
    "hidden_size": 32,
    "num_mel_bins": 8,
    "reduction_factor": 8,
    "speech_decoder_prenet_units": 16,
    "speech_decoder_postnet_units": 16,
    "speaker_embedding_dim": 16,
    "max_text_positions": 250,
}
_BARK_GENERATION = {
    "sample_rate": 24_000,
    "codebook_size": 64,
    "semantic_config": {
        "do_sample": True,
        "temperature": 0.7,
        "max_new_tokens": 50,
        "eos_token_id": 100,
        "semantic_vocab_size": 100,
        "text_encoding_offset": 110,
        "text_pad_token": 298,
        "semantic_infer_token": 299,
    },
    "coarse_acoustics_config": {
        "do_sample": True,
        "temperature": 0.7,
        "coarse_semantic_pad_token": 240,
        "coarse_infer_token": 241,
        "coarse_rate_hz": 150,
        "max_coarse_history": 60,
        "max_coarse_input_length": 64,
    },
    "fine_acoustics_config": {"temperature": 0.5, "max_fine_history_length": 32, "max_fine_input_length": 64},
}


def _codec() -> Any:
    from transformers import EncodecConfig

    return EncodecConfig(
        target_bandwidths=[12.0],
        upsampling_ratios=[160],
        codebook_size=64,
        codebook_dim=16,
        hidden_size=16,
        num_filters=4,
    )


def _hum(codec: Any) -> None:
    """Have it upsample by sine waves, one to each frame; and give its codebook entries, which begin as zeros."""
    import torch

    for layer in codec.quantizer.layers:
        layer.codebook.embed.normal_(0, 0.01)
    upsampling = next(part for part in codec.decoder.modules() if isinstance(part, torch.nn.ConvTranspose1d))
    wave = torch.sin(torch.arange(320) * 2 * math.pi / 160)
    with torch.no_grad():
        upsampling.weight = torch.randn(upsampling.weight.shape[:2])[:, :, None] * wave


def _words() -> Any:
    """A tokenizer in the manner of BERT that knows `LETTERS`."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    signs = [sign for sign in LETTERS if sign != " "]
    pieces = ["[PAD]", "[UNK]", *signs, *(f"##{sign}" for sign in signs)]
    numbered = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(numbered, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]")


def _characters(prefix: Path) -> Path:
    """A sentencepiece model of single characters that knows `LETTERS`, in upper case too."""
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([LETTERS + LETTERS.upper()] * 20),
        model_prefix=str(prefix),
        model_type="char",
        vocab_size=80,
        hard_vocab_limit=False,
        pad_id=1,
        unk_id=3,
        bos_id=0,
        eos_id=2,
        minloglevel=2,
    )
    return prefix.with_suffix(".model")
