"""What it costs that a voice of Piper gets its noise from outside: ``python -m benchmarks.evidence.piper_noise``.

The voice is one of medium size, of random weights, made and exported by the code that Piper trains with (piper-tts,
piper/train). Its own graph is measured beside ours, and beside the other way to a seed: a session per utterance.
"""

from __future__ import annotations

import io
import time
import warnings
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
import torch
from piper.train.vits.models import SynthesizerTrn

from services.worker.engines.piper.graph import prepared

PHONEMES = 165
"""Some 80 of them with the padding between: a sentence of ten words."""
ROUNDS = 9
_MEDIUM = {
    "n_vocab": 256,
    "spec_channels": 513,
    "segment_size": 32,
    "inter_channels": 192,
    "hidden_channels": 192,
    "filter_channels": 768,
    "n_heads": 2,
    "n_layers": 6,
    "kernel_size": 3,
    "p_dropout": 0.1,
    "resblock": "2",
    "resblock_kernel_sizes": (3, 5, 7),
    "resblock_dilation_sizes": ((1, 2), (2, 6), (3, 12)),
    "upsample_rates": (8, 8, 4),
    "upsample_initial_channel": 256,
    "upsample_kernel_sizes": (16, 16, 8),
}


def exported() -> bytes:
    """As piper/train/export_onnx.py does it."""
    torch.manual_seed(1)
    voice = SynthesizerTrn(**_MEDIUM).eval()
    voice.dec.remove_weight_norm()

    def speak(ids: Any, lengths: Any, scales: Any) -> Any:
        said = voice.infer(ids, lengths, noise_scale=scales[0], length_scale=scales[1], noise_scale_w=scales[2])
        return said[0].unsqueeze(1)

    voice.forward = speak
    example = torch.randint(0, 256, (1, 50)), torch.LongTensor([50]), torch.FloatTensor([0.667, 1, 0.8])
    written = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            voice,
            example,
            written,
            opset_version=15,
            dynamo=False,
            input_names=["input", "input_lengths", "scales"],
            output_names=["output"],
            dynamic_axes={"input": {1: "phonemes"}, "output": {2: "time"}},
        )
    return written.getvalue()


def session(model: bytes) -> onnxruntime.InferenceSession:
    """On one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def seconds(*ways: Callable[[], Any]) -> list[float]:
    """Median time of each, taken in turns."""
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(ROUNDS):
        for way, times in zip(ways, taken, strict=True):
            began = time.perf_counter()
            way()
            times.append(time.perf_counter() - began)
    return [median(times) for times in taken]


def main() -> None:
    published = exported()
    changed, ports = prepared(published)
    ids = np.random.default_rng(1).integers(1, 150, (1, PHONEMES))
    # no noise in the lengths, so that all speak equally long
    given = {"input": ids, "input_lengths": np.array([PHONEMES]), "scales": np.array([0.667, 1, 0], np.float32)}
    theirs, ours = session(published), session(changed)

    def noise() -> dict[str, Any]:
        return {name: np.random.default_rng(1).standard_normal(1 << 18, np.float32) for name in ports.noises}

    def fresh() -> Any:
        onnxruntime.set_seed(1)
        return session(published).run(None, given)

    still = {**given, "scales": np.array([0, 1, 0], np.float32)}
    (plain,), same = theirs.run(None, still), ours.run(["output"], {**still, **noise()})[0]
    print(f"samples without noise are the same: {np.array_equal(plain, same)}; {plain.size / 22_050:.1f} s of speech")
    speak = seconds(lambda: theirs.run(None, given), lambda: ours.run(None, {**given, **noise()}), fresh)
    load = seconds(lambda: session(published), lambda: session(prepared(published)[0]))
    print(f"an utterance, noise from outside / published graph:  {speak[1] / speak[0]:.2f} x")
    print(f"an utterance, a session for each / published graph:  {speak[2] / speak[0]:.2f} x")
    print(f"loading, graph changed / published graph:            {load[1] / load[0]:.2f} x")


if __name__ == "__main__":
    main()
