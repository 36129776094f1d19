"""The classifier whose features the metrics of digits use: one file beside the records.

Two scores are comparable under the same classifier alone, and a training does not repeat to the bit on another kind of
processor. ``python -m benchmarks.classifier CHECKPOINT`` keeps another one; every score in its features is then due.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.record import ROOT
from dlmodules.checkpoints.hashes import file_hash
from dlmodules.errors import UserError

# cnn_mnist, seed 0, best by val/accuracy.
CLASSIFIER = ROOT / "benchmarks" / "classifiers" / "cnn_mnist.ckpt"
_KEPT = ("pytorch-lightning_version", "state_dict", "hyper_parameters")


def named_classifier() -> str:
    """Return the words that tell one classifier from another at the end of a protocol."""
    return f"; classifier {file_hash(CLASSIFIER)[:12]}"


def keep(path: Path) -> None:
    """Put the weights and hyperparameters of a checkpoint in place of the classifier's."""
    # Not above: the report asks for the name alone, and need not wait for torch.
    import torch

    from dlmodules.checkpoints.loading import load_checkpoint, load_module

    checkpoint = load_checkpoint(path)
    load_module(path, checkpoint)  # refuses what cannot be rebuilt
    CLASSIFIER.parent.mkdir(exist_ok=True)
    torch.save({key: checkpoint[key] for key in _KEPT}, CLASSIFIER)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classifier", description=__doc__)
    parser.add_argument(
        "checkpoint", type=Path, help="of a classifier of 28x28 images, such as a run of cnn_mnist leaves"
    )
    try:
        keep(parser.parse_args().checkpoint)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
