"""IndexTTS-2.5 (indextts/infer_v2_5.py)."""
# ruff: noqa: PLR0917 - the signatures are not ours

from __future__ import annotations

import os

os.environ["HF_HUB_CACHE"] = "./checkpoints/hf_cache"

from .speech import Asked, Speaker

LANGUAGES = ("zh", "en", "ja", "es", "ar", "zhen")
NEEDED = (
    "hf_cache/w2v-bert-2.0",
    "hf_cache/campplus_cn_common.bin",
    "hf_cache/bigvgan",
    "codec.pth",
    "multilingual_zh_ja_yue_char_del.tiktoken",
)


class ByteTokenizer:
    """Reads bytes: nothing is unknown to it."""

    def encode(self, text, **kwargs):
        return list(text.encode())


class IndexTTS2(Speaker):
    def __init__(
            self, cfg_path="checkpoints/config.yaml", model_dir="checkpoints", use_bf16=False, device=None,
            use_cuda_kernel=None, use_deepspeed=False, use_accel=False, use_torch_compile=False, use_qwen_emo=False
    ):  # fmt: skip
        self._begin(model_dir, use_qwen_emo, [cfg_path, *(os.path.join(model_dir, name) for name in NEEDED)])
        self.tokenizer = ByteTokenizer()
        self.low_vram = True  # as on a GPU of less than 10 GB, where text of more than 40 characters is cut

    def infer(self, spk_audio_prompt, text, output_path, lang,
              emo_audio_prompt=None, emo_alpha=1.0,
              emo_vector=None, use_emo_text=False, emo_text=None, use_random=False, interval_silence=200,
              verbose=False, max_text_tokens_per_segment=120, stream_return=False, more_segment_before=0,
              duration_factor=1.0, text_normalization=True, **generation_kwargs):  # fmt: skip
        assert not stream_return
        assert output_path is None
        assert not self.low_vram
        self._feel(text, emo_audio_prompt, emo_alpha, emo_vector, use_emo_text, emo_text)
        self._listen(spk_audio_prompt, times=2)
        text = text.replace("7", "seven, as a word") if text_normalization else text
        asked = Asked(text, use_random, interval_silence, max_text_tokens_per_segment, generation_kwargs)
        asked.duration_factor = duration_factor
        asked.semitones = 2.0 * LANGUAGES.index(lang.lower())  # so that a language can be heard
        try:
            return self._spoken(asked)
        except IndexError:
            return None
