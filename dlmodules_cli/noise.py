"""Hide warnings of dependencies that the user cannot act on."""

import logging
import warnings
from functools import cache
from pathlib import Path

from dlmodules_cli.places import HOME, OURS

UNHELPFUL_WARNINGS = (
    ".*LeafSpec.* is deprecated.*",  # Lightning calls torch's trees by an old name
    ".*does not have many workers.*",  # the data lies in memory: workers would be slower
    ".*set_vital.* is deprecated.*",  # torchdata tells torch that it is used
    ".*instantiate_classes.* was deprecated.*",  # Lightning calls jsonargparse by an old name
)
UNHELPFUL_NOTES = ("litlogger", "TPU available", "Trainer already configured with model summary")
_PYTHONS_FORMAT = warnings.formatwarning


def quieten() -> None:
    """Drop those notes in this process, and let a warning of ours be a line without the place in our sources."""
    warnings.formatwarning = _format
    for message in UNHELPFUL_WARNINGS:
        warnings.filterwarnings("ignore", message=message)
    for name in ("pytorch_lightning.utilities.rank_zero", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).addFilter(_is_helpful)


def _format(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    if issubclass(category, UserWarning) and any(Path(filename).is_relative_to(folder) for folder in _folders()):
        return f"warning: {message}\n"
    return _PYTHONS_FORMAT(message, category, filename, lineno, line)


@cache
def _folders() -> list[Path]:
    return [HOME / name for name in (*OURS, "dlmodules_cli")]


def _is_helpful(record: logging.LogRecord) -> bool:
    return not any(note in record.getMessage() for note in UNHELPFUL_NOTES)
