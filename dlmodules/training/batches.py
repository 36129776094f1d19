"""What a step takes from a batch."""

from collections.abc import Sequence

from torch import Tensor


def inputs_of(batch: Sequence[Tensor] | Tensor) -> Tensor:
    """Return the inputs ``(B, ...)`` of a batch: its first field, or the batch itself where it is nothing else."""
    return batch if isinstance(batch, Tensor) else batch[0]
