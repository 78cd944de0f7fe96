"""espeak-v1 holds what every engine must hold."""

from tests.worker.engines.conformance import EngineConformance


class TestEspeakV1(EngineConformance):
    pin = "espeak-v1"
    noisy_voices = ("en-us+f2", "cmn+f5", "en-us+whisper")
