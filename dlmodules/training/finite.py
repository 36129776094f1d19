"""Stop a run whose loss is not finite, before its weights are saved."""

from collections.abc import Mapping

import torch
from torch import Tensor

from dlmodules.errors import UserError


def require_finite(losses: Mapping[str, Tensor], step: int) -> None:
    """Raise UserError naming the first of ``losses`` (scalars) that is NaN or infinite at ``step``.

    One look at their sum costs one read of the device's memory a step.
    """
    if torch.isfinite(sum(loss.detach() for loss in losses.values())):  # type: ignore[arg-type]  # 0 of none
        return
    for name, loss in losses.items():
        if not torch.isfinite(loss):
            raise UserError(
                f"{name} is {loss.item()} at step {step}; the run stopped and its last checkpoint is from before:"
                " lower the learning rate or clip gradients"
            )
