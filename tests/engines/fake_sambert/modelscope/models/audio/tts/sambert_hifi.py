"""modelscope/models/audio/tts/sambert_hifi.py."""

from __future__ import annotations

import io
import json
import os
import sys
import wave
import zipfile

import numpy as np
from modelscope.utils.audio.tts_exceptions import (
    TtsFrontendInitializeFailedException,
    TtsFrontendLanguageTypeInvalidException,
    TtsVoiceNotExistsException,
)

from .voice import Voice

REFUSED_FROM = (3, 99)
"""(3, 11) as published since 1.29.1; the fake speaks on whatever runs the tests."""
TELEPHONE, GARBLED, STEREO = "telephone", "garbled", "stereo"
"""Words that end in another sample rate, in no WAV file, in two channels."""


class SambertHifigan:
    def __init__(self, model_dir, *args, **kwargs):
        self.model_dir = model_dir
        self.sample_rate = kwargs.get("sample_rate", 16000)
        self.voices, self.voice_cfg, self.lang_type = self.load_voice(model_dir)
        if not self.voices:
            raise TtsVoiceNotExistsException("modelscope error: voices empty")
        self.default_voice_name = self.voice_cfg["voices"][0]
        if sys.version_info >= REFUSED_FROM:
            raise ImportError("Python version needs to be <= 3.10")
        import ttsfrd

        frontend = ttsfrd.TtsFrontendEngine()
        self.res_path = os.path.join(model_dir, "resource")
        with zipfile.ZipFile(os.path.join(model_dir, "resource.zip"), "r") as zip_ref:
            zip_ref.extractall(model_dir)
        if not frontend.initialize(self.res_path):
            raise TtsFrontendInitializeFailedException(f"modelscope error: resource invalid: {self.res_path}")
        if not frontend.set_lang_type(self.lang_type):
            raise TtsFrontendLanguageTypeInvalidException(f"modelscope error: language type invalid: {self.lang_type}")
        self.frontend = frontend

    def load_voice(self, model_dir):
        voices, lang_type = {}, "PinYin"
        with open(os.path.join(model_dir, "voices", "voices.json"), encoding="utf-8") as f:
            voice_cfg = json.load(f)
        for name in voice_cfg["voices"]:
            voice_path = os.path.join(model_dir, "voices", name)
            if not os.path.exists(voice_path):
                continue
            voices[name] = Voice(name, voice_path)
            lang_type = voices[name].lang_type
        return voices, voice_cfg, lang_type

    def synthesis_one_sentences(self, voice_name, text):
        if voice_name not in self.voices or "lost" in text:
            raise TtsVoiceNotExistsException(f"modelscope error: Voice {voice_name} not exists")
        return self.voices[voice_name].forward(text)

    def forward(self, text, voice_name=None):
        voice = self.default_voice_name
        if voice_name is not None:
            voice = voice_name
        result = self.frontend.gen_tacotron_symbols(text)
        texts = [s for s in result.splitlines() if s != ""]
        audio_total = np.empty((0), dtype="int16")
        for line in texts:
            audio = self.synthesis_one_sentences(voice, line.strip().split("\t")[1])
            audio_total = np.append(audio_total, (32768.0 * audio).astype("int16"), axis=0)
        return _wav(8000 if TELEPHONE in text else self.sample_rate, audio_total, text)


def _wav(fs, data, text):
    if GARBLED in text:
        return b"OggS" + data.tobytes()
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2 if STEREO in text else 1)
        writer.setsampwidth(2)
        writer.setframerate(fs)
        writer.writeframes(data[: len(data) // 2 * 2].tobytes())
    return file.getvalue()
