"""What a step takes from a batch, in any form that ``dlmodules.validation.batches`` knows."""

from typing import Any

from torch import Tensor

from dlmodules.validation.batches import fields_of, inputs_and_labels, inputs_in


def inputs_of(batch: Any) -> Tensor:
    """Return the inputs ``(B, ...)`` of a batch: its first field, or the batch itself where it is nothing else."""
    return inputs_in(fields_of(batch))


def inputs_and_targets(batch: Any, owner: str) -> tuple[Tensor, Tensor]:
    """Return inputs and what ``owner`` is to predict of them. Raises UserError where a batch has no targets."""
    return inputs_and_labels(batch, f"{owner} needs batches of inputs and labels; these have inputs alone")
