"""Schedules of the learning rate: one that torch lacks, and Lightning's form of them."""

from collections.abc import Sequence

from pytorch_lightning.cli import LRSchedulerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from dlmodules.errors import UserError


def with_epoch_schedule(optimizer: Optimizer, scheduler: LRSchedulerCallable | None) -> OptimizerLRScheduler:
    """Return ``optimizer`` with the schedule that ``scheduler`` makes of it after each epoch; None for none."""
    if scheduler is None:
        return optimizer
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler(optimizer), "interval": "epoch"}}


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
