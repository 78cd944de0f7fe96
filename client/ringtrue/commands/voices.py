"""`ringtrue voices`: the uploaded voices that jobs can speak with."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ringtrue import Consent
from ringtrue.commands.connection import AsJson, connect
from ringtrue.console.terminal import data, data_json, data_table, words

voices = typer.Typer(help="Upload, list and remove voices that jobs can speak with.", no_args_is_help=True)

Recording = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        readable=True,
        help="A recording: WAV, FLAC, MP3 or OGG; 0.5 to 60 s.",
    ),
]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who gave consent to use the voice.")]
Text = Annotated[str, typer.Option("--consent", metavar="TEXT", help="The words of the consent.")]
At = Annotated[datetime | None, typer.Option("--at", help="When consent was given. Default: now.", show_default=False)]
Name = Annotated[str | None, typer.Option("--name", help="A name for the voice.")]
VoiceId = Annotated[str, typer.Argument(metavar="ID", help="Id of the voice.")]


@voices.command()
def add(
    ctx: typer.Context,
    file: Recording,
    by: By,
    consent: Text,
    at: At = None,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Upload a recording and print the voice's id, for `--reference` of `say`."""
    given = Consent(by, consent) if at is None else Consent(by, consent, at)
    with connect(ctx) as ringtrue:
        added = ringtrue.voices.add(file, given, name=name)
    if as_json:
        data_json(added.raw)
        return
    data(added.id)
    words(f"{added.duration_s:.2f} s at {added.sample_rate} Hz")


@voices.command("list")
def list_voices(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List your voices, newest first."""
    with connect(ctx) as ringtrue:
        found = ringtrue.voices.all()
    if as_json:
        data_json([voice.raw for voice in found])
        return
    data_table(
        ("VOICE", "NAME", "SECONDS", "HZ", "PCM", "CONSENT"),
        (
            (
                *(voice.id, voice.name or "", f"{voice.duration_s:.2f}", str(voice.sample_rate)),
                *(voice.pcm_sha256[:12], f"{voice.consent.by}, {voice.consent.at:%Y-%m-%d}"),
            )
            for voice in found
        ),
    )


@voices.command()
def remove(ctx: typer.Context, voice_id: VoiceId) -> None:
    """Remove a voice. Clips that were spoken with it stay."""
    with connect(ctx) as ringtrue:
        ringtrue.voices.remove(voice_id)
    words(f"{voice_id} removed")
