"""What is written in two ways and sounds the same is no error in English; what sounds different is one."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pocketsphinx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scorer.metrics.counting import english
from services.scorer.metrics.counting.english_spelling import american
from services.scorer.metrics.counting.lattice import closest

SAME = [
    ("10 minutes", "ten minutes"),
    ("1,234 people", "one thousand two hundred thirty-four people"),
    ("1,234 people", "one thousand two hundred and thirty four people"),
    ("1234", "twelve thirty-four"),
    ("100 steps", "a hundred steps"),
    ("100 steps", "one hundred steps"),
    ("3.5", "three point five"),
    ("0.5", "point five"),
    ("0.07", "zero point oh seven"),
    ("3.14", "three point one four"),
    ("2.50", "two point five zero"),
    ("21st", "twenty-first"),
    ("the 3rd", "the third"),
    ("1984", "nineteen eighty-four"),
    ("1905", "nineteen oh five"),
    ("1900", "nineteen hundred"),
    ("2005", "two thousand and five"),
    ("2024", "twenty twenty-four"),
    ("1990s", "nineteen nineties"),
    ("the '80s", "the eighties"),
    ("1900s", "nineteen hundreds"),
    ("3:30", "three thirty"),
    ("3:30", "half past three"),
    ("3:05 pm", "three oh five p.m."),
    ("4:45", "quarter to five"),
    ("4:15", "a quarter past four"),
    ("9:00", "nine o'clock"),
    ("9 am", "nine a.m."),
    ("9am", "nine AM"),
    ("50%", "fifty percent"),
    ("50 %", "fifty per cent"),
    ("2.5%", "two point five percent"),
    ("$5", "five dollars"),
    ("$1", "one dollar"),
    ("$5.50", "five dollars and fifty cents"),
    ("$5.50", "five fifty"),
    ("$0.99", "ninety nine cents"),
    ("£20", "twenty pounds"),
    ("€3 million", "three million euros"),
    ("$2.5bn", "two point five billion dollars"),
    ("5 km", "five kilometers"),
    ("5km", "five kilometres"),
    ("a 5-km run", "a five kilometer run"),
    ("60 mph", "sixty miles per hour"),
    ("20°C", "twenty degrees Celsius"),
    ("-5°C", "minus five degrees Celsius"),
    ("It was -5 °C.", "it was negative five degrees celsius"),
    ("-3%", "minus three percent"),
    ("-$5", "minus five dollars"),
    ("6 ft. 2 in.", "six feet two inches"),
    ("chapter 5 in.", "chapter five in"),
    ("1/2 cup", "half a cup"),
    ("6 ft", "six feet"),
    ("16 GB", "sixteen gigabytes"),
    ("1/2", "one half"),
    ("3/4 cup", "three quarters cup"),
    ("2½ cups", "two and a half cups"),
    ("9/11", "nine eleven"),
    ("24/7", "twenty-four seven"),
    ("May 5", "May fifth"),
    ("May 5th", "May the fifth"),
    ("5 May", "the fifth of May"),
    ("June 3rd, 2019", "june third twenty nineteen"),
    ("Jan. 2", "January second"),
    ("2026-02-09", "February 9th, 2026"),
    ("2026-02-09", "the ninth of February twenty twenty-six"),
    ("2026/2/9", "twenty twenty-six February ninth"),
    ("2026-02-09", "twenty twenty-six oh two oh nine"),
    ("room 101", "room one oh one"),
    ("flight 225", "flight two twenty-five"),
    ("555-0199", "five five five oh one nine nine"),
    ("agent 007", "agent zero zero seven"),
    ("version 3.2.1", "version three point two point one"),
    ("10-15 minutes", "ten to fifteen minutes"),
    ("-5", "minus five"),
    ("No. 5", "number five"),
    ("#1", "number one"),
    ("Dr. Smith", "doctor smith"),
    ("Dr Smith", "Dr. Smith"),
    ("Mr. and Mrs. Hill", "mister and missus hill"),
    ("St. Mary", "Saint Mary"),
    ("Main St.", "Main Street"),
    ("Prof. Lee", "professor lee"),
    ("Lt. Gen. Ray", "lieutenant general ray"),
    ("cats vs. dogs", "cats versus dogs"),
    ("and so on, etc.", "and so on et cetera"),
    ("e.g. this", "for example this"),
    ("the U.S. army", "the US army"),
    ("the U.S. army", "the U S army"),
    ("rock & roll", "rock and roll"),
    ("2 + 2 = 4", "two plus two equals four"),
    ("example.com", "example dot com"),
    ("sea shells", "seashells"),
    ("seashells", "sea shells"),
    ("well-known", "well known"),
    ("well-known", "wellknown"),
    ("every day", "everyday"),
    ("Wi-Fi", "wifi"),
    ("OK", "okay"),
    ("café", "cafe"),
    ("ＡＢＣ　１０", "abc ten"),
    ("colour and flavour", "color and flavor"),
    ("the organisation realised", "the organization realized"),
    ("analyse the catalogue", "analyze the catalog"),
    ("the centre of the theatre", "the center of the theater"),
    ("travelling", "traveling"),
    ("a grey cheque", "a gray check"),
    ("a greyish blue", "a grayish blue"),
    ("the theatre's colour", "the theater's color"),
    ("that's alright", "that's all right"),
    ("10 × 21", "ten times twenty-one"),
    ("a × b", "a times b"),
    ("30 x 45 cm", "thirty by forty-five centimeters"),
    ("30 × 45 cm", "30 by 45 cm"),
    ("at 10:45 pm", "at 10.45 p.m."),
    ("from 2:15 to 3", "from 2.15 to three"),
    ("at 2:05", "at 2.05"),
    ("at 9:00", "at 9.00"),
    ("-5 °C", "minus five degrees C"),
    ("75 °F", "75 degrees F"),
    ("in defence", "in defense"),
    ("don’t", "don't"),
    ("“Stop,” he said.", "stop he said"),
    ("twenty-one", "21"),
    ("１０", "10"),
    ("٣ keys", "three keys"),
]
DIFFERENT = [
    ("15", "50"),
    ("fifteen", "50"),
    ("13", "thirty"),
    ("1,234", "1,243"),
    ("1984", "1948"),
    ("nineteen eighty-four", "one thousand nine hundred eighty-four"),
    ("five fifty", "five dollars and fifty cents"),
    ("3.5", "35"),
    ("3.5", "five point three"),
    ("3.14", "3.41"),
    ("0.5", "0.05"),
    ("21st", "21"),
    ("21st", "22nd"),
    ("1990s", "1990"),
    ("1990s", "1980s"),
    ("3:30", "3:13"),
    ("3:15", "3:50"),
    ("3:15", "3.50"),
    ("10:45 pm", "10.54 p.m."),
    ("2.15 kg", "two fifteen kilograms"),
    ("1/2 cup", "one two cup"),
    ("a × b", "a b"),
    ("-5 °C", "minus five degrees F"),
    ("that's alright", "that's right"),
    ("9 am", "9 pm"),
    ("4:45", "quarter past four"),
    ("50%", "15%"),
    ("50%", "50"),
    ("$5", "£5"),
    ("$5", "five"),
    ("$5", "$5 million"),
    ("5 km", "5 cm"),
    ("5 km", "five miles"),
    ("20°C", "20°F"),
    ("1/2", "1/3"),
    ("3/4", "four thirds"),
    ("May 5", "May 15"),
    ("May 5", "March 5"),
    ("room 101", "room 110"),
    ("2026-02-09", "September 2nd, 2026"),
    ("2026-02-09", "February 9th, 2025"),
    ("-5", "5"),
    ("-5°C", "5°C"),
    ("-3%", "3%"),
    ("-$5", "$5"),
    ("10 in the morning", "10 inches the morning"),
    ("10-15", "10-50"),
    ("Dr. Smith", "Mr. Smith"),
    ("saint mary", "street mary"),
    ("doctor", "drive"),
    ("don't", "do not"),
    ("do", "don't"),
    ("can", "can't"),
    ("she sells sea shells", "she sells she shells"),
    ("a part", "depart"),
    ("um, yes", "yes"),
    ("he is", "he was"),
    ("hear", "here"),
    ("four hours", "for hours"),
    ("aluminium", "aluminum"),
    ("mmm", "hmm"),
    ("tranquilly", "tranquility"),
    ("price", "prize"),
    ("advise", "advice"),
    ("rise", "rice"),
    ("no, five", "number five"),
]


def alike(text: str, heard: str) -> bool:
    said, transcribed = closest(english.items(text), english.items(heard))
    return said == transcribed


@pytest.mark.parametrize(("text", "heard"), SAME)
def test_what_sounds_the_same_is_equal(text: str, heard: str) -> None:
    assert alike(text, heard)
    assert alike(heard, text)


@pytest.mark.parametrize(("text", "heard"), DIFFERENT)
def test_what_sounds_different_is_not_equal(text: str, heard: str) -> None:
    assert not alike(text, heard)
    assert not alike(heard, text)


def test_no_spelling_makes_two_words_of_one_that_sound_different() -> None:
    """All words of a pronouncing dictionary. It has other sounds for one spelling of a word and a name, no more."""
    sounds: dict[str, set[str]] = defaultdict(set)
    for line in (Path(pocketsphinx.get_model_path("en-us")) / "cmudict-en-us.dict").read_text().splitlines():
        word, _, sound = line.partition(" ")
        sounds[word.partition("(")[0]].add(sound)
    spelled: dict[str, list[str]] = defaultdict(list)
    for word in sounds:
        spelled[american(word)].append(word)
    apart = [words for words in spelled.values() if not set.intersection(*(sounds[word] for word in words))]
    assert apart == [
        ["coloring", "colouring"],
        ["demeter", "demetre"],
        ["odors", "odours"],
        ["organisation", "organization"],
        ["organisations", "organizations"],
        ["tire", "tyre"],
    ]
    assert sum(len(words) - 1 for words in spelled.values()) > 100


NUMBERS = st.integers(0, 10**13).map(str) | st.integers(0, 3000).map(str) | st.integers(0, 10**7).map("{:,}".format)
WORDS = st.lists(
    st.sampled_from(["fifteen", "fifty", "don't", "do", "not", "a", "an", "the", "to", "two", "point", "and", "oh"]),
    max_size=6,
).map(" ".join)


@given(NUMBERS, NUMBERS)
def test_two_numbers_are_equal_only_if_their_digits_are(one: str, other: str) -> None:
    assert alike(one, other) is (one.replace(",", "") == other.replace(",", ""))


@given(st.decimals(0, 1000, places=2).map(str), st.decimals(0, 1000, places=2).map(str))
def test_two_decimals_are_equal_only_if_their_digits_are(one: str, other: str) -> None:
    assert alike(one, other) is (one == other)


@given(st.tuples(st.integers(0, 23), st.integers(0, 59)), st.tuples(st.integers(0, 23), st.integers(0, 59)))
def test_two_times_are_equal_only_if_they_are_the_same(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert alike("{}:{:02}".format(*one), "{}:{:02}".format(*other)) is (one == other)


@given(WORDS, WORDS)
def test_words_are_equal_only_if_their_letters_are(one: str, other: str) -> None:
    assert alike(one, other) is (one.replace(" ", "") == other.replace(" ", ""))


@given(st.text(max_size=60))
def test_every_text_is_equal_to_itself(text: str) -> None:
    assert alike(text, text)
    assert english.words(english.words(text)) == english.words(text)


@given(st.text(max_size=30), st.text(max_size=30))
def test_the_sides_can_be_exchanged(one: str, other: str) -> None:
    assert alike(one, other) is alike(other, one)
