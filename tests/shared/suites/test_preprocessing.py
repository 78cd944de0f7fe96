"""Texts are normalised by name and version, and a name means the same for ever."""

from __future__ import annotations

import pytest

from shared.suites.preprocessing import NORMALISERS, PreprocessingUnknown, preprocessed, preprocessing_called


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Good morning.", "Good morning."),
        ("“Hi” — it’s\u00a0me…", '"Hi" - it\'s me...'),
        ("  one\n\ttwo \u3000 three ", "one two three"),
        ("ﬁve ½ Ａ", "five 1⁄2 A"),
        ("soft\u00adhyphen, zero\u200bwidth", "softhyphen, zerowidth"),
        ("«Ça va?» 5″ ﹘ 6′", '"Ça va?" 5" - 6\''),
        ("今天，真好！", "今天,真好!"),
        ("e\u0301", "é"),
    ],
)
def test_plain_is_what_a_keyboard_has(text: str, plain: str) -> None:
    assert preprocessed(text, "plain@1") == plain
    assert preprocessed(plain, "plain@1") == plain, "twice is as once"


def test_none_changes_nothing() -> None:
    assert preprocessed("“Hi”  ", "none") == "“Hi”  "


def test_without_a_version_the_newest_is_meant() -> None:
    assert preprocessing_called("plain") == "plain@1"
    assert {preprocessing_called(name) for name in NORMALISERS} == set(NORMALISERS)


@pytest.mark.parametrize("name", ["", "fancy", "plain@2", "plain@", "none@1"])
def test_a_name_that_there_is_not_is_told_with_those_that_there_are(name: str) -> None:
    with pytest.raises(PreprocessingUnknown, match="none, plain@1"):
        preprocessing_called(name)
