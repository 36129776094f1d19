"""The train loader of what makes its own data: the numbers of an epoch's iterations."""

from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.utils.data import DataLoader


def iteration_loader(trainer: Any, lanes: int, steps_per_epoch: int) -> "DataLoader[int]":
    """Return a loader of the numbers of one epoch's iterations; a resumed run goes on with the next one.

    Args:
        trainer: whose module says in ``steps_per_iteration`` how many steps it takes at a time, or in
            ``iterations_per_epoch`` how many iterations make an epoch; None for none.
        lanes: steps that are taken side by side: an iteration is rounded up to a multiple of them.
        steps_per_epoch: of the data module.
    """
    from torchdata.stateful_dataloader import StatefulDataLoader

    module = trainer.lightning_module if trainer else None
    wanted = getattr(module, "steps_per_iteration", lanes)
    iterations = ceil(steps_per_epoch / (ceil(wanted / lanes) * lanes))
    # Who plays whole episodes does not know beforehand how many steps an iteration takes.
    numbers = range(getattr(module, "iterations_per_epoch", iterations))
    loader: DataLoader[int] = StatefulDataLoader(numbers, batch_size=None)
    return loader
