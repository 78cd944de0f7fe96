"""espeak-v2 holds what every engine must hold."""

from tests.worker.engines.conformance import EngineConformance


class TestEspeakV2(EngineConformance):
    pin = "espeak-v2"


class TestEspeakV2InChinese(EngineConformance):
    """Tones make pitch another matter than in English."""

    pin = "espeak-v2"
    language = "zh"
    sentence = "今天的阳光真灿烂,我们一起去公园散步吧。明天可能会下雨。"
    others = ("你好吗?", "价格是三百二十元。", "再见!")
    noisy_voices = ("en-us+f2", "cmn+f5", "en-us+whisper")
