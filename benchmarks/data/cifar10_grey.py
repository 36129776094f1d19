"""CIFAR10 in grey and in colour, from a lossy copy as JPEG files, without pairs."""

from benchmarks.context import Context
from benchmarks.data import cifar10_jpeg


def arguments(context: Context) -> list[str]:
    """Return the command line's arguments that put the folder in place of a configuration's images."""
    images = "--data.init_args.images"
    return [
        *(images, "datamodules.ImageFolderDataModule"),
        *(f"{images}.init_args.folder", str(cifar10_jpeg.folder(context))),
        *(f"{images}.init_args.image_size", "32", f"{images}.init_args.val_fraction", "0.02"),
    ]
