"""CIFAR10 as a folder of JPEG files, a lossy copy, in place of the data that torchvision downloads."""

import os
import tarfile
from pathlib import Path

from benchmarks.programs import Context
from dlmodules.errors import UserError

ARCHIVE = Path("cifar10", "cifar10_jpeg.tar.gz")


def arguments(context: Context) -> list[str]:
    """Return the command line's arguments that put the folder in place of a configuration's data."""
    return [
        *("--data", "datamodules.ImageFolderDataModule", "--data.init_args.folder", str(unpacked(context))),
        *("--data.init_args.image_size", "32", "--data.init_args.val_fraction", "0.02"),
    ]


def unpacked(context: Context) -> Path:
    """Return the folder with ``train/<class>/*`` and ``test/<class>/*``, unpacked once below the work folder.

    Raises UserError where the archive is not in ``$DLMODULES_DATA``.
    """
    folder = context.work / "cifar10_jpeg"
    if not folder.is_dir():
        archive = Path(os.environ.get("DLMODULES_DATA", "")) / ARCHIVE
        if not archive.is_file():
            raise UserError(f"there is no {ARCHIVE} in the folder of data; set DLMODULES_DATA to where it lies")
        # Renamed when it is whole: an interrupted one is not taken for the data.
        partial = folder.with_name(f"{folder.name}.{os.getpid()}")
        with tarfile.open(archive) as tar:
            tar.extractall(partial, filter="data")
        partial.rename(folder)
    return folder
