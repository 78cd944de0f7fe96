"""What is called of ttsfrd. It reads Han characters and Latin words; other letters it passes over."""

from __future__ import annotations

import os
import re
from xml.etree import ElementTree

LANGUAGES = ("PinYin", "ZhHK", "Sichuan", "WuuShanghai", "Klingon")


class TtsFrontendEngine:
    def initialize(self, resource_dir):
        return os.path.isfile(os.path.join(resource_dir, "front_end.txt"))

    def set_lang_type(self, lang_type):
        return lang_type in LANGUAGES

    def gen_tacotron_symbols(self, text):
        """A line per sentence: number, tab, symbols."""
        emotion = "emotion_none"
        if text.startswith("<speak"):
            root = ElementTree.fromstring(text)
            element = root.find("emotion")
            emotion = emotion if element is None else f"emotion_{element.get('category')}"
            text = "".join(root.itertext())
        if "tabless" in text:
            return "0"
        lines = []
        for sentence in re.split(r"[。!?.!?\n]", text):
            sounds = re.findall(r"[\u4e00-\u9fff]|[A-Za-z0-9]+", sentence)
            units = [f"{{{sound}$tone1$s_both$word_both${emotion}$F7}}" for sound in sounds]
            lines += [f"{len(lines)}\t{' '.join(units)}"] if units else []
        return "\n".join(lines)
