"""A network compiled by torch's inductor, where the pin asks for it, and never different in silence.

Owns what has to be there for it and how far from the network itself it may be: for other lengths of speech the compiler
makes other code, and all that it makes is held against the network when it is first used. Knows no class of models.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from shutil import which
from typing import TYPE_CHECKING, Any

from services.worker.engines.base import EngineError

if TYPE_CHECKING:
    import torch

COMPILER = "g++"
APART = 1e-3
"""Most that a sample may differ, full scale being 1 (-60 dB)."""
_SETTINGS = {
    "freezing": True,  # weights laid out beforehand: without it, convolutions on a CPU are several times slower
    "compile_threads": 1,  # others would be children of the host, which inherit its pipe
}
_MOST_CODES = 64
"""By default it gives up after 8: there is one per range of lengths."""

log = logging.getLogger(__name__)


def require_compiler(*, gpu: bool) -> None:
    """Raises `EngineError` that says what is not installed. Loads nothing."""
    if which(COMPILER) is None:
        raise EngineError(f"options/compile: inductor needs {COMPILER}, and it is not installed")
    if gpu and find_spec("triton") is None:
        raise EngineError("options/compile: inductor needs the package triton on a GPU, and it is not installed")


class Compiled:
    """The forward pass of a network whose output is samples, compiled."""

    def __init__(self, forward: Callable[..., torch.Tensor]) -> None:
        import torch

        self._forward = forward
        self._compiled = torch.compile(forward, backend=self._code, dynamic=True, fullgraph=True)
        self._unproven = False

    def __call__(self, *given: Any) -> torch.Tensor:
        """Raises `EngineError` where it cannot be compiled, and where what was compiled just now is too far off."""
        from torch import _dynamo, _inductor

        try:
            with _inductor.config.patch(_SETTINGS), _dynamo.config.patch(recompile_limit=_MOST_CODES):
                made: torch.Tensor = self._compiled(*given)
        except (_dynamo.exc.TorchDynamoException, _dynamo.exc.FailOnRecompileLimitHit) as error:
            raise EngineError(f"options/compile: inductor cannot compile this: {error}") from error
        if self._unproven:
            self._prove(made, given)
        return made

    def _code(self, graph: Any, inputs: Sequence[Any]) -> Any:
        from torch._inductor.compile_fx import compile_fx

        self._unproven = True
        return compile_fx(graph, inputs)

    def _prove(self, made: torch.Tensor, given: Sequence[Any]) -> None:
        apart = float((made - self._forward(*given)).abs().max())
        if not apart <= APART:
            raise EngineError(f"options/compile: a compiled sample is {apart:.2g} off, and {APART:g} is the most")
        log.info("compiled: samples are %.2g off at most", apart)
        self._unproven = False
