"""A picture per clip, and nothing but a missing picture when one cannot be drawn."""

from __future__ import annotations

import io
import math
import struct
import sys
import textwrap
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from services.scorer.pictures.picture_drawing import mel_levels_db
from services.scorer.pictures.pictures import Pictures
from shared.audio import Audio, silence
from shared.jobs import Piece

RATE = 24_000
TITLE = "espeak-v2  ·  happy 0.8  ·  MOS 3.97 (nisqa_tts)"
TROUBLED = textwrap.dedent(
    """
    import os, time
    from shared.processes.serving import Served
    served = Served()
    for frame in served.requests():
        title = frame.header.get("title", "")
        if title == "crash":
            os.abort()
        if title == "hang":
            time.sleep(600)
        served.answer({}, b"drawn")
    """
)


def tone(seconds: float, hz: float = 220.0, rate: int = RATE) -> Audio:
    samples = (round(12_000 * math.sin(2 * math.pi * hz * n / rate)) for n in range(round(seconds * rate)))
    return Audio(b"".join(struct.pack("<h", sample) for sample in samples), rate)


@pytest.fixture(scope="module")
def pictures() -> Iterator[Pictures]:
    pictures = Pictures()
    yield pictures
    pictures.close()


@pytest.fixture
def troubled() -> Iterator[Pictures]:
    pictures = Pictures([sys.executable, "-c", TROUBLED], deadline_s=1.0)
    yield pictures
    pictures.close()


def drawn(pictures: Pictures, audio: Audio, title: str = TITLE, pieces: tuple[Piece, ...] = ()) -> Image.Image:
    png = pictures.draw(audio, title=title, pieces=pieces)
    assert png is not None
    image = Image.open(io.BytesIO(png))
    image.load()
    return image.convert("RGB")


def test_a_picture_is_900_pixels_wide(pictures: Pictures) -> None:
    assert drawn(pictures, tone(1.0)).size == (900, 480)


@pytest.mark.parametrize(
    "audio",
    [tone(0.01), tone(0.4, rate=8000), tone(1.0, rate=48_000), Audio(silence(1.0, RATE), RATE), Audio(b"\0\0", RATE)],
    ids=["10 ms", "8 kHz", "48 kHz", "silence", "one sample"],
)
def test_every_clip_has_a_picture(pictures: Pictures, audio: Audio) -> None:
    assert drawn(pictures, audio).size == (900, 480)


def test_nothing_of_one_picture_is_left_in_the_next(pictures: Pictures) -> None:
    pieces = tuple(Piece("", n / 4, (n + 1) / 4) for n in range(4))
    first = drawn(pictures, tone(1.0))
    assert drawn(pictures, tone(1.0), pieces=pieces).tobytes() != first.tobytes()
    assert drawn(pictures, tone(1.0)).tobytes() == first.tobytes()


def test_a_character_that_the_font_lacks_does_not_become_a_box(pictures: Pictures) -> None:
    assert drawn(pictures, tone(0.2), "今天 $x$").tobytes() == drawn(pictures, tone(0.2), "?? $x$").tobytes()


def test_a_clip_without_a_sample_has_none_and_costs_the_next_one_nothing(pictures: Pictures) -> None:
    assert pictures.draw(Audio(b"", RATE), title=TITLE) is None
    assert drawn(pictures, tone(0.2)).size == (900, 480)


@pytest.mark.parametrize("trouble", ["crash", "hang"])
def test_a_host_in_trouble_costs_one_picture(troubled: Pictures, trouble: str) -> None:
    assert troubled.draw(tone(0.1), title=trouble) is None
    assert troubled.draw(tone(0.1), title="fine") == b"drawn"


def test_a_tone_lies_in_the_band_of_its_frequency() -> None:
    samples = np.frombuffer(tone(0.5, hz=1000.0).pcm, dtype="<i2").astype(np.float32) / np.float32(32768)
    levels = mel_levels_db(samples, RATE, 8000.0)
    loudest = int(levels.mean(axis=1).argmax())
    mel = (loudest + 1) / 97 * 2595 * math.log10(1 + 8000 / 700)
    assert 700 * (10 ** (mel / 2595) - 1) == pytest.approx(1000, rel=0.05)


def test_silence_stays_dark() -> None:
    assert mel_levels_db(np.zeros(RATE, dtype=np.float32), RATE, 8000.0).max() == pytest.approx(-70)
