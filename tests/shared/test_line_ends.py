"""Line ends of every kind of system are newlines: in a job's text and in a suite's."""

from __future__ import annotations

import pytest

from services.gateway.requests.values import to_speak
from shared.values.text import with_plain_line_ends
from tests.shared.suites.suite_texts import HEAD, parsed

ENDS = ["\n", "\r\n", "\r", "\f", "\v", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("end", ENDS)
def test_every_line_end_is_one_newline(end: str) -> None:
    assert with_plain_line_ends(f"one{end}two{end}{end}three") == "one\ntwo\n\nthree"


@pytest.mark.parametrize("end", ENDS)
def test_a_text_to_speak_is_taken_with_any_line_end(end: str) -> None:
    assert to_speak(f"One.{end}Two.") == "One.\nTwo."


@pytest.mark.parametrize("end", ["\\r\\n", "\\r", "\\f", "\\u0085", "\\u2028"])
def test_a_suite_is_the_same_with_any_line_end(end: str) -> None:
    suites = [parsed(f'{HEAD}- {{id: a, text: "One.{one}Two."}}\n') for one in ("\\n", end)]
    assert suites[0].sha256 == suites[1].sha256
