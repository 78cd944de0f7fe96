"""Long texts in pieces: nothing lost, nothing too long, cut where a reader would breathe."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.worker.texts.pieces import join, pause_after, split
from shared.audio import Audio

LANGUAGES = st.sampled_from(["en", "zh", "de", "ja", "ar", "xx"])
PROSE = st.text(alphabet=st.sampled_from("abcDr. ,;!?\n\"'()你好今天。,!?“”…—😀é\u0301\u200b1"), max_size=300)
ANYTHING = st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"], whitelist_characters="\n\t"), max_size=200)


@settings(deadline=None)
@given(text=PROSE | ANYTHING, language=LANGUAGES, max_chars=st.integers(1, 80))
def test_pieces_joined_are_the_text(text: str, language: str, max_chars: int) -> None:
    assert "".join(split(text, language, max_chars)) == text.strip()


@settings(deadline=None)
@given(text=PROSE | ANYTHING, language=LANGUAGES, max_chars=st.integers(1, 80))
def test_no_piece_is_longer_than_the_engine_takes(text: str, language: str, max_chars: int) -> None:
    for piece in split(text, language, max_chars):
        worded = [at for at, character in enumerate(piece) if character.isalnum()]
        assert not worded or worded[-1] - worded[0] < max_chars


@settings(deadline=None)
@given(text=PROSE | ANYTHING, max_chars=st.integers(1, 80))
def test_no_piece_is_without_words_unless_the_text_is(text: str, max_chars: int) -> None:
    pieces = split(text, "en", max_chars)
    assert len(pieces) <= 1 or all(any(map(str.isalnum, piece)) for piece in pieces)


def test_a_text_that_fits_is_one_piece() -> None:
    assert split("One. Two? Three!", "en", 400) == ["One. Two? Three!"]


def test_as_many_sentences_as_fit_go_together() -> None:
    assert split("One is here. Two is there. Three is gone.", "en", 30) == [
        "One is here. Two is there. ",
        "Three is gone.",
    ]


@pytest.mark.parametrize(
    ("language", "text", "pieces"),
    [
        (
            "en",
            "Dr. Smith left at 3.14 p.m. sharp. She stayed.",
            ["Dr. Smith left at 3.14 p.m. sharp. ", "She stayed."],
        ),
        ("en", 'He said "Go!" at last. "Why?" she asked him.', ['He said "Go!" at last. ', '"Why?" she asked him.']),
        ("zh", "他说：“我们走吧。”然后他离开了！真的吗？！", ["他说：“我们走吧。”", "然后他离开了！真的吗？！"]),
        ("zh", "价格是3.14元。Mr. Li说可以。然后走了。", ["价格是3.14元。", "Mr. Li说可以。", "然后走了。"]),
        ("zh", "今天很好。I like it. 你呢?", ["今天很好。", "I like it. ", "你呢?"]),
    ],
)
def test_sentences_end_where_a_reader_would_say(language: str, text: str, pieces: list[str]) -> None:
    longest = max(map(len, pieces))
    assert split(text, language, longest) == pieces


def test_a_long_sentence_is_cut_after_clauses_then_words_then_characters() -> None:
    text = "First the clause, then one that has many words, thenaverylongword."
    assert split(text, "en", 18) == ["First the clause, ", "then one that has ", "many words, ", "thenaverylongword."]
    assert split("今天的阳光真灿烂,我们去公园", "zh", 10) == ["今天的阳光真灿烂,", "我们去公园"]
    assert split("a" * 25, "en", 10) == ["a" * 10, "a" * 10, "a" * 5]


def test_a_mark_stays_with_its_letter() -> None:
    assert split("e\u0301" * 6, "en", 5) == ["e\u0301e\u0301", "e\u0301e\u0301", "e\u0301e\u0301"]


def test_paragraphs_are_kept_apart_even_when_both_would_fit() -> None:
    assert split("One.\n\nTwo.\n \nThree.", "en", 400) == ["One.\n\n", "Two.\n \n", "Three."]


def test_a_line_of_asterisks_is_not_spoken_alone() -> None:
    assert split("One.\n\n***\n\nTwo.", "en", 400) == ["One.\n\n***\n\n", "Two."]


def test_there_is_no_piece_of_nothing() -> None:
    assert split(" \n ", "en", 10) == []


def test_pauses_grow_with_the_weight_of_the_break() -> None:
    ladder = ["then one", "Fine,", "Fine;", "Fine.", "Fine.\n\n"]
    pauses = [pause_after(piece) for piece in ladder]
    assert pauses == sorted(pauses)
    assert len(set(pauses)) == len(ladder)
    assert pause_after("“走吧。”") == pause_after("Fine. ") == pause_after('"Go!"')
    assert pause_after("Fine.", speed=2.0) == pause_after("Fine.") / 2


def clip(samples: int, sample_rate: int = 1000) -> Audio:
    return Audio(b"\x01\x00" * samples, sample_rate)


def test_joined_audio_is_the_clips_and_the_silence_between_them() -> None:
    audio, pieces = join(["One. ", "Two."], [clip(500), clip(250)], [0.1, 0.4])
    assert audio.pcm == clip(500).pcm + bytes(2 * 100) + clip(250).pcm
    assert [(piece.text, piece.start_s, piece.end_s) for piece in pieces] == [("One.", 0.0, 0.5), ("Two.", 0.6, 0.85)]


@settings(deadline=None)
@given(lengths=st.lists(st.integers(1, 3000), min_size=1, max_size=8), pause=st.floats(0, 1))
def test_timings_point_at_the_very_samples(lengths: list[int], pause: float) -> None:
    spoken = [clip(length, 22_050) for length in lengths]
    audio, pieces = join(["x"] * len(lengths), spoken, [pause] * len(lengths))
    for piece, one in zip(pieces, spoken, strict=True):
        start, end = (round(at * audio.sample_rate) for at in (piece.start_s, piece.end_s))
        assert audio.pcm[2 * start : 2 * end] == one.pcm
    assert pieces[-1].end_s == pytest.approx(audio.duration_s)


def test_clips_of_two_sample_rates_cannot_be_joined() -> None:
    with pytest.raises(ValueError, match="one sample rate"):
        join(["a", "b"], [clip(1, 8000), clip(1, 16_000)], [0, 0])
