"""Tables for the loggers that take them."""

from collections.abc import Sequence
from typing import Any

from pytorch_lightning import Trainer

from callbacks.base.media import media_path, warn_once, write_file
from callbacks.base.progress import logged_step
from callbacks.base.trainers import is_quiet


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


def save_texts(trainer: Trainer, name: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write texts to the run folder, a paragraph for each row, and hand them to the loggers that take tables.

    Args:
        trainer: the trainer of the run.
        name: what they are; each file has the step in its name.
        columns: what stands in a row.
        rows: texts of every column.
    """
    if is_quiet(trainer) or not trainer.is_global_zero:
        return
    pieces = ["\n".join(f"{column}: {text}" for column, text in zip(columns, row, strict=True)) for row in rows]
    content = "\n\n".join(pieces) + "\n"
    write_file(trainer, media_path(trainer, name, "txt", True), lambda path: path.write_text(content, encoding="utf-8"))
    log_table(trainer, name, columns, rows)
