"""The releases of IndexTTS2 that are served, and how they differ for a caller. Knows no weights and no package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CODE = "https://github.com/index-tts/index-tts"
COMMIT = "ee40fa7d6c6b8a2c7f06105f9f1e65775b74868c"
"""The code that serves both releases. The tag v2.0.0 downloads files by itself and accepts no other paths."""

W2V_BERT = {
    "w2v_bert": ("hf_cache/w2v-bert-2.0", ("config.json", "preprocessor_config.json", "model.safetensors")),
}
CAMPPLUS = {"campplus": ("hf_cache/campplus_cn_common.bin", ())}
BIGVGAN = {"bigvgan": ("hf_cache/bigvgan", ("config.json", "bigvgan_generator.pt"))}
MASKGCT = {"semantic_codec": ("hf_cache/semantic_codec_model.safetensors", ())}

Auxiliary = Mapping[str, tuple[str, tuple[str, ...]]]
"""Key of ``aux_paths`` -> its path in the snapshot, and the files that must be in it if it is a folder."""


@dataclass(frozen=True, slots=True)
class Release:
    """One way to call the package."""

    name: str
    module: str
    files: tuple[str, ...]
    """File names that are fixed in the code. Others are named by config.yaml."""
    auxiliary: Auxiliary
    takes_paths: bool
    """True if the constructor takes ``aux_paths``. Otherwise it looks in their usual places, which are the same."""
    half: str
    """The constructor's argument for half precision of the GPT."""
    languages: Mapping[str, str]
    """BCP 47 tag -> ``lang``."""
    asks_language: bool
    """True if ``infer`` takes ``lang``, and with it ``duration_factor`` and ``text_normalization``."""


V2 = Release(
    name="2.0",
    module="indextts.infer_v2",
    files=(),
    auxiliary={**W2V_BERT, **MASKGCT, **CAMPPLUS, **BIGVGAN},
    takes_paths=True,
    half="use_fp16",
    languages={"zh": "ZH", "en": "EN"},
    asks_language=False,
)
V2_5 = Release(
    name="2.5",
    module="indextts.infer_v2_5",
    files=("codec.pth", "multilingual_zh_ja_yue_char_del.tiktoken"),
    auxiliary={**W2V_BERT, **CAMPPLUS, **BIGVGAN},
    takes_paths=False,
    half="use_bf16",
    languages={"zh": "ZH", "en": "EN", "ja": "JA", "es": "ES", "ar": "AR", "zh-x-en": "ZHEN"},
    asks_language=True,
)
RELEASES = {release.name: release for release in (V2, V2_5)}
