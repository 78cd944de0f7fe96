"""What is made of Japanese texts: kanji, numbers, signs and words of other scripts, by Kokoro and by espeak. Nothing is
left out; what cannot be read is named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from services.worker.engines.base import EngineError, SpeakRequest
from services.worker.engines.espeak.family import Espeak
from services.worker.engines.japanese import packages
from services.worker.engines.japanese.words import words_of
from services.worker.engines.kokoro_phonemes.phonemes import KokoroPhonemes
from shared.machine.installed_packages import version_of
from tests.worker.engines import kokoro_pins

NUMBERS = kokoro_pins.numbers()
NAMES = {number: phoneme for phoneme, number in NUMBERS.items()}
Heard = Callable[[str], str]


@pytest.fixture(scope="module")
def kokoro() -> Heard:
    reader = KokoroPhonemes(NUMBERS, "aj", 510)
    return lambda text: " ".join("".join(NAMES[number] for number in part) for part in reader.parts(text, "j"))


@pytest.fixture(scope="module")
def espeak() -> Heard:
    engine = Espeak().build("espeak-v2")
    return lambda text: engine.speak(SpeakRequest(text, "ja")).sha256


@pytest.fixture(params=["kokoro", "espeak"])
def heard(request: pytest.FixtureRequest) -> Heard:
    """A text as one of the two says it, to compare with another text: phonemes, or a hash of the samples."""
    said: Heard = request.getfixturevalue(request.param)
    return said


def test_the_phonemes_are_those_that_kokoro_learned(kokoro: Heard) -> None:
    assert kokoro("こんにちは、世界。") == "koɲɲiʨiβa, sekai."
    assert kokoro("きっと切手を買った。") == "kʲiʔto kʲiʔte o kaʔta."
    assert kokoro("「東京」へ行くの？") == "“toːkʲoː” e ikɯ no?"


@pytest.mark.parametrize(("one", "other"), [("東京", "京都"), ("橋を見る", "川を見る"), ("雨", "雪"), ("㐂", "㐀")])
def test_other_kanji_sound_otherwise(heard: Heard, one: str, other: str) -> None:
    assert heard(one) != heard(other)


@pytest.mark.parametrize(
    ("written", "kana"),
    [
        ("東京都", "トーキョート"),
        ("学校", "ガッコー"),
        ("3人", "サンニン"),
        ("1人", "ヒトリ"),
        ("20日", "ハツカ"),
        ("一日中", "イチニチジュー"),
        ("3本", "サンボン"),
        ("4時", "ヨジ"),
        ("10分", "ジュップン"),
        ("3ヶ月", "サンカゲツ"),
        ("人々", "ヒトビト"),
        ("學校", "ガッコー"),
        ("𠮷野家", "ヨシノヤ"),
        ("緑ヶ丘", "ミドリガオカ"),
        ("美しヶ原", "ウツクシガハラ"),
        ("〆切り", "シメキリ"),
        ("何ですか", "ナンデスカ"),
        ("何を見る", "ナニヲミル"),
        ("何に使う", "ナニニツカウ"),
        ("こんな風に", "コンナフーニ"),
        ("風が吹く", "カゼガフク"),
    ],
)
def test_words_and_counters_are_read_as_a_reader_would(written: str, kana: str) -> None:
    assert "".join(word.kana for word in words_of(written)) == kana


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("値段は２０円", "値段は20円"),
        ("値段は20 円", "値段は20円"),
        ("気温は20℃", "気温は摂氏20度"),
        ("２０℃", "摂氏 20 度"),
        ("重さは5㎏", "重さは5キログラム"),
        ("距離は5km", "距離は5キロメートル"),
        ("距離は5 km先", "距離は5キロメートル先"),
        ("〒100", "郵便番号100"),
        ("☆印", "星印"),
        ("重さは½", "重さは2分の1"),
        ("割合は50%", "割合は50パーセント"),
        ("値段は￥100", "値段は100円"),
        ("気温は-5度", "気温はマイナス5度"),
        ("期間は3-5日", "期間は3から5日"),
        ("期間は3〜5日", "期間は3から5日"),
        ("日付は2024-10-12", "日付は2024年10月12日"),
        ("時刻は12:05", "時刻は12時5分"),
        ("時刻は12:00", "時刻は12時"),
        ("第Ⅳ章", "第4章"),
        ("〇〇大学", "マルマル大学"),
        ("二〇二四年", "2024年"),
        ("東京ﾀﾜｰ", "東京タワー"),
        ("笑う😀", "笑うニッコリ笑う"),
        ("漢字ヷ", "漢字ヴァ"),
    ],
)
def test_what_stands_for_words_is_said_as_they_are(kokoro: Heard, written: str, spoken: str) -> None:
    assert kokoro(written).replace(" ", "") == kokoro(spoken).replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        "今日は2026年12月1日です。",
        "駅から3分、2階の5号室です",
        "価格は1,234,567円",
        "電話は090-1234-5678",
        "私はAさんとTシャツを買った",
        "彼はhello worldと言った",
        "COVID-19の話",
        "薔薇と髙橋と𩸽",
        "漢字ｶﾅ交じり",
        "東京、京都、大阪",
        "今日は\nいい天気\nだ",
        "まあ、ファミリーの味ッ",
        "霞ヶ関と八ヶ岳",
    ],
)
@pytest.mark.parametrize("tail", ["犬", "5", "カ", "３人", "A", "♥"])
def test_what_is_added_is_heard(heard: Heard, text: str, tail: str) -> None:
    assert heard(text) != heard(text + tail)


@pytest.mark.parametrize("text", ["山", "五", "犬。", "々", "〇"])
def test_a_text_of_one_character_is_heard_or_named(heard: Heard, text: str) -> None:
    if text == "々":
        with pytest.raises(EngineError, match="does not know '々'"):
            heard(text)
    else:
        assert heard(text)


@pytest.mark.parametrize("unknown", ["々", "ゞ", "พ", "\ue000"])
def test_what_has_no_reading_is_named(kokoro: Heard, unknown: str) -> None:
    with pytest.raises(EngineError, match="does not know '"):
        kokoro(f"今日、{unknown}、明日")


def test_words_of_other_scripts_are_english_for_kokoro(kokoro: Heard) -> None:
    assert kokoro("彼はhelloと言った") == f"{kokoro('彼は')} həlˈO {kokoro('と言った')}"


HIRAGANA = [chr(code) for code in range(ord("ぁ"), ord("ゕ"))]


def test_no_kana_beside_kanji_is_lost(kokoro: Heard) -> None:
    katakana = [chr(ord(one) + ord("ァ") - ord("ぁ")) for one in HIRAGANA]
    assert [one for one in (*HIRAGANA, *katakana, *"ヷヸヹヺㇰㇿー") if kokoro(f"山{one}") == kokoro("山")] == []


@pytest.mark.parametrize("small", "ァィゥェォャュョヮ")
def test_espeak_spells_no_kana_of_a_text_with_kanji(small: str) -> None:
    """It calls what it cannot read "Japanese letter", which is longer than any syllable."""
    engine = Espeak().build("espeak-v2")
    for before in "カキクスツテトニハヒフヘホミラリレロワン":
        spoken = engine.speak(SpeakRequest(f"山{before}{small}ー", "ja"))
        assert spoken.duration_s < 1.4, before + small


def test_kana_alone_are_left_to_espeak(espeak: Heard) -> None:
    """A text without kanji is not put through the reader: it would say は as わ."""
    assert espeak("わたしは") != espeak("わたしわ")
    assert espeak("私は") == espeak("ワタシワ")


@pytest.mark.parametrize(
    ("text", "lost"), [("Aさん", "さん"), ("Tシャツ", "シャツ"), ("ｘとＹ", "とY"), ("犬Aさん", "犬さん")]
)
def test_a_letter_before_kana_is_heard(heard: Heard, text: str, lost: str) -> None:
    """espeak leaves it out where no space is between them."""
    assert heard(text) != heard(lost)


def test_a_long_text_without_marks_is_heard_to_its_end(heard: Heard) -> None:
    text = "今日は天気がいいので公園へ行きました" * 30
    assert len({heard(text), heard(text + "犬"), heard(text[:-2])}) == 3


# --- packages

IN_A_CHILD = """
import sys
sys.path[:0] = sys.argv[1:]
from services.worker.engines.base import EngineError, SpeakRequest
from services.worker.engines.espeak.family import Espeak
engine = Espeak().build("espeak-v2")
for text in ("とうきょう", "かな 20%", "東京タワー", "20℃"):
    try:
        engine.speak(SpeakRequest(text, "ja"))
        print(text, "pyopenjtalk" in sys.modules)
    except EngineError as error:
        print(text, error)
"""


def test_the_lock_names_the_versions_that_are_installed() -> None:
    assert {package: version_of(package) for package in packages.VERSIONS} == packages.VERSIONS
    assert packages.fault() is None


def test_the_package_is_imported_when_kanji_come() -> None:
    assert _said_in_a_child() == ["とうきょう False", "かな 20% False", "東京タワー True", "20℃ True"]


def test_without_the_package_kanji_are_refused_with_what_to_install(tmp_path: Path) -> None:
    """Another version stands for a missing package: of several records on the path, the first counts."""
    (tmp_path / "pyopenjtalk_plus-0.3.dist-info").mkdir()
    needs = "kanji need pyopenjtalk-plus==0.4.1.post10, and 0.3 is installed"
    assert _said_in_a_child(str(tmp_path)) == [
        "とうきょう False",
        "かな 20% False",
        f"東京タワー the model does not know '東', '京': {needs}",
        f"20℃ the model does not know '℃': {needs}",
    ]


def _said_in_a_child(*path: str) -> list[str]:
    command = [sys.executable, "-c", IN_A_CHILD, *path]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
