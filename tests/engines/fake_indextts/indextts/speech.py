"""What both releases of the fake share: references, emotions, tokens, sound."""

from __future__ import annotations

import hashlib
import os
import random
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

SAMPLE_RATE = 22_050
SAMPLES_PER_CODE = 440
CODES_PER_TOKEN = 10
ENDLESS = "interminable"
"""A word whose segment never ends by itself."""
SILENT = "speechless"
LOST = "indexerror"
"""A word at which the package fails within, and answers None."""
WRONG_RATE = "telephone"
NO_MEMORY = "voluminous"

LAYERS = 24
EMOTIONS = torch.tensor(
    [  # semitones, natural logarithm of pace, decibels
        [4.0, 0.15, 2.0],
        [1.5, 0.25, 6.0],
        [-3.0, -0.25, -5.0],
        [7.0, 0.40, -2.0],
        [-2.0, -0.10, 4.0],
        [-5.0, -0.45, -8.0],
        [11.0, 0.05, 3.0],
        [-1.5, -0.50, -4.0],
    ]
)


class Tokenizer:
    """Words and CJK characters; what is written in other letters is unknown."""

    unk_token_id = 2

    def tokenize(self, text: str) -> list[str]:
        return re.findall(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+|[^\w\s]", text.upper())

    def convert_tokens_to_ids(self, tokens: list[str]) -> list[int]:
        return [3 + index if self._known(token) else self.unk_token_id for index, token in enumerate(tokens)]

    def _known(self, token: str) -> bool:
        return token.isascii() or "\u4e00" <= token <= "\u9fff"


class Qwen:
    """Words to eight weights, in the order of the eight; draws from torch as sampling does."""

    NAMES = ("happy", "angry", "sad", "afraid", "disgusted", "melancholic", "surprised", "calm")

    def __init__(self, model_dir: str) -> None:
        assert (Path(model_dir) / "config.json").is_file()

    def inference(self, text_input: str) -> dict[str, float]:
        torch.rand(5)
        felt = {name: 1.0 if name in text_input.lower() else 0.0 for name in self.NAMES}
        return felt if any(felt.values()) else felt | {"calm": 1.0}


@dataclass
class Asked:
    """One call, as far as the two releases have it in common."""

    text: str
    use_random: bool
    interval_silence: int
    max_text_tokens_per_segment: int
    generation_kwargs: dict[str, Any]
    duration_factor: float = 1.0
    semitones: float = 0.0


class Speaker:
    """The parts of IndexTTS2 that its two releases have in common."""

    def _begin(self, model_dir: str, use_qwen_emo: bool, needed: list[str]) -> None:
        for path in needed:
            assert Path(path).exists(), path
        self.qwen_emo = Qwen(os.path.join(model_dir, "qwen0.6bemo4-merge")) if use_qwen_emo else None
        self.emo_num = [3, 17, 2, 8, 4, 5, 10, 24]
        self.cache_spk_cond = None
        self.cache_s2mel_style = None
        self.cache_s2mel_prompt = None
        self.cache_spk_audio_prompt = None
        self.cache_emo_cond = None
        self.cache_emo_audio_prompt = None
        self.cache_mel = None

    def get_emb(self, input_features: bytes, attention_mask: object) -> torch.Tensor:
        for _ in range(LAYERS):
            torch.rand([])  # layer drop
        digest = hashlib.sha256(input_features).digest()
        return torch.tensor([digest[0] / 256, digest[1] / 256, digest[2] / 256])

    def normalize_emo_vec(self, emo_vector, apply_bias=True):
        if apply_bias:
            emo_bias = [0.9375, 0.875, 1.0, 1.0, 0.9375, 0.9375, 0.6875, 0.5625]
            emo_vector = [vec * bias for vec, bias in zip(emo_vector, emo_bias, strict=False)]
        emo_sum = sum(emo_vector)
        if emo_sum > 0.8:
            emo_vector = [vec * 0.8 / emo_sum for vec in emo_vector]
        return emo_vector

    def _feel(self, text, emo_audio_prompt, emo_alpha, emo_vector, use_emo_text, emo_text) -> None:
        """Settle on the recording, the weight and the vector that count."""
        if use_emo_text or emo_vector is not None:
            emo_audio_prompt = None
        if use_emo_text:
            if self.qwen_emo is None:
                raise RuntimeError("use_emo_text=True requires QwenEmotion, but it was not loaded at init")
            emo_vector = list(self.qwen_emo.inference(text if emo_text is None else emo_text).values())
        if emo_vector is not None and (scale := max(0.0, min(1.0, emo_alpha))) != 1.0:
            emo_vector = [int(x * scale * 10000) / 10000 for x in emo_vector]
        self._emo_audio_prompt, self._emo_vector = emo_audio_prompt, emo_vector
        self._emo_alpha = 1.0 if emo_audio_prompt is None else emo_alpha

    def _listen(self, spk_audio_prompt: str, times: int) -> None:
        if self.cache_spk_cond is None or self.cache_spk_audio_prompt != spk_audio_prompt:
            content = Path(spk_audio_prompt).read_bytes()
            for _ in range(times):
                self.cache_spk_cond = self.get_emb(content, None)
            self.cache_spk_audio_prompt = spk_audio_prompt
        emo_audio_prompt = self._emo_audio_prompt or spk_audio_prompt
        if self.cache_emo_cond is None or self.cache_emo_audio_prompt != emo_audio_prompt:
            self.cache_emo_cond = self.get_emb(Path(emo_audio_prompt).read_bytes(), None)
            self.cache_emo_audio_prompt = emo_audio_prompt

    def _manner(self, use_random: bool) -> torch.Tensor:
        heard = (self.cache_emo_cond - self.cache_spk_cond) * torch.tensor([6.0, 0.2, 3.0])
        manner = self._emo_alpha * heard
        if self._emo_vector is None:
            return manner
        weight_vector = torch.tensor(self._emo_vector)
        rows = [random.randint(0, count - 1) if use_random else 0 for count in self.emo_num]
        matrix = EMOTIONS + 0.01 * torch.tensor(rows, dtype=torch.float32).unsqueeze(1)
        return torch.sum(weight_vector.unsqueeze(1) * matrix, 0) + (1 - torch.sum(weight_vector)) * manner

    def _spoken(self, asked: Asked) -> tuple[int, np.ndarray]:
        manner = self._manner(asked.use_random)
        manner[0] += asked.semitones
        tokens = Tokenizer().tokenize(asked.text)
        settings = dict(asked.generation_kwargs)
        settings.pop("do_sample", True)
        for name in ("top_p", "top_k", "length_penalty", "num_beams", "repetition_penalty"):
            settings.pop(name, None)
        temperature, max_mel_tokens = settings.pop("temperature", 0.8), settings.pop("max_mel_tokens", 1500)
        wavs = []
        most = asked.max_text_tokens_per_segment
        for segment in [tokens[at : at + most] for at in range(0, len(tokens), most)]:
            _only_known(settings)
            _stumble(segment)
            codes = self._codes(segment, temperature, max_mel_tokens)
            wavs.append(self._wave(codes, manner, asked.duration_factor))
        return _answer(self._joined(wavs, asked.interval_silence), tokens)

    def _codes(self, tokens: list[str], temperature: float, max_mel_tokens: int) -> torch.Tensor:
        """One random number per code; its length is decided by text and chance."""
        count = CODES_PER_TOKEN * len(tokens) + int(3 * torch.rand([]))
        if ENDLESS.upper() in tokens or count > max_mel_tokens:
            warnings.warn(
                f"WARN: generation stopped due to exceeding `max_mel_tokens` ({max_mel_tokens}). ",
                category=RuntimeWarning,
                stacklevel=2,
            )
            count = max_mel_tokens
        return temperature * torch.randn(count)

    def _wave(self, codes: torch.Tensor, manner: torch.Tensor, factor: float) -> torch.Tensor:
        """(1, n), scaled to 32767: ten harmonics, a faint noise."""
        semitones, pace, level = manner.tolist()
        count = int(len(codes) * SAMPLES_PER_CODE * factor * float(np.exp(-pace)))
        base = 110 + 50 * float(self.cache_spk_cond[0])
        melody = np.interp(np.linspace(0, len(codes), count), np.arange(len(codes)), codes.numpy())
        phase = 2 * np.pi * np.cumsum(base * 2 ** ((semitones + 0.2 * melody) / 12)) / SAMPLE_RATE
        buzz = sum(np.sin(number * phase) / number for number in range(1, 11))
        wave = 0.15 * 10 ** (level / 20) * buzz + 1e-4 * torch.randn(count).numpy()
        return torch.clamp(32767 * torch.from_numpy(wave).float(), -32767.0, 32767.0).unsqueeze(0)

    def _joined(self, wavs: list[torch.Tensor], interval_silence: int) -> torch.Tensor:
        silence = torch.zeros(1, int(SAMPLE_RATE * interval_silence / 1000.0))
        apart = [part for wav in wavs for part in (wav, silence)][:-1] if interval_silence > 0 else wavs
        return torch.cat(apart, dim=1)


def _stumble(tokens: list[str]) -> None:
    """Fail as the models do, where a word asks for it."""
    if LOST.upper() in tokens:
        [].pop()
    if NO_MEMORY.upper() in tokens:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def _answer(wav: torch.Tensor, tokens: list[str]) -> tuple[int, np.ndarray]:
    if SILENT.upper() in tokens:
        wav = torch.zeros_like(wav)
    return 8_000 if WRONG_RATE.upper() in tokens else SAMPLE_RATE, wav.type(torch.int16).numpy().T


def _only_known(generation_kwargs: dict[str, Any]) -> None:
    """As transformers' generate() does."""
    if generation_kwargs:
        raise ValueError(f"The following `model_kwargs` are not used by the model: {list(generation_kwargs)}")
