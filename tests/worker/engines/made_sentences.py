"""Sentences made by rules, as people write them: words, numbers, units, dates, times, signs, marks, long lines and long
words, in seven languages. The same number gives the same sentence.

    python -m tests.worker.engines.made_sentences 1000 [FAMILY | FAMILY/LANGUAGE ...]

speaks so many of each language with every engine family that runs here, and lists those of which the end, or a token in
the middle, is not heard although nothing was refused.
"""

from __future__ import annotations

import functools
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.worker.engines.base import EngineError

WORDS: Mapping[str, str] = {
    "en": "the old clock on a wall struck seven and nobody in that room said word train leaves under bridge while"
    " children sleep near quiet river although winter came early this year our neighbour bought green bicycle",
    "de": "die alte Uhr an der Wand schlug sieben und niemand im Zimmer sagte ein Wort während draußen der Zug über"
    " große Brücken fährt weil Straßenbahnhaltestellenschilder im Nebel schwer lesbar sind",
    "ru": "старые часы на стене пробили семь и никто в комнате не сказал ни слова поезд едет под мостом пока дети"
    " спят рядом с тихой рекой хотя зима пришла рано объём съёмки",
    "ar": "الساعة القديمة على الجدار دقت سبع مرات ولم يقل أحد"
    " في الغرفة كلمة بينما القطار يمر تحت الجسر والأطفال نائمون",
    "ko": "오래된 시계가 벽에서 일곱 번 울렸지만 방 안의 아무도"
    " 말을 하지 않았다 기차는 다리 아래로 지나가고 아이들은 잔다",
    "zh": "墙上 的 旧 钟 敲 了 七 下 可是 房间 里 没有 人 说话 火车"
    " 从 桥 下 开过 孩子们 在 安静 的 河边 睡觉 今年 冬天 来得 很 早",
    "ja": "かべの 古い 時計が 七回 鳴った けれど 部屋の 中では だれも"
    " 話さなかった 電車は 橋の 下を 通り こどもたちは 静かな 川で ねている カメラ",
}
LONG: Mapping[str, str] = {
    "en": "pneumonoultramicroscopicsilicovolcanoconiosis",
    "de": "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz",
    "ru": "превысокомногорассмотрительствующий",
    "ar": "أفاستسقيناكموها",
    "ko": "청자양인각연당초상감모란문은구대접",
    "zh": "中华人民共和国全国人民代表大会常务委员会办公厅",
    "ja": "しょうぼうしょういんしょうしょうぼうたいいんちょう",
}
UNSPACED = ("zh", "ja")
STOPS = {"zh": "。！？", "ja": "。！？", "ar": ".!؟"}
COMMAS = {"zh": "，、；：", "ja": "、", "ar": "،؛:"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text by its tokens; each of them is meant to be heard."""

    language: str
    tokens: Sequence[str]
    marks: Sequence[str]
    """Behind each token: what is paused for, and white space."""

    def text(self, without: int | None = None) -> str:
        """All of it, or all but one token."""
        pairs = zip(self.tokens, self.marks, strict=True)
        return "".join(token + mark for at, (token, mark) in enumerate(pairs) if at != without).strip()


def made(language: str, number: int) -> Sentence:
    """Sentence ``number`` of ``language``."""
    chance = random.Random(f"{language} {number}")
    words = WORDS[language].split()
    long = chance.random() < 0.15
    tokens = [
        _token(language, words, chance) for _ in range(chance.randint(60, 140) if long else chance.randint(3, 18))
    ]
    space = "" if language in UNSPACED else " "
    marked = 0.0 if long and chance.random() < 0.6 else 0.15
    marks = [
        chance.choice(COMMAS.get(language, ",;:")) + space if chance.random() < marked
        else chance.choice("\n\n\t") if chance.random() < 0.02
        else " " if token[-1].isascii() or not space else space
        for token in tokens
    ]  # fmt: skip
    return Sentence(language, tokens, [*marks[:-1], chance.choice(STOPS.get(language, ".!?"))])


def _token(language: str, words: Sequence[str], chance: random.Random) -> str:
    kinds: Sequence[tuple[float, Callable[[], str]]] = (
        (0.70, lambda: chance.choice(words)),
        (0.05, lambda: str(chance.randint(2, 10 ** chance.randint(1, 9)))),
        (0.02, lambda: "".join(str(chance.randint(1, 9)) for _ in range(chance.randint(20, 60)))),
        (0.03, lambda: f"{chance.randint(2, 99)}{chance.choice(['℃', '°C', '%', 'kg', '㎏', '㎡', '‰', ' km', '°'])}"),
        (0.03, lambda: f"{chance.choice('$€£¥₩₽')}{chance.randint(2, 9999)}"),
        (0.02, lambda: f"{chance.randint(2, 9999)} {chance.choice('$€£¥₩₽')}"),
        (0.02, lambda: f"-{chance.randint(2, 99)}"),
        (0.02, lambda: f"{chance.randint(1, 28)}.{chance.randint(1, 12)}.{chance.randint(1990, 2030)}"),
        (0.02, lambda: f"{chance.randint(1990, 2030)}-{chance.randint(10, 12)}-{chance.randint(10, 28)}"),
        (0.02, lambda: f"{chance.randint(1, 23)}:{chance.randint(10, 59)}"),
        (0.02, lambda: f"{chance.randint(2, 99)}.{chance.randint(1, 99)}"),
        (0.02, lambda: chance.choice("😀♥→§№½×÷+=&@#")),
        (0.01, lambda: "".join(chr(ord(one) + 0xFEE0) for one in str(chance.randint(10, 999)))),
        (0.02, lambda: LONG[language] * chance.randint(1, 3)),
    )
    (kind,) = chance.choices([make for _, make in kinds], [share for share, _ in kinds])
    return kind()


SEEDS = (1, 2, 3)
"""The voices that tests make hum: by chance, two texts may last equally long with one seed. What is not spoken is not
heard with any."""
Speak = Callable[[str, int], str]
"""Text and seed -> a hash of the samples."""


def lost(speak: Speak, language: str, count: int) -> Iterator[tuple[str, str]]:
    """Text and token for every sentence that says the same with and without its last token, or another one.

    A refusal that names what cannot be read is none of these; any other is."""
    for number in range(count):
        sentence = made(language, number)
        text = sentence.text()
        whole = _heard(speak, text)
        if whole is None:
            continue
        for at in (len(sentence.tokens) - 1, random.Random(number).randrange(len(sentence.tokens))):
            without = sentence.text(without=at)
            if _heard(speak, without) == whole and all(
                _heard(speak, without, seed) == _heard(speak, text, seed) for seed in SEEDS[1:]
            ):
                yield text, sentence.tokens[at]


def _heard(speak: Speak, text: str, seed: int = SEEDS[0]) -> str | None:
    try:
        return speak(text, seed)
    except EngineError as error:
        if "does not know" not in str(error):
            raise
        return None


def main(count: int, only: Sequence[str]) -> int:
    from tests.worker.engines.speakers import SPEAKERS

    found = 0
    for family, made_speaker in SPEAKERS.items():
        for language in WORDS:
            if only and not {family, f"{family}/{language}"} & {*only}:
                continue
            if (speaker := made_speaker(language)) is None:
                continue
            speak = functools.cache(speaker)  # the whole sentence is wanted twice
            began = time.monotonic()
            refused = sum(_heard(speak, made(language, at).text()) is None for at in range(count))
            missing = list(lost(speak, language, count))
            found += len(missing)
            took = time.monotonic() - began
            print(
                f"{family} {language}: {count} sentences, {refused} refused, {len(missing)} lost, {took:.0f} s",
                flush=True,
            )
            for text, token in missing[:5]:
                print(f"    {token!r} of {text!r}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
