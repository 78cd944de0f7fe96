"""Signs, units, currencies, full width and emoji: heard in the text's language, or refused by name; never left out."""

from __future__ import annotations

import hashlib
import json

import pytest

from services.worker.engines.base import EngineError, SpeakRequest
from services.worker.engines.espeak.family import Espeak
from services.worker.engines.signs.names import ARCHIVE, name_of
from services.worker.engines.signs.reading import folded, readable
from tests.worker.engines.speakers import SPEAKERS

LANGUAGES = ("zh", "en", "ja", "ko", "de", "ru", "ar", "fr", "hi")
SIGNS = "+±×÷=<>~^°§©®™→←½¼²³№Ⅳ①㎏㎡℃℉％＄￥€£¥₽₩₹¢‰µΩ&@#%♥😀👍１Ａ🇩🇪"
FRAMES = {"zh": "价格{}今天", "ja": "値段{}今日", "ko": "가격 {} 오늘", "ar": "السعر {} اليوم", "ru": "цена {} сегодня"}


@pytest.fixture(scope="module")
def engine() -> Espeak:
    return Espeak()


@pytest.fixture(scope="module")
def heard(engine: Espeak):  # type: ignore[no-untyped-def]
    built = engine.build("espeak-v2")
    return lambda text, language: built.speak(SpeakRequest(text, language)).sha256


@pytest.mark.parametrize(
    ("language", "text", "plain"),
    [
        ("zh", "价格是１２３元", "价格是123元"),
        ("zh", "20℃", "20摄氏度"),
        ("zh", "20°C。", "20摄氏度。"),
        ("zh", "¥100", "100 元"),
        ("zh", "￥１００万", "100万 元"),
        ("zh", "气温是-5度", "气温是 负 5度"),
        ("ja", "ｶﾞｷﾞｸﾞ", "ガギグ"),
        ("ja", "２０℃", "摂氏 20 度"),
        ("ko", "−5도", " 마이너스 5도"),
        ("en", "It is -5 today", "It is minus 5 today"),
        ("en", "ＡＢＣ １２", "ABC 12"),
        ("en", "20℃", "20 degrees Celsius"),
        ("de", "5*3", "5 × 3"),
        ("ru", "5₽", "5 российских рублей"),
        ("ru", "21₽", "21 российский рубль"),
        ("fr", "-5", "moins 5"),
    ],
)
def test_what_stands_for_words_is_said_as_they_are(heard, language: str, text: str, plain: str) -> None:  # type: ignore[no-untyped-def]
    assert heard(text, language) == heard(plain, language)


def _is_lost(heard, sign: str, text: str, language: str, gaps: list[str]) -> bool:  # type: ignore[no-untyped-def]
    """Whether the text sounds as it does with one of ``gaps`` instead of the sign, and no error names the sign."""
    try:
        return heard(text, language) in (heard(text.replace(sign, gap), language) for gap in gaps)
    except EngineError as error:
        return repr(sign) not in str(error)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sign_is_left_out(heard, language: str) -> None:  # type: ignore[no-untyped-def]
    frame = FRAMES.get(language, "price {} today")
    for sign in ["🇩🇪", *SIGNS[:-2]]:
        for text in (frame.format(sign), frame.format(f"20{sign}"), frame.format(f"{sign} 20")):
            assert not _is_lost(heard, sign, text, language, [""]), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sign_between_digits_or_letters_is_heard_where_it_stands(heard, language: str) -> None:  # type: ignore[no-untyped-def]
    """espeak says many of them alone, and leaves them out there."""
    for sign in "^→←⇒+±×÷=<>~∶⁄&@#%§№Ⅳ①½℃€$¥♥😀":
        for text in (f"5{sign}6", f"a{sign}b", f"5 {sign} 6"):
            assert not _is_lost(heard, sign, text, language, ["", " "]), text


@pytest.mark.parametrize(
    ("language", "text", "other"),
    [
        ("en", "10⁻³ m", "10³ m"),
        ("en", "Ca²⁺", "Ca²"),
        ("en", "10⁺⁶", "10⁻⁶"),
        ("de", "Es sind –5 °C.", "Es sind 5 °C."),
        ("en", "It is ‑5.", "It is 5."),
        ("en", "﹣5", "5"),
        ("ru", "‒5", "5"),
        ("fr", "n° 5", "n 5"),
        ("ar", "٥٠٪ اليوم", "٥٠ اليوم"),
        ("en", "Good 🫨 job", "Good job"),
    ],
)
def test_what_changes_the_meaning_changes_the_sound(heard, language: str, text: str, other: str) -> None:  # type: ignore[no-untyped-def]
    assert heard(text, language) != heard(other, language)


@pytest.mark.parametrize("family", ["espeak", "kokoro", "hibari", "piper"])
@pytest.mark.parametrize(("text", "same"), [("I ❤️ you", "I ❤ you"), ("5️⃣ times", "5 times"), ("A™️", "A™")])
def test_how_a_sign_is_drawn_changes_nothing(family: str, text: str, same: str) -> None:
    speak = SPEAKERS[family]("en")
    assert speak is not None
    assert speak(text, 1) == speak(same, 1)


@pytest.mark.parametrize("family", ["espeak", "kokoro", "hibari", "piper"])
def test_a_character_without_meaning_is_refused_by_name(family: str) -> None:
    speak = SPEAKERS[family]("en")
    assert speak is not None
    with pytest.raises(EngineError, match="does not know '\\\\ue000'"):
        speak("go \ue000 up", 1)


@pytest.mark.parametrize("family", ["kokoro", "hibari"])
def test_a_number_in_brackets_is_read(family: str) -> None:
    speak = SPEAKERS[family]("en")
    assert speak is not None
    assert speak("⑴ Go", 1) == speak(" 1  Go", 1) != speak("Go", 1)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("amount", ["{} €", "€{}", "{} ℃", "{}%"])
def test_an_amount_of_sixty_digits_is_put_into_words(language: str, amount: str) -> None:
    number = "987654321012" * 5
    assert number in readable(amount.format(number), language, lambda _one, _word: _one.isalnum())


@pytest.mark.parametrize("text", ["COVID-19", "3-5", "2026-11-29", "555-1234", "A4-80", "(3)-4", "- 5"])
def test_a_hyphen_is_no_minus(text: str) -> None:
    assert readable(text, "en", lambda one, word: True) == text


def test_what_is_read_is_left_as_it_is() -> None:
    text = "20 ℃, ¥100, 5% and 😀; “so” – he said…"
    assert readable(text, "en", lambda one, word: True) == text


def test_punctuation_of_full_width_stays() -> None:
    assert folded("你好，世界！（１）") == "你好，世界！（1）"


def test_all_that_cannot_be_read_is_named() -> None:
    with pytest.raises(EngineError, match="does not know 'Ω', 'ж'"):
        readable("a Ωж", "en", lambda one, word: one.isascii())


@pytest.mark.parametrize("text", ["**bold** | `code` ── ▪ ¦ ´", "👍🏽 1️⃣", "a\u200db"])
def test_layout_and_modifiers_refuse_nothing(heard, text: str) -> None:  # type: ignore[no-untyped-def]
    assert heard(f"Look: {text}", "en")


def test_names_are_those_of_the_lock_beside_them() -> None:
    lock = json.loads(ARCHIVE.with_suffix(".json").read_text())
    assert hashlib.sha256(ARCHIVE.read_bytes()).hexdigest() == lock["sha256"]
    assert name_of("€", "de-AT") == "Euro"
    assert name_of("😀", "zh") == "嘿嘿"
    assert name_of("€", "xx") is None
