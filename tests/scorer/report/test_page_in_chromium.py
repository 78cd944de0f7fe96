"""The report as a reader has it: in a real browser, on a desk, a phone and paper, in light and dark."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from services.scorer.report.document import Report
from tests.chromium import Chromium

STRICT = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; media-src data:"

LISTEN = """
(async () => {
  const heard = [];
  for (const player of [...document.querySelectorAll("audio")].slice(0, 6)) {
    player.preload = "auto";
    player.load();
    await new Promise((ready, failed) => {
      player.addEventListener("canplaythrough", ready, {once: true});
      player.addEventListener("error", () => failed(player.error.message), {once: true});
    });
    heard.push([player.readyState, player.duration]);
  }
  return heard;
})()
"""
PLAY_TWO = """
(async () => {
  const [one, other] = document.querySelectorAll("audio");
  await one.play();
  await other.play();
  return [one.paused, other.paused];
})()
"""
CHOOSE = """
(name, value) => {
  const select = document.getElementById(name);
  select.value = value;
  select.dispatchEvent(new Event("change"));
  return [...document.querySelectorAll(".item h3")].map((one) => one.textContent);
}
"""
CONTRASTS = """
(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (colour) => {
    const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = rgb(colour).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "white";
  };
  const bad = [];
  for (const element of document.querySelectorAll("body *")) {
    const words = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!words || element.closest("script, option") || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(element.closest("svg") ? style.fill : style.color), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${element.outerHTML.slice(0, 90)}`);
  }
  return bad;
})()
"""
CELLS = """
(() => {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(["paper", "ink", "baseline", "candidate"].map((name) =>
    [name, style.getPropertyValue(`--${name}`).trim()]));
})()
"""
NAMELESS = """
[...document.querySelectorAll("audio, svg, select, figure, section")].filter((one) =>
  !one.getAttribute("aria-label") && !one.getAttribute("aria-labelledby") && !one.labels?.length
  && !one.closest("[role=img]")?.getAttribute("aria-label")).map((one) => one.outerHTML.slice(0, 90))
"""


@pytest.fixture
def served(reported: Report) -> Iterator[str]:
    """The report as a server gives it out that trusts no page."""

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-security-policy", STRICT)
            self.end_headers()
            self.wfile.write(reported.html)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/report"
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_asks_for_nothing_and_complains_of_nothing(chromium: Chromium, page: str) -> None:
    chromium.open(page)
    chromium.run(LISTEN)
    assert (chromium.requests(), chromium.complaints()) == ([page], [])


def test_it_works_under_a_policy_that_allows_nothing_from_elsewhere(chromium: Chromium, served: str) -> None:
    chromium.open(served)
    assert all(state >= 2 for state, _ in chromium.run(LISTEN))
    assert chromium.run(f"({CHOOSE})('sort-order', 'suite')")[0] == "neutral-1"
    assert (chromium.requests(), chromium.complaints()) == ([served], [])


def test_the_copies_play_for_as_long_as_the_clips(chromium: Chromium, page: str) -> None:
    chromium.open(page)
    heard = chromium.run(LISTEN)
    said = chromium.run("[...document.querySelectorAll('audio')].map(one => one.previousElementSibling.textContent)")
    assert [state >= 2 for state, _ in heard] == [True] * 6
    for (_, seconds), words in zip(heard, said[:6], strict=True):
        assert seconds == pytest.approx(float(words.split()[-2]), abs=0.15)  # an MP3 frame, and what its coder adds


def test_one_voice_speaks_at_a_time(chromium: Chromium, page: str) -> None:
    chromium.open(page)
    assert chromium.run(PLAY_TWO) == [True, False]


def test_items_stand_by_the_loss_in_the_metric_that_is_chosen(chromium: Chromium, page: str) -> None:
    chromium.open(page)
    first = chromium.run("[...document.querySelectorAll('.item h3')].map(one => one.textContent)")
    by_words = chromium.run(f"({CHOOSE})('sort-metric', 'asr/cer_whisper')")
    by_gain = chromium.run(f"({CHOOSE})('sort-order', 'gain')")
    assert first[:2] == by_words[:2] == ["neutral-5", "angry-2"]  # silent, and not spoken at all
    assert first != by_words
    assert by_gain == by_words[::-1]
    assert chromium.run("document.querySelector('.item .did').textContent").startswith("asr/cer_whisper ")


def test_what_nobody_can_judge_comes_last_in_either_order(chromium: Chromium, page: str) -> None:
    """The classifier knows no disgust: those items neither lost nor gained."""
    chromium.open(page)
    for order in ("loss", "gain"):
        chromium.run(f"({CHOOSE})('sort-order', '{order}')")
        names = chromium.run(f"({CHOOSE})('sort-metric', 'emotion/correct')")
        assert {name.partition("-")[0] for name in names[-5:]} == {"disgust"}


def test_it_is_said_how_the_items_stand(chromium: Chromium, page: str) -> None:
    chromium.open(page)
    said = "document.getElementById('sort-said').textContent"
    assert chromium.run(said) == "largest loss first of mos/nisqa_tts"
    chromium.run(f"({CHOOSE})('sort-order', 'suite')")
    assert chromium.run(said) == "as in the suite"


def test_on_a_phone_nothing_lies_beyond_the_edge(chromium: Chromium, page: str) -> None:
    chromium.look(width=375, height=700)
    chromium.open(page)
    chromium.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert chromium.run("document.documentElement.scrollWidth") == 375


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_every_word_can_be_told_from_its_ground(chromium: Chromium, page: str, scheme: str, width: int) -> None:
    chromium.look(width=width, scheme=scheme)
    chromium.open(page)
    chromium.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert chromium.run(CONTRASTS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_in_the_darkest_cell_of_a_matrix_are_legible(chromium: Chromium, page: str, scheme: str) -> None:
    chromium.look(scheme=scheme)
    chromium.open(page)
    colours = {name: _rgb(value) for name, value in chromium.run(CELLS).items()}
    for side in ("baseline", "candidate"):
        ground = [0.5 * tone + 0.5 * paper for tone, paper in zip(colours[side], colours["paper"], strict=True)]
        assert _contrast(ground, colours["ink"]) >= 4.5


def test_dark_is_dark(chromium: Chromium, page: str) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        chromium.look(scheme=scheme)
        chromium.open(page)
        grounds.append(_light(_rgb(chromium.run(CELLS)["paper"])))
    assert grounds[0] > 0.9
    assert grounds[1] < 0.05


def test_on_paper_everything_is_open_and_nothing_is_to_be_clicked(chromium: Chromium, page: str) -> None:
    chromium.open(page)
    chromium.run(
        "addEventListener('beforeprint', () => { window.closed_on_paper ="
        " document.querySelectorAll('details:not([open])').length })"
    )
    closed = chromium.run("document.querySelectorAll('details:not([open])').length")
    chromium.ask("Page.printToPDF")
    assert closed > 30
    assert chromium.run("window.closed_on_paper") == 0
    assert chromium.run("document.querySelectorAll('details:not([open])').length") == closed
    chromium.look(media="print")
    seen = "[...document.querySelectorAll('audio, .controls, nav')].filter(one => one.getClientRects().length).length"
    assert chromium.run(seen) == 0


def test_what_is_not_text_has_a_name(chromium: Chromium, page: str) -> None:
    chromium.open(page)
    assert chromium.run(NAMELESS) == []


def test_tables_say_what_their_columns_and_rows_are(chromium: Chromium, page: str) -> None:
    chromium.open(page)
    bare = "[...document.querySelectorAll('th')].filter(one => !one.scope).length"
    headless = "[...document.querySelectorAll('tbody tr')].filter(one => !one.querySelector('th')).length"
    assert (chromium.run(bare), chromium.run(headless)) == (0, 0)


def test_the_keyboard_reaches_controls_and_players(chromium: Chromium, page: str) -> None:
    chromium.open(page)
    reached = []
    for _ in range(40):
        for kind in ("keyDown", "keyUp"):
            chromium.ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        reached.append(chromium.run("document.activeElement.tagName"))
    assert {"A", "SUMMARY", "SELECT", "AUDIO"} <= set(reached)


def test_no_element_shares_its_id(chromium: Chromium, page: str) -> None:
    chromium.open(page)
    ids = chromium.run("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))


def test_words_that_want_to_be_markup_stay_words(chromium: Chromium, hostile_page: str) -> None:
    chromium.look(width=375)
    chromium.open(hostile_page)
    chromium.run(f"({CHOOSE})('sort-order', 'gain')")
    assert chromium.run("window.pwned") is None
    assert chromium.run("document.querySelectorAll('img, script').length") == 1
    assert chromium.run("document.body.textContent.includes('49$x^2$')") is False
    assert chromium.run("document.documentElement.scrollWidth") == 375
    assert (chromium.requests(), chromium.complaints()) == ([hostile_page], [])


def _rgb(colour: str) -> list[float]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def _light(rgb: list[float]) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [c / 255 / 12.92 if c <= 10.3 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _contrast(one: list[float], other: list[float]) -> float:
    dark, light = sorted((_light(one), _light(other)))
    return (light + 0.05) / (dark + 0.05)
