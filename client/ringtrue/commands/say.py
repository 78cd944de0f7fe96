"""`ringtrue say`: one text, from the command line to a WAV file."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any, cast

import typer

from ringtrue import Job, Ringtrue, SpeechOptions
from ringtrue.commands.connection import AsJson, LexiconFile, connect, lexicon_option, pairs
from ringtrue.commands.delivery import Delivered, Output, Timeout, WaitFor, check_output, deliver, end
from ringtrue.console.exits import ExitCode
from ringtrue.console.terminal import data, data_json, words
from ringtrue.texts import read_as_english, text_from

Text = Annotated[str, typer.Argument(metavar="TEXT", help="The text to speak; - reads it from stdin.")]
PinName = Annotated[str, typer.Option("--pin", help="Name of a pin; `ringtrue pins` lists them.")]
Emotion = Annotated[str | None, typer.Option(help="happy, angry, sad, ...")]
Strength = Annotated[float | None, typer.Option(help="Strength of the emotion, 0 to 1.")]
Language = Annotated[str | None, typer.Option(help="BCP 47 tag, e.g. zh.")]
Voice = Annotated[str | None, typer.Option(help="A voice of the pin, by name.")]
Reference = Annotated[
    str | None, typer.Option(metavar="ID", help="Id of an uploaded voice; `ringtrue voices list` lists them.")
]
Speed = Annotated[float | None, typer.Option(help="0.25 to 4; 1 is the voice's own speed.")]
PitchScale = Annotated[float | None, typer.Option(help="0.5 to 2; 1 is the voice's own pitch.")]
Seed = Annotated[int | None, typer.Option(help="The same seed gives the same audio.")]
SampleRate = Annotated[int | None, typer.Option(help="In Hz. Default: the pin's own.")]
EngineOptions = Annotated[
    list[str] | None, typer.Option("--option", metavar="K=V", help="An option of the engine; repeatable.")
]
Metadata = Annotated[list[str] | None, typer.Option("--metadata", metavar="K=V", help="Your own metadata; repeatable.")]
NoScore = Annotated[bool, typer.Option("--no-score", help="Do not score the audio.")]
WaitUntil = Annotated[WaitFor, typer.Option("--wait-for", help="The facet to wait for; none only submits the job.")]


def say(
    ctx: typer.Context,
    text: Text,
    *,
    pin: PinName,
    emotion: Emotion = None,
    strength: Strength = None,
    language: Language = None,
    voice: Voice = None,
    reference: Reference = None,
    speed: Speed = None,
    pitch_scale: PitchScale = None,
    seed: Seed = None,
    sample_rate: SampleRate = None,
    lexicon: LexiconFile = None,
    option: EngineOptions = None,
    metadata: Metadata = None,
    no_score: NoScore = False,
    wait_for: WaitUntil = "status",
    timeout: Timeout = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Speak a text. Prints the path of the file, or the job's id if no file is requested."""
    if strength is not None and emotion is None:
        raise typer.BadParameter("needs an emotion; give --emotion too", param_hint="--strength")
    check_output(output, as_json, wait_for)
    asked = {
        "pin": pin, "emotion": emotion, "strength": strength, "language": language, "voice": voice,
        "reference": reference, "speed": speed, "pitch_scale": pitch_scale, "seed": seed, "sample_rate": sample_rate,
        "lexicon": lexicon_option(lexicon),
        "options": {name: _value(value) for name, value in pairs(option, "--option")} or None,
        "metadata": dict(pairs(metadata, "--metadata")) or None,
        "score": False if no_score else None,
    }  # fmt: skip
    how = cast(SpeechOptions, {name: value for name, value in asked.items() if value is not None})
    with connect(ctx) as ringtrue:
        delivered = deliver(ringtrue, _submitted(ringtrue, _said(text), how), wait_for, timeout, output)
    _print(delivered, output, as_json)
    end(delivered, wait_for)


def _submitted(ringtrue: Ringtrue, said: str, how: SpeechOptions) -> Job:
    job = ringtrue.submit(said, **how)
    if "language" not in how and (note := read_as_english(said, job.input.get("language"))):
        words(note)
    return job


def _said(text: str) -> str:
    """Return the text, which is on stdin if it is given as ``-``."""
    if text != "-":
        return text
    try:
        content = sys.stdin.buffer.read()
    except OSError as error:
        words(f"standard input: {error.strerror}")
        raise typer.Exit(ExitCode.NOT_FOUND) from error
    return text_from(content, "standard input").replace("\r\n", "\n").rstrip("\n")


def _print(delivered: Delivered, output: str | None, as_json: bool) -> None:
    if as_json:
        data_json(delivered.job.raw)
    elif output is None or delivered.unwritten:
        data(delivered.job.id)
    elif output != "-" and delivered.job.succeeded:
        data(output)


def _value(text: str) -> Any:
    """Return JSON (a number, true, false, ...) as its value, and anything else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
