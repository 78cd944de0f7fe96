"""FunASR as far as the scorer calls it: AutoModel of a local folder, with the ways in which the real one fails quietly.

What it hears is written in model.pt, as JSON: ``weights`` (names), and ``scores`` or ``text``, or a ``misdeed``.
"""

import ctypes
import json
import os
import socket
import time

import numpy as np

WEIGHTS = {
    "Emotion2vec": ("modality_encoders.AUDIO.decoder.proj.weight", "blocks.0.norm1.weight", "proj.weight"),
    "SenseVoiceSmall": ("encoder.weight", "ctc.ctc_lo.weight"),
    "Paraformer": ("encoder.weight", "decoder.weight"),
}


class AutoModel:
    def __init__(self, **kwargs):
        print("funasr version: 1.0.")
        if not kwargs.get("disable_update", False):
            socket.create_connection(("127.0.0.1", 9))
        folder = kwargs["model"]
        if not os.path.exists(folder):
            print(f"Download: {folder} failed!: no such model")
        with open(os.path.join(folder, "configuration.json"), encoding="utf-8") as file:
            metas = json.load(file)["file_path_metas"]
        with open(os.path.join(folder, metas["config"]), encoding="utf-8") as file:
            name = file.readline().removeprefix("model: ").strip()
        if name not in WEIGHTS:
            raise RuntimeError(f"model {name} is not registered")
        weights = os.path.join(folder, metas["init_param"]) if "init_param" in metas else ""
        self.kwargs = {**kwargs, "model": name}
        self.saved = {}
        if os.path.exists(weights):  # a file that is not there is left out without a word
            self.kwargs["init_param"] = weights
            with open(weights, encoding="utf-8") as file:
                self.saved = json.load(file)
            for key in WEIGHTS[name]:
                if key not in self.saved["weights"]:
                    print(f"Warning, miss key in ckpt: {key}, {weights}")
        cmvn = metas.get("frontend_conf", {}).get("cmvn_file")  # so is this, and what is heard is another thing
        self.normalises = cmvn is not None and os.path.exists(os.path.join(folder, cmvn))
        self.labels = _lines(os.path.join(folder, "tokens.txt"))

    def generate(self, input, **cfg):
        if not (isinstance(input, np.ndarray) and input.dtype == np.float32 and input.ndim == 1):
            raise TypeError(f"expected samples, got {type(input)}")
        _misbehave(self.saved.get("misdeed"))
        if self.saved.get("misdeed") == "nothing":
            return []
        if self.saved.get("misdeed") == "dithers":
            return [{"key": "rand_key_1", "text": str(np.random.random())}]
        if self.kwargs["model"] == "Emotion2vec":
            assert cfg == {"granularity": "utterance", "extract_embedding": False}
            return [{"key": "rand_key_1", "labels": self.labels, "scores": self.saved["scores"]}]
        if not self.normalises:
            return [{"key": "rand_key_1", "text": "嗯嗯嗯"}]
        if self.kwargs["model"] == "SenseVoiceSmall":
            style = "withitn" if cfg["use_itn"] else "woitn"
            tags = f"<|{cfg['language']}|><|NEUTRAL|><|Speech|><|{style}|>"
            return [{"key": "rand_key_1", "text": tags + self.saved["text"]}]
        return [{"key": "rand_key_1", "text": " ".join(self.saved["text"]), "timestamp": []}]


def _lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def _misbehave(misdeed):
    if misdeed == "calls out":  # as a C library would: Python's own module is not asked
        if ctypes.CDLL(None, use_errno=True).socket(socket.AF_INET, socket.SOCK_STREAM, 0) < 0:
            raise OSError(ctypes.get_errno(), "socket")
    elif misdeed == "prints":
        print("rtf_avg: 0.1")
    elif misdeed == "raises":
        raise IndexError("list index out of range")
    elif misdeed == "crashes":
        os.abort()
    elif misdeed == "hangs":
        time.sleep(600)
