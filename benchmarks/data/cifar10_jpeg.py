"""CIFAR10 as a folder of JPEG files, a lossy copy, instead of the data that torchvision downloads."""

from pathlib import Path

from benchmarks.context import Context
from benchmarks.data.archive import unpacked

ARCHIVE = Path("cifar10", "cifar10_jpeg.tar.gz")


def folder(context: Context) -> Path:
    """Return the folder of the images."""
    return unpacked(context, "cifar10_jpeg", ARCHIVE)


def arguments(context: Context) -> list[str]:
    """Return the command line's arguments that put the folder in place of a configuration's data."""
    return [
        *("--data", "datamodules.ImageFolderDataModule", "--data.init_args.folder", str(folder(context))),
        *("--data.init_args.image_size", "32", "--data.init_args.val_fraction", "0.02"),
    ]
