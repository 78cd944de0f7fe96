"""The child process that runs FunASR: ``/other/python -I foreign_python.py``, in the Python that FunASR is installed
in.

Owns how FunASR is called so that it loads the files of one folder and nothing else. Depends on the standard library,
numpy, FunASR and shared.processes.hosting, which is found by its path; that Python has none of the scorer's packages.
Requests and their answers:

    {"op": "packages", "names": [...]}            -> {"op": "packages", "versions": {name: version or null}}
    {"op": "load", "folder", "threads"}           -> {"op": "loaded"} or {"op": "refused", "detail"}
    {"op": "generate", "samples": [counts], "options"} + float32 at 16 kHz, part after part
                                                  -> {"op": "generated", "results": [a mapping per part]}

An error that FunASR raises is answered by {"op": "failed", "detail"}. FunASR silently ignores a missing file of
weights and only prints a weight that is missing from the file; then it goes on with random numbers. So this module
checks for both.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.processes.frames import Frame

SHARED = Path(__file__).resolve().parents[4] / "shared"
OLDEST = (3, 11)
UNUSED = ("modality_encoders.AUDIO.decoder.",)
"""Weights that published checkpoints lack and recognition does not need: emotion2vec's pretraining."""
MEMBERS = ("text", "labels", "scores")

_MISSING = "Warning, miss key in ckpt: "


class FunasrConversation:
    """Answers requests. Keeps the model that was loaded last."""

    def __init__(self) -> None:
        self._model: Any = None

    def answer(self, request: Frame) -> Mapping[str, Any]:
        header = request.header
        try:
            match header["op"]:
                case "packages":
                    return {"op": "packages", "versions": {name: _version(name) for name in header["names"]}}
                case "load":
                    return self._load(header["folder"], header["threads"])
                case "generate":
                    results = [self._result(part, header["options"]) for part in _parts(request)]
                    return {"op": "generated", "results": results}
                case other:
                    raise ValueError(f"unknown op {other!r}")
        except Exception as error:  # the seam: any error of FunASR becomes the answer
            return {"op": "failed", "detail": f"{type(error).__name__}: {error}"}

    def _load(self, folder: str, threads: int) -> Mapping[str, Any]:
        from funasr import AutoModel  # type: ignore[import-not-found]

        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            model = AutoModel(
                model=folder,
                device="cpu",
                ncpu=threads,
                disable_update=True,
                disable_pbar=True,
                trust_remote_code=False,  # set here, so that a config.yaml cannot change it
                ignore_init_mismatch=False,
            )
        print(said.getvalue(), file=sys.stderr)
        weights = model.kwargs.get("init_param")
        if not weights or Path(weights).parent != Path(folder) or not Path(weights).is_file():
            return {"op": "refused", "detail": f"no weights were loaded from the pin, but from {weights}"}
        missing = [line.removeprefix(_MISSING) for line in said.getvalue().splitlines() if line.startswith(_MISSING)]
        if made_up := [name for name in missing if not name.startswith(UNUSED)]:
            detail = f"{len(made_up)} weights are not in {Path(weights).name}; the first is {made_up[0].split(',')[0]}"
            return {"op": "refused", "detail": detail}
        self._model = model
        return {"op": "loaded"}

    def _result(self, part: Any, options: Mapping[str, Any]) -> Mapping[str, Any]:
        from funasr.train_utils.set_all_random_seed import set_all_random_seed  # type: ignore[import-not-found]

        set_all_random_seed(0)  # recognisers dither the sound, so the seed makes the result repeatable
        results = self._model.generate(input=part, **options)
        if not results:
            raise RuntimeError("it returned no result")
        return {name: results[0][name] for name in MEMBERS if name in results[0]}


def _parts(request: Frame) -> Iterator[Any]:
    import numpy as np

    samples = np.frombuffer(request.payload, "<f4").astype("float32")
    start = 0
    for count in request.header["samples"]:
        yield samples[start : start + count]
        start += count


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _bring_shared() -> None:
    """Import the scorer's package ``shared`` by its path. Its modules are then found below that path."""
    spec = spec_from_file_location("shared", SHARED / "__init__.py", submodule_search_locations=[str(SHARED)])
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["shared"] = module
    spec.loader.exec_module(module)


def main() -> None:
    """Answer requests until the parent is gone."""
    if sys.version_info[:2] < OLDEST:
        sys.exit("FunASR's Python must be {}.{} or newer; this is {}.{}".format(*OLDEST, *sys.version_info[:2]))
    if not sys.flags.isolated:  # otherwise modules beside this file would hide packages of the same names
        sys.exit("start it with -I")
    _bring_shared()
    from shared.processes.serving import Served

    served = Served()
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    conversation = FunasrConversation()
    for request in served.requests():
        served.answer(conversation.answer(request))


if __name__ == "__main__":
    main()
