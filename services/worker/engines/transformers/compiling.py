"""A network compiled by torch's inductor, if the pin asks for it. A deviation is never silent.

Owns what must be installed for it and how far the result may be from the uncompiled network. The compiler makes other
code for other lengths of speech, and each code is compared with the network at its first use. Knows no class of models.
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
"""The most that a sample may differ, with full scale 1 (-60 dB)."""
_SETTINGS = {
    "freezing": True,  # prepares the weights beforehand: without it, convolutions on a CPU are several times slower
    "compile_threads": 1,  # more would start children of the host, which inherit its pipe
}
_MOST_CODES = 64
"""The default is to give up after 8. One code is made per range of lengths."""

log = logging.getLogger(__name__)


def require_compiler(*, gpu: bool) -> None:
    """Raise `EngineError` that says what is not installed. Loads nothing."""
    if which(COMPILER) is None:
        raise EngineError(f"options/compile: inductor needs {COMPILER}, which is not installed")
    if gpu and find_spec("triton") is None:
        raise EngineError("options/compile: inductor needs the package triton on a GPU, which is not installed")


class Compiled:
    """The forward pass of a network whose output is samples, compiled."""

    def __init__(self, forward: Callable[..., torch.Tensor]) -> None:
        import torch

        self._forward = forward
        self._compiled = torch.compile(forward, backend=self._code, dynamic=True, fullgraph=True)
        self._unproven = False

    def __call__(self, *given: Any) -> torch.Tensor:
        """Return the samples. Raises `EngineError` if the network cannot be compiled, or if newly compiled code differs
        too much."""
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
            raise EngineError(
                f"options/compile: a compiled sample differs by {apart:.2g}; at most {APART:g} is allowed"
            )
        log.info("compiled: samples differ by at most %.2g", apart)
        self._unproven = False
