"""Settings: their defaults, and values that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings import SETTINGS, read_settings, unknown_settings


@pytest.mark.parametrize(
    ("environ", "data"),
    [
        ({}, Path.home() / ".local/share/ringtrue"),
        ({"XDG_DATA_HOME": "/srv/ann"}, Path("/srv/ann/ringtrue")),
        ({"XDG_DATA_HOME": ""}, Path.home() / ".local/share/ringtrue"),
        ({"XDG_DATA_HOME": "ann"}, Path.home() / ".local/share/ringtrue"),  # by its specification it must be absolute
        ({"XDG_DATA_HOME": "/srv/ann", "RINGTRUE_DATA": "/srv/team"}, Path("/srv/team")),
    ],
)
def test_the_data_folder_is_where_applications_keep_theirs(environ: dict[str, str], data: Path) -> None:
    settings = read_settings(environ)
    assert settings.data == data
    assert settings.blobs == data / "blobs"
    assert settings.database_url == f"sqlite:///{data}/ringtrue.db"


@pytest.mark.parametrize("minutes", ["many", "nan", "inf", "-1"])
def test_a_number_of_minutes_is_one(minutes: str) -> None:
    with pytest.raises(SettingsError, match="RINGTRUE_VOICE_MINUTES"):
        read_settings({"RINGTRUE_VOICE_MINUTES": minutes})


@pytest.mark.parametrize("given", ["kokoro", "kokoro=", "=/usr/bin/python3", "a=/x,a=/y"])
def test_interpreters_are_families_with_a_python_each(given: str) -> None:
    with pytest.raises(SettingsError, match="RINGTRUE_INTERPRETERS"):
        read_settings({"RINGTRUE_INTERPRETERS": given})


def test_audio_is_kept_in_a_folder() -> None:
    with pytest.raises(SettingsError, match="object stores are not supported"):
        read_settings({"RINGTRUE_BLOBS": "ftp://bucket/audio"})


def test_a_misspelt_setting_is_said_with_the_right_one() -> None:
    assert unknown_settings({"RINGTRUE_DATE": "/srv", "PATH": "/bin"}) == [
        "RINGTRUE_DATE is not a setting; did you mean RINGTRUE_DATA?"
    ]
    assert unknown_settings(dict.fromkeys(SETTINGS, "")) == []
