"""Models for the fake FunASR, and a Python of its own in which it is installed: numpy, the fake, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path

import numpy as np

from tests.worker.outside import bare_python, wheel

FAKE = Path(__file__).parent / "fake_funasr"
LABELS = (
    *("生气/angry", "厌恶/disgusted", "恐惧/fearful", "开心/happy", "中立/neutral", "其他/other"),
    *("难过/sad", "吃惊/surprised", "<unk>"),
)
"""tokens.txt of emotion2vec+."""
SCORES = (0.05, 0.1, 0.0625, 0.4, 0.0125, 0.25, 0.025, 0.05, 0.05)
_WHOLE = {
    "Emotion2vec": ("blocks.0.norm1.weight", "proj.weight"),
    "SenseVoiceSmall": ("encoder.weight", "ctc.ctc_lo.weight"),
    "Paraformer": ("encoder.weight", "decoder.weight"),
}
"""What published files hold; those of emotion2vec+ lack the decoder that it was pretrained with."""


def funasr_python(folder: Path, *, without: Sequence[str] = ()) -> Path:
    """An interpreter with the fake. ``without``: packages that are not installed in it."""
    modules = {path.relative_to(FAKE).as_posix(): path.read_text() for path in FAKE.rglob("*.py")}
    fakes = {"funasr": modules, "torch": {}, "torchaudio": {}}
    folder.mkdir(parents=True, exist_ok=True)
    wheels = [wheel(folder, name, files) for name, files in fakes.items() if name not in without]
    python = bare_python(folder / "python", *wheels)
    (packages,) = folder.glob("python/lib/python3*/site-packages")
    ours = Path(np.__file__).parents[1]
    info = Path(str(distribution("numpy")._path)).name  # type: ignore[attr-defined]
    for part in ("numpy", "numpy.libs", info):
        (packages / part).symlink_to(ours / part)
    return python


def funasr_files(model: str, **saved: object) -> Mapping[str, bytes]:
    """Path -> content of a pin. ``saved``: what the fake's model.pt says besides the names of its weights."""
    metas = {
        **{"init_param": "model.pt", "config": "config.yaml", "tokenizer_conf": {"token_list": "tokens.txt"}},
        **({} if model == "Emotion2vec" else {"frontend_conf": {"cmvn_file": "am.mvn"}}),
    }
    files = {} if model == "Emotion2vec" else {"am.mvn": b"<Nnet>"}
    return files | {
        "configuration.json": json.dumps({"file_path_metas": metas}).encode(),
        "config.yaml": f"model: {model}\nmodel_conf: {{}}\n".encode(),
        "model.pt": json.dumps({"weights": _WHOLE.get(model, ()), **saved}).encode(),
        "tokens.txt": "\n".join(LABELS).encode() + b"\n",
    }
