"""Schedules of the learning rate: one that torch lacks, and Lightning's form of them."""

from collections.abc import Sequence
from math import cos, pi, sqrt
from typing import Literal

from pytorch_lightning.cli import LRSchedulerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from dlmodules.errors import UserError


def with_schedule(
    optimizer: Optimizer, scheduler: LRSchedulerCallable | None, interval: Literal["epoch", "step"] = "epoch"
) -> OptimizerLRScheduler:
    """Return ``optimizer`` with the schedule that ``scheduler`` makes of it after each ``interval``; None for none."""
    if scheduler is None:
        return optimizer
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler(optimizer), "interval": interval}}


class PiecewiseConstantLR(LambdaLR):
    """The optimizer's learning rate times ``factors[i]`` from epoch ``milestones[i]`` on, and itself before the first.

    Args:
        optimizer: whose learning rate is set.
        milestones: epochs, rising.
        factors: of the optimizer's initial learning rate, not of the previous one; one for each milestone.

    Raises:
        UserError: where there are not as many factors as milestones, or the milestones do not rise.
    """

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], factors: Sequence[float]) -> None:
        if len(milestones) != len(factors) or list(milestones) != sorted(set(milestones)):
            raise UserError("PiecewiseConstantLR needs rising milestones and one factor for each")
        self.milestones, self.factors = list(milestones), list(factors)
        super().__init__(optimizer, self.factor)

    def factor(self, epoch: int) -> float:
        """Return what the optimizer's rate is multiplied by in ``epoch``."""
        passed = sum(milestone <= epoch for milestone in self.milestones)
        return self.factors[passed - 1] if passed else 1.0


class WarmupStableDecayLR(LambdaLR):
    """The learning rate rises in a line, stays at the optimizer's own, and falls in a line (Hu et al. 2024, MiniCPM).

    Args:
        optimizer: whose learning rate is set.
        total_steps: steps of the training; behind them the rate stays where it ended.
        warmup_steps: steps of the rise.
        decay_steps: steps of the fall, the last ones; None for a fifth of all.
        final_factor: the rate at the end, as a part of the optimizer's.

    Raises:
        UserError: rise and fall are longer than the training.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_steps: int,
        warmup_steps: int = 0,
        decay_steps: int | None = None,
        final_factor: float = 0.0,
    ) -> None:
        self.total_steps, self.warmup_steps, self.final_factor = total_steps, warmup_steps, final_factor
        self.decay_steps = total_steps // 5 if decay_steps is None else decay_steps
        if warmup_steps < 0 or self.decay_steps < 0 or warmup_steps + self.decay_steps > total_steps:
            raise UserError(
                f"WarmupStableDecayLR has {warmup_steps} steps of rise and {self.decay_steps} of fall in total_steps="
                f"{total_steps}: both must fit in"
            )
        super().__init__(optimizer, self.factor)

    def factor(self, step: int) -> float:
        """Return the factor of the learning rate at ``step``, which counts from 0."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        left = self.total_steps - step
        if left >= self.decay_steps:
            return 1.0
        return self.final_factor + (1 - self.final_factor) * max(left, 0) / self.decay_steps


class WarmupCosineLR(LambdaLR):
    """The learning rate rises in a line, then falls along half a cosine (Loshchilov & Hutter 2017).

    Args:
        optimizer: whose learning rate is set.
        total_steps: steps of the training; behind them the rate stays where it ended.
        warmup_steps: steps of the rise.
        final_factor: the rate at the end, as a part of the optimizer's.

    Raises:
        UserError: the rise is longer than the training.
    """

    def __init__(
        self, optimizer: Optimizer, total_steps: int, warmup_steps: int = 0, final_factor: float = 0.0
    ) -> None:
        if not 0 <= warmup_steps < total_steps:
            raise UserError(f"WarmupCosineLR has {warmup_steps} steps of rise in total_steps={total_steps}")
        self.total_steps, self.warmup_steps, self.final_factor = total_steps, warmup_steps, final_factor
        super().__init__(optimizer, self.factor)

    def factor(self, step: int) -> float:
        """Return the factor of the learning rate at ``step``, which counts from 0."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        progress = min(1.0, (step - self.warmup_steps) / (self.total_steps - self.warmup_steps))
        return self.final_factor + (1 - self.final_factor) * (1 + cos(pi * progress)) / 2


class InverseSquareRootLR(LambdaLR):
    """The learning rate rises in a line, then falls as one over the root of the step (Vaswani et al. 2017).

    Args:
        optimizer: whose learning rate is that at the end of the rise; the paper's is ``(width * warmup_steps)^-0.5``.
        warmup_steps: steps of the rise, 1 or more.

    Raises:
        UserError: for a number out of range.
    """

    def __init__(self, optimizer: Optimizer, warmup_steps: int = 4000) -> None:
        if warmup_steps < 1:
            raise UserError(f"warmup_steps is {warmup_steps}; it must be 1 or more")
        self.warmup_steps = warmup_steps
        super().__init__(optimizer, self.factor)

    def factor(self, step: int) -> float:
        """Return the factor of the learning rate at ``step``, which counts from 0."""
        return min((step + 1) / self.warmup_steps, sqrt(self.warmup_steps / (step + 1)))
