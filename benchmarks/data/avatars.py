"""Synthetic faces with attributes, in CelebA's layout."""

from pathlib import Path

from benchmarks.context import Context
from benchmarks.data.archive import unpacked

FOLDER = Path("avatars")


def folder(context: Context) -> Path:
    """Return the folder of the faces, unpacked once below the work folder. Raises UserError where there are none."""
    tables = [FOLDER / "list_attr_celeba.txt", FOLDER / "list_eval_partition.txt"]
    return unpacked(context, "avatars", FOLDER / "img_align_celeba.tar.gz", tables)


def arguments(context: Context) -> list[str]:
    """Return the command line's argument that names the folder."""
    return ["--data.init_args.folder", str(folder(context))]
