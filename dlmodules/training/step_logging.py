"""Log at logging steps only.

Lightning gathers every logged value at every step and drops most of them; on small networks that
costs as much as the step. Asking first costs nothing.
"""

from pytorch_lightning import LightningModule


def is_logging_step(module: LightningModule) -> bool:
    """Whether the metrics of the current training step will reach the loggers."""
    try:
        trainer = module.trainer
    except RuntimeError:  # not attached: the step is called by hand, as in a test
        return False
    every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]  # set by a connector of the trainer
    return every > 0 and (module.global_step + 1) % every == 0
