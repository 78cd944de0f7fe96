"""What Kokoro's readers make of texts: numbers, signs and words of other scripts, and what they refuse by name."""

from __future__ import annotations

import pytest

from services.worker.engines.base import EngineError
from services.worker.engines.kokoro_phonemes.phonemes import KokoroPhonemes
from tests.worker.engines import kokoro_pins

NUMBERS = kokoro_pins.numbers()
NAMES = {number: phoneme for phoneme, number in NUMBERS.items()}


@pytest.fixture(scope="module")
def phonemes() -> KokoroPhonemes:
    return KokoroPhonemes(NUMBERS, "abzefhip", 510)


def said(phonemes: KokoroPhonemes, text: str, accent: str = "a") -> str:
    return " ".join("".join(NAMES[number] for number in part) for part in phonemes.parts(text, accent))


def test_english_has_the_phonemes_that_kokoro_learned(phonemes: KokoroPhonemes) -> None:
    assert said(phonemes, "Hello there.") == "həlˈO ðˈɛɹ."
    assert said(phonemes, "Hello there.", "b") == "həlˈQ ðˈɛː."


def test_chinese_has_the_phonemes_that_kokoro_learned(phonemes: KokoroPhonemes) -> None:
    assert said(phonemes, "今天的阳光真灿烂。", "z") == "ʨi→ntʰjɛ→n tɤ ja↗ŋkwa→ŋ ꭧə→n ʦʰa↘nla↘n."


@pytest.mark.parametrize(
    ("accent", "text", "learned"),
    [
        ("e", "¿Qué tal, niño?", "kˈe tˈal, nˈiɲo?"),
        ("f", "Bonjour le monde.", "bɔ̃ʒˈuʁ lə mˈɔ̃d."),
        ("h", "नमस्ते भारत।", "nəmˈʌsteː bʰˈaːɾət."),
        ("i", "Oggi è «bello»: città…", "ˈɔʤːɪ ˈɛː “bˈɛllo”: ʧitːˈa…"),
        ("p", "Não, coração!", "nˈɐ̃ʊ̃, kˌoɾasˈɐ̃ʊ̃!"),
    ],
)
def test_other_languages_have_the_phonemes_of_espeak_as_misaki_writes_them(
    phonemes: KokoroPhonemes, accent: str, text: str, learned: str
) -> None:
    assert said(phonemes, text, accent) == learned


@pytest.mark.parametrize(
    ("accent", "text", "plain"),
    [
        ("e", "20℃", "20 grados Celsius"),
        ("f", "5₽", "5 roubles russes"),
        ("h", "２०", "20"),
        ("i", "5₽", "5 rubli russi"),
        ("p", "-5", "menos 5"),
    ],
)
def test_what_espeak_would_leave_out_is_put_into_words(
    phonemes: KokoroPhonemes, accent: str, text: str, plain: str
) -> None:
    assert said(phonemes, text, accent) == said(phonemes, plain, accent)


@pytest.mark.parametrize("accent", "efhip")
def test_a_long_line_and_a_long_word_are_heard_to_their_end(phonemes: KokoroPhonemes, accent: str) -> None:
    for text in ("ma la casa in paese e ", "casapaese"):
        long = text * 40
        assert len(said(phonemes, long, accent)) > 1.9 * len(said(phonemes, long[: len(long) // 2], accent))


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("$5.50", "5 dollars and 50 cents"),
        ("£1", "1 pound"),
        ("$3m", "3 million dollars"),
        ("20 ℃", "20 degrees Celsius"),
        ("-5", "minus 5"),
        ("２０", "20"),
        ("don\u02bct", "don't"),
        ("a 🇩🇪", "a Germany"),
        ("1234567890123456", "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6"),
        ("[page](/or not/)", "page or not"),
    ],
)
def test_what_the_package_would_leave_out_or_misread_in_english(
    phonemes: KokoroPhonemes, written: str, spoken: str
) -> None:
    assert _words(said(phonemes, written)) == _words(said(phonemes, spoken))


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("50%", "百分之五十"),
        ("1,234", "一千二百三十四"),
        ("12:05", "十二点零五分"),
        ("2024-10-12", "二零二四年十月十二日"),
        ("007", "零零七"),
        ("12345678901234567", "一二三四五六七八九零一二三四五六七"),
        ("-5", "负五"),
        ("￥100", "一百元"),
        ("二〇", "二零"),
        ("二○二四年", "二零二四年"),
        ("3-5天", "三到五天"),
        ("７", "七"),
    ],
)
def test_numbers_as_people_write_them_in_chinese(phonemes: KokoroPhonemes, written: str, spoken: str) -> None:
    heard, wanted = said(phonemes, written, "z"), said(phonemes, spoken, "z")
    assert heard.replace(" ", "") == wanted.replace(" ", "")


def test_words_of_other_scripts_are_english_in_a_chinese_text(phonemes: KokoroPhonemes) -> None:
    assert said(phonemes, "他说hello。", "z") == f"{said(phonemes, '他说', 'z')} həlˈO ."


@pytest.mark.parametrize(
    ("text", "accent", "named"),
    [
        ("a 今", "a", "今"),
        ("㐀", "z", "㐀"),
        ("カ", "z", "カ"),
        ("ว", "b", "ว"),
        ("hola 今", "e", "今"),
        ("ciao ж", "i", "ж"),
    ],
)
def test_what_has_no_phonemes_is_named(phonemes: KokoroPhonemes, text: str, accent: str, named: str) -> None:
    with pytest.raises(EngineError, match=f"does not know '{named}'"):
        phonemes.parts(text, accent)


def test_no_letter_of_a_long_unknown_word_is_lost(phonemes: KokoroPhonemes) -> None:
    word = "zxqv" * 15
    assert len(said(phonemes, word)) > len(said(phonemes, word[:40])) > len(said(phonemes, word[:20]))


def test_layout_is_a_pause(phonemes: KokoroPhonemes) -> None:
    assert said(phonemes, "seven ■ eight\nnine") == said(phonemes, "seven , eight, nine")


def _words(heard: str) -> list[str]:
    """Without marks and stress, which depend on the place in a sentence."""
    plain = "".join(one for one in heard if one not in "ˈˌ,—()“”")
    return plain.split()
