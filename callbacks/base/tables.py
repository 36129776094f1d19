"""Tables for the loggers that take them."""

from collections.abc import Sequence
from typing import Any

from pytorch_lightning import Trainer

from callbacks.base.media import warn_once
from callbacks.base.progress import logged_step


def log_table(trainer: Trainer, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Give a table to every logger that takes tables, such as W&B's. One that fails warns once."""
    for logger in trainer.loggers:
        if not hasattr(logger, "log_table"):
            continue
        try:
            logger.log_table(
                key=name, columns=list(columns), data=[list(row) for row in rows], step=logged_step(trainer)
            )
        except Exception as error:  # a logger is other people's code: whatever it raises, the training goes on
            warn_once(logger, f"{type(logger).__name__} did not take the table {name} ({error}).")
