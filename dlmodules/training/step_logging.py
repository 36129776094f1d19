"""Log at logging steps only, and only what is finite.

Lightning gathers every logged value at every step and drops most of them; on small networks that
costs as much as the step. Asking first costs nothing.
"""

from collections.abc import Mapping

from pytorch_lightning import LightningModule
from torch import Tensor

from dlmodules.training.finite import require_finite


def is_logging_step(module: LightningModule) -> bool:
    """Whether the metrics of the current training step will reach the loggers."""
    try:
        trainer = module.trainer
    except RuntimeError:  # not attached: the step is called by hand, as in a test
        return False
    every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]  # set by a connector of the trainer
    return every > 0 and (module.global_step + 1) % every == 0


def log_losses(module: LightningModule, losses: Mapping[str, Tensor]) -> None:
    """Log the ``losses`` (scalars) of a training step under their names where it is a logging step.

    Raises UserError where one of them is NaN or infinite, see ``require_finite``.
    """
    is_logging = is_logging_step(module)
    require_finite(module, losses, module.global_step, wait=is_logging)
    if is_logging:
        module.log_dict({name: loss.detach() for name, loss in losses.items()}, prog_bar=True)
