"""A checkpoint in a snapshot: its configuration files, and the one way that weights come into memory.

Owns what makes loading safe: only files of the snapshot, safetensors or ``weights_only``, code of the repository only
if the snapshot allows it, and no weight that the library would have initialised itself. Knows no class of models.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from services.worker.engines.base import EngineError
from services.worker.engines.json_files import json_object
from shared.errors import FailureCode

if TYPE_CHECKING:
    import torch


class Checkpoint:
    """The files in ``folder``. Errors call it ``name``."""

    def __init__(self, folder: Path, name: str = "the checkpoint", *, trust_remote_code: bool = False) -> None:
        self.folder = folder
        self._name = name
        self._trusted = trust_remote_code

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The content of ``config.json``. Raises `EngineError` if there is none."""
        if not (self.folder / "config.json").is_file():
            raise EngineError(f"{self._name}: config.json is missing", FailureCode.MODEL_NOT_PULLED)
        return self.described("config.json")

    @property
    def model_type(self) -> str:
        return str(self.config.get("model_type", ""))

    def described(self, name: str) -> Mapping[str, Any]:
        """Return the JSON object in the file ``name``. Empty if there is no such file."""
        file = self.folder / name
        return json_object(file, f"{self._name}: {name}") if file.is_file() else {}

    def tokenizer(self) -> Any:
        """Return the checkpoint's tokenizer."""
        from transformers import AutoTokenizer

        return self._made(AutoTokenizer)

    def processor(self) -> Any:
        """Return the checkpoint's processor, or its tokenizer if it has none."""
        from transformers import AutoProcessor

        return self._made(AutoProcessor)

    def model(self, made_by: Any, device: torch.device) -> Any:
        """Return the model of the class ``made_by`` on ``device``, in float32. Raises `EngineError` unless every weight
        comes from the files."""
        import torch

        safe = any(self.folder.glob("*.safetensors"))
        model, report = self._made(
            made_by, dtype=torch.float32, use_safetensors=safe, weights_only=True, output_loading_info=True
        )
        needed = {name for name, _ in model.named_parameters()}
        if missing := sorted(needed & set(report["missing_keys"])):
            raise EngineError(f"{len(missing)} weights are not in the checkpoint; the first is {missing[0]}")
        return model.eval().to(device)

    def _made(self, made_by: Any, **arguments: Any) -> Any:
        try:
            return made_by.from_pretrained(
                str(self.folder), local_files_only=True, trust_remote_code=self._trusted, **arguments
            )
        except UnpicklingError as error:  # the library's message advises to run what the file holds
            raise EngineError(f"{self._name}: the pickled weights contain more than weights") from error
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            raise EngineError(f"{self._name}: {error}") from error
