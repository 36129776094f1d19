"""Stop a run whose loss is not finite, before its weights are saved."""

from collections.abc import Mapping
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.validation.device_reads import may_read

# By module the losses of the steps since the last look, which lie on an accelerator, with their steps.
_UNREAD: WeakKeyDictionary[nn.Module, list[tuple[Mapping[str, Tensor], int]]] = WeakKeyDictionary()


def require_finite(module: nn.Module, losses: Mapping[str, Tensor], step: int, wait: bool) -> None:
    """Raise UserError naming the first of ``losses`` (scalars) that is NaN or infinite at ``step``.

    Losses on an accelerator are kept there, and looked at all together at the next step with ``wait`` or before the
    ``state_dict`` of ``module`` is taken, whichever is first: no checkpoint holds weights that such a loss has changed.
    """
    if all(may_read(loss) for loss in losses.values()):
        _look([(losses, step)])
        return
    if module not in _UNREAD:
        module.register_state_dict_pre_hook(  # type: ignore[no-untyped-call]  # torch's has no types
            _before_saving
        )
    _UNREAD.setdefault(module, []).append(({name: loss.detach() for name, loss in losses.items()}, step))
    if wait:
        _look_at_unread(module)


def _before_saving(module: nn.Module, prefix: str, keep_vars: bool) -> None:
    _look_at_unread(module)


def _look_at_unread(module: nn.Module) -> None:
    if module in _UNREAD:  # a copy of a module has its hook, and no losses
        steps, _UNREAD[module] = _UNREAD[module], []
        _look(steps)


def _look(steps: list[tuple[Mapping[str, Tensor], int]]) -> None:
    """Read once whether all losses of ``steps`` are finite, and only where they are not read them one by one."""
    every = [loss.detach() for losses, _ in steps for loss in losses.values()]
    if not every or torch.isfinite(sum(every)):  # type: ignore[arg-type]  # 0 of none
        return
    for losses, step in steps:
        for name, loss in losses.items():
            if not torch.isfinite(loss):
                raise UserError(
                    f"{name} is {loss.item()} at step {step}; the run stopped and its last checkpoint is from before:"
                    " lower the learning rate or clip gradients"
                )


def worst_where_no_number(values: Tensor) -> Tensor:
    """Return losses with infinity where they are no number, which a metric would leave out: the worst that can be."""
    return values.nan_to_num(nan=torch.inf, posinf=torch.inf)
