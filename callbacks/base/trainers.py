"""What Lightning's trainer gets from its connectors, and a type checker therefore does not see."""

from pytorch_lightning import Callback, LightningDataModule, Trainer


def datamodule_of(trainer: Trainer) -> LightningDataModule | None:
    """The data module of the run; None where it was given bare loaders."""
    datamodule: LightningDataModule | None = trainer.datamodule  # type: ignore[attr-defined]  # set by a connector
    return datamodule


def callbacks_of(trainer: Trainer) -> list[Callback]:
    """All callbacks of the trainer, in the order in which they are called."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set by a connector
    return callbacks


def logging_interval(trainer: Trainer) -> int:
    """Metrics are logged after each that many training steps; 0 for never."""
    every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]  # set by a connector
    return every


def is_quiet(trainer: Trainer) -> bool:
    """Whether this is a moment at which nothing is plotted: the sanity check, or a fast dev run."""
    fast: bool = trainer.fast_dev_run  # type: ignore[attr-defined]  # set by a connector
    return bool(trainer.sanity_checking or fast)
