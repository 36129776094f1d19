"""What lets a module be tried before there is any data, and in seconds."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from torch import Tensor

from dlmodules.protocols.batch import Batch


@runtime_checkable
class GivesExamples(Protocol):
    """Shows what it takes."""

    def example_batch(self, n: int) -> Batch | Tensor:
        """Return a made-up batch of ``n``, always the same: what ``validation_step`` and ``predict_step`` take.

        An agent, whose steps take no batches, returns the observations that ``act`` takes.
        """
        ...


@runtime_checkable
class HasSmallArguments(Protocol):
    """Takes minutes for a few steps as the book has it."""

    small_arguments: ClassVar[Mapping[str, Any]]
    """The arguments with which it trains in seconds, for a first look and for tests; it learns less then."""
