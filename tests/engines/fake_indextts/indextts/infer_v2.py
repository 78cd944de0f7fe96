"""IndexTTS-2 (indextts/infer_v2.py)."""
# ruff: noqa: PLR0917 - the signatures are not ours

from __future__ import annotations

from .speech import Asked, Speaker, Tokenizer


class IndexTTS2(Speaker):
    def __init__(
            self, cfg_path="checkpoints/config.yaml", model_dir="checkpoints", use_fp16=False, device=None,
            use_cuda_kernel=None, use_deepspeed=False, use_accel=False, use_torch_compile=False,
            use_qwen_emo=True, aux_paths=None
    ):  # fmt: skip
        if aux_paths is None:
            raise AssertionError("the real one would download its auxiliary models now")
        paths = [aux_paths[key] for key in ("w2v_bert", "semantic_codec", "campplus", "bigvgan")]
        self._begin(model_dir, use_qwen_emo, [cfg_path, *paths])
        self.tokenizer = Tokenizer()

    def infer(self, spk_audio_prompt, text, output_path,
              emo_audio_prompt=None, emo_alpha=1.0,
              emo_vector=None,
              use_emo_text=False, emo_text=None, use_random=False, interval_silence=200,
              verbose=False, max_text_tokens_per_segment=120, stream_return=False, more_segment_before=0,
              **generation_kwargs):  # fmt: skip
        assert not stream_return
        assert output_path is None
        self._feel(text, emo_audio_prompt, emo_alpha, emo_vector, use_emo_text, emo_text)
        self._listen(spk_audio_prompt, times=1)
        asked = Asked(text, use_random, interval_silence, max_text_tokens_per_segment, generation_kwargs)
        try:
            return self._spoken(asked)
        except IndexError:
            return None
