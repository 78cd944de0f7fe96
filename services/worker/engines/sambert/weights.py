"""The files in a snapshot of Sambert-HifiGAN, examined without loading any of them.

Owns the pin's options, the voices, and the checks that everything is there and that configuration.json asks for no
code, which the package would install and run. The voices' configurations are read as text, because this must work
without the engine's packages. Knows nothing of speaking.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.json_files import json_object
from services.worker.engines.language_tags import is_tag
from services.worker.engines.sambert import feeling

CONFIGURATION = "configuration.json"
RESOURCE = "resource.zip"
VOICES = "voices/voices.json"
LANGUAGES = {"PinYin": "zh", "Sichuan": "zh-x-sichuan", "ZhHK": "yue", "WuuShanghai": "wuu"}
"""The languages for which KAN-TTS has phones (kantts/preprocess/languages), as BCP 47. For another word, the pin has to
say its language."""
USUAL_RATE = 16_000
"""In Hz. The package assumes it if configuration.json does not say."""
_KINDS = {"model": "sambert-hifigan", "pipeline": "sambert-hifigan-tts"}
_CODE = ("plugins", "allow_remote")
_NULL = ("null", "~")
_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True, slots=True)
class SambertVoice:
    """One voice of a pin."""

    name: str
    folder: Path
    emotions: Sequence[str]

    @property
    def configurations(self) -> Sequence[Path]:
        """The YAML files that the package reads."""
        return self.folder / "am" / "config.yaml", self.folder / "voc" / "config.yaml"

    @property
    def language(self) -> str:
        """The front end's name for it."""
        return self._setting("am/config.yaml", "language", "PinYin")

    @property
    def draws(self) -> bool:
        """True if its vocoder starts from random numbers: only one with a source module does."""
        return self._setting("voc/config.yaml", "nsf_params", "null", inside=True) not in _NULL

    @property
    def sample_rate(self) -> int | None:
        """In Hz, of what it was trained on. ``None`` if it does not say."""
        value = self._setting("audio_config.yaml", "sampling_rate", "")
        return int(value) if value.isdecimal() else None

    def missing(self) -> Iterator[str]:
        """Yield the files that the package would miss, as paths in the snapshot."""
        place = f"voices/{self.name}"
        yield from (f"{place}/{path.relative_to(self.folder)}" for path in self.configurations if not path.is_file())
        for part in ("am", "voc"):
            if not any((self.folder / part / "ckpt").glob("checkpoint_*.pth")):
                yield f"{place}/{part}/ckpt/checkpoint_N.pth"

    def _setting(self, name: str, key: str, default: str, inside: bool = False) -> str:
        """Return a scalar, at any depth. ``inside``: return the beginning of a mapping, whatever it is."""
        file = self.folder / name
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        value = r"\s*(\S+)" if inside else r"[ \t]*[\"']?([^\"'#\s,}]+)"
        found = re.search(rf"(?m)(?:^|[{{,])[ \t]*{key}:{value}", text)
        return found.group(1).rstrip(",}") if found else default


class SambertWeights:
    """One snapshot. Raises `EngineError` if options or files are not what the engine needs."""

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        """``options`` of the pin: ``emotions``, a table from voices to what each was trained on; ``language``, BCP
        47."""
        if unknown := sorted(set(options) - {"emotions", "language"}):
            raise EngineError(
                f"unknown option of a sambert pin: {', '.join(unknown)}; known options: emotions, language"
            )
        self.folder = folder
        self.sample_rate = _sample_rate(_configuration(folder))
        self.voices = _voices(folder, feeling.declared(options.get("emotions", {})))
        missing = [name for voice in self.voices.values() for name in voice.missing()]
        missing += [] if (folder / RESOURCE).is_file() else [RESOURCE]
        if missing:
            raise EngineError(f"Sambert-HifiGAN needs {', '.join(missing)}, which the lock does not name")
        self._agree()
        self.language = self._language(options.get("language"))

    @property
    def emotions(self) -> tuple[str, ...]:
        """The emotions that at least one voice has."""
        return tuple(name for name in feeling.NAMES if any(name in voice.emotions for voice in self.voices.values()))

    @property
    def draws(self) -> bool:
        """True if at least one voice draws random numbers."""
        return any(voice.draws for voice in self.voices.values())

    def _agree(self) -> None:
        """Check that all voices agree. The package has one front end, the last voice's, and one sample rate, that of
        configuration.json."""
        for voice in self.voices.values():
            if voice.sample_rate not in (None, self.sample_rate):
                raise EngineError(
                    f"the voice {voice.name} has {voice.sample_rate} Hz in its audio_config.yaml, "
                    f"but {CONFIGURATION} has {self.sample_rate}; the two must be equal"
                )
        if len({voice.language for voice in self.voices.values()}) > 1:
            raise EngineError("the voices have several languages; make a pin for each language")

    def _language(self, said: Any) -> str:
        word = next(iter(self.voices.values())).language
        if said is not None and not is_tag(said):
            raise EngineError(f"the pin's option language must be a BCP 47 tag in lower case, not {said!r}")
        if said is None and word not in LANGUAGES:
            raise EngineError(f"the voices speak {word}; set the pin's option language to the tag of that language")
        return said or LANGUAGES[word]


def _configuration(folder: Path) -> Mapping[str, Any]:
    found = _object(folder, CONFIGURATION)
    for part, kind in _KINDS.items():
        if not isinstance(found.get(part), dict) or found[part].get("type") != kind:
            raise EngineError(f"{CONFIGURATION} does not belong to Sambert-HifiGAN: {part}.type must be {kind}")
    if asked := [name for name in _CODE if found.get(name)]:
        raise EngineError(f"{CONFIGURATION} asks for code ({', '.join(asked)}); this engine runs no code of a model")
    if found["model"].get("custom_ckpt"):
        raise EngineError(f"{CONFIGURATION} has a custom_ckpt; name its voice in {VOICES} instead")
    return found


def _sample_rate(configuration: Mapping[str, Any]) -> int:
    rate = configuration["model"].get("sample_rate", USUAL_RATE)
    if not isinstance(rate, int) or isinstance(rate, bool) or rate <= 0:
        raise EngineError(f"{CONFIGURATION}: {rate!r} is not a sample rate")
    return rate


def _voices(folder: Path, emotions: Mapping[str, Sequence[str]]) -> dict[str, SambertVoice]:
    """Return the voices by name, in their order: those that voices.json names and whose folders exist, as the package
    does."""
    names = _object(folder, VOICES).get("voices")
    if not isinstance(names, list) or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise EngineError(f"{VOICES} has no list of voices")
    known = {**feeling.KNOWN, **emotions}
    voices = {name: SambertVoice(name, folder / "voices" / name, known.get(name, ())) for name in names}
    there = {name: voice for name, voice in voices.items() if voice.folder.is_dir()}
    if not there:
        raise EngineError(f"all voices of {VOICES} are missing: {', '.join(voices) or 'it names none'}")
    if strange := sorted(set(emotions) - set(there)):
        raise EngineError(f"the pin's option emotions names {', '.join(strange)}; the voices are {', '.join(there)}")
    return there


def _object(folder: Path, name: str) -> Mapping[str, Any]:
    try:
        return json_object(folder / name, name)
    except FileNotFoundError as error:
        raise EngineError(f"Sambert-HifiGAN needs {name}, which the lock does not name") from error
