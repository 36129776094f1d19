"""Hide warnings of dependencies that the user cannot act on."""

import logging
import warnings

UNHELPFUL_WARNINGS = (
    ".*LeafSpec.* is deprecated.*",  # Lightning calls torch's trees by an old name
    ".*does not have many workers.*",  # the data lies in memory: workers would be slower
    ".*set_vital.* is deprecated.*",  # torchdata tells torch that it is used
    ".*instantiate_classes.* was deprecated.*",  # Lightning calls jsonargparse by an old name
)
UNHELPFUL_NOTES = ("litlogger", "TPU available")


def quieten() -> None:
    """Drop those notes in this process."""
    for message in UNHELPFUL_WARNINGS:
        warnings.filterwarnings("ignore", message=message)
    for name in ("pytorch_lightning.utilities.rank_zero", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).addFilter(_is_helpful)


def _is_helpful(record: logging.LogRecord) -> bool:
    return not any(note in record.getMessage() for note in UNHELPFUL_NOTES)
