"""Several processes that train one module: what each has of its own, and what one does for all."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from pytorch_lightning import Trainer
from torch import Tensor

from dlmodules.errors import UserError

T = TypeVar("T")
OF_RANKS = "_of_ranks"


def on_rank_zero(trainer: Trainer, function: Callable[[], T]) -> T:
    """Return what ``function`` returns in the first process, which alone calls it, in all of them."""
    found = function() if trainer.is_global_zero else None
    shared: T = trainer.strategy.broadcast(found)  # type: ignore[assignment]  # the first process has it
    return shared


def of_all_ranks(values: Tensor) -> Tensor:
    """Return the ``values`` ``(N, ...)`` of each process, one after the other; all of them must call it, with equal N.

    They must be on the device on which the processes exchange gradients.
    """
    count = _count()
    if count == 1:
        return values
    parts = [torch.empty_like(values, memory_format=torch.contiguous_format) for _ in range(count)]
    torch.distributed.all_gather(parts, values.contiguous())
    return torch.cat(parts)


def states_of_ranks(state: Any) -> list[Any]:
    """Return the ``state`` of each process, the first one's first; all of them must call it."""
    states = [state] * _count()
    if len(states) > 1:
        torch.distributed.all_gather_object(states, state)
    return states


def states_to_keep(name: str, state: Any) -> dict[str, Any]:
    """Return what a checkpoint holds of a ``state`` under ``name``: of several processes that of each, under another.

    All of them must call it.
    """
    states = states_of_ranks(state)
    return {name: state} if len(states) == 1 else {name: state, name + OF_RANKS: states}


def own_state(name: str, kept: Mapping[str, Any], resumes: bool = False) -> Any:
    """Return this process's state of what ``states_to_keep`` returned.

    Raises:
        UserError: the run ``resumes`` in another number of processes.
    """
    states, count = kept.get(name + OF_RANKS, [kept[name]]), _count()
    if resumes and len(states) != count:
        raise UserError(
            f"the checkpoint is of a run in {len(states)} processes, not {count}:"
            f" resume with trainer.devices {len(states)}"
        )
    return states[torch.distributed.get_rank() if count == len(states) > 1 else 0]


def _count() -> int:
    return torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
