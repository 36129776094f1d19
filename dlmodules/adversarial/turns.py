"""A training step of adversaries: what they do in turns, counted, checked and logged as one."""

from collections.abc import Callable

from torch import Tensor

from dlmodules.training.finite import require_finite
from dlmodules.training.manual import ManualOptimizationModule
from dlmodules.training.step_logging import is_logging_step


def make_turns(module: ManualOptimizationModule, turns: Callable[[], dict[str, Tensor]]) -> None:
    """Make the updates of ``turns`` as one global step of ``module``, and log what they return under ``train/``.

    What is returned under a name that ends in ``_loss`` must be finite, see ``require_finite``.
    """
    is_logging = is_logging_step(module)  # before the step is counted
    with module.one_global_step():
        metrics = turns()
    losses = {f"train/{name}": value for name, value in metrics.items() if name.endswith("_loss")}
    require_finite(module, losses, module.global_step - 1, wait=is_logging)
    if is_logging:
        module.log_dict({f"train/{name}": value.detach() for name, value in metrics.items()}, prog_bar=True)
