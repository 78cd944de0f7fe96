"""A Whisper with a vocabulary of bytes, saved as real ones are. Real code loads it and decodes with it.

As it is made, its weights are random and what it hears means nothing; it can be taught what is said in some clips.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from services.scorer.metrics.base import Samples
from services.scorer.metrics.speech import SpeechDetector
from services.scorer.metrics.whisper.parts import parts
from tests.scorer.metrics.clips import Known

LANGUAGES = ("en", "zh", "de", "no")
HEARS_S = 6
"""Seconds that it hears at a time."""
LONGEST = 96
"""Tokens that it writes at most."""
_SIZES = {
    "d_model": 64,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "num_mel_bins": 80,
}
_ENDS, _BEGINS, _NO_TIMES = "<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"
_TASKS = ("transcribe", "translate")


Lesson = tuple[Samples, str, str]
"""Samples at 16 kHz, their language, and what is said in them."""


def lesson(known: Known, detector: SpeechDetector) -> Lesson:
    """A clip that is shorter than what it hears at a time, cut as it will hear it."""
    clip = known.clip()
    ((start, end),) = parts(detector.find(clip).stretches, HEARS_S)
    return clip.at_16k[round(start * 16_000) : round(end * 16_000)], known.language, known.text or ""


def whisper_files(folder: Path, lessons: Iterable[Lesson] = (), vocabulary: int | None = None) -> Mapping[str, bytes]:
    """Path -> content of the checkpoint, which is made in ``folder``, after it was taught ``lessons``. ``vocabulary``:
    how many tokens it has, those included that no tokenizer knows."""
    from transformers import WhisperFeatureExtractor, set_seed

    set_seed(0)
    tokenizer = _tokenizer()
    extractor = WhisperFeatureExtractor(chunk_length=HEARS_S)
    model = _model(tokenizer, vocabulary or len(tokenizer))
    taught = list(lessons)
    if taught:
        _teach(model, tokenizer, extractor, taught)
    for part in (tokenizer, extractor, model):
        part.save_pretrained(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def without(files: Mapping[str, bytes], *names: str) -> Mapping[str, bytes]:
    """The checkpoint with some files left out."""
    return {name: content for name, content in files.items() if name not in names}


def altered(files: Mapping[str, bytes], name: str, **members: Any) -> Mapping[str, bytes]:
    """The checkpoint with other members in one of its JSON files; what is ``None`` is taken out."""
    document = json.loads(files[name]) | members
    kept = {key: value for key, value in document.items() if value is not None}
    return {**files, name: json.dumps(kept).encode()}


def _tokenizer() -> Any:
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import WhisperTokenizer

    tokenizer = WhisperTokenizer(
        vocab={byte: index for index, byte in enumerate(sorted(ByteLevel.alphabet()))}, merges=[]
    )
    spoken = [f"<|{name}|>" for name in (*LANGUAGES, *_TASKS)]
    tokenizer.add_special_tokens({"additional_special_tokens": [_BEGINS, *spoken, _NO_TIMES]})
    return tokenizer


def _model(tokenizer: Any, vocabulary: int) -> Any:
    from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

    of = tokenizer.convert_tokens_to_ids
    ends, begins = of([_ENDS, _BEGINS])
    marks = {"pad_token_id": ends, "bos_token_id": ends, "eos_token_id": ends, "decoder_start_token_id": begins}
    config = WhisperConfig(
        **_SIZES,
        **marks,
        vocab_size=vocabulary,
        max_source_positions=HEARS_S * 50,
        max_target_positions=LONGEST,
        max_length=LONGEST,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        **marks,
        is_multilingual=True,
        lang_to_id={f"<|{name}|>": of(f"<|{name}|>") for name in LANGUAGES},
        task_to_id={name: of(f"<|{name}|>") for name in _TASKS},
        no_timestamps_token_id=of(_NO_TIMES),
        max_length=LONGEST,
    )
    return model


def _teach(model: Any, tokenizer: Any, extractor: Any, lessons: list[Lesson]) -> None:
    import torch

    torch.set_num_threads(1)  # as every metric does; threads wait for each other on a busy machine
    heard = extractor([samples for samples, _, _ in lessons], sampling_rate=16_000, return_tensors="pt").input_features
    said = [
        [_BEGINS, f"<|{language}|>", "<|transcribe|>", _NO_TIMES, f" {text}", _ENDS] for _, language, text in lessons
    ]
    written = [tokenizer("".join(parts), add_special_tokens=False).input_ids for parts in said]
    longest = max(map(len, written))
    end = tokenizer.eos_token_id
    tokens = torch.tensor([line + [end] * (longest - len(line)) for line in written])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(400):
        found = model(input_features=heard, decoder_input_ids=tokens[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(found.transpose(1, 2), tokens[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 0.02:
            break
    model.eval()
