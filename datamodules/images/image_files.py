"""Folders of image files: which images there are, of which class and split, and their pixels."""

import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from datamodules.images.class_choice import chosen_classes
from dlmodules.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
SPLITS = ("train", "val", "test")
Half = Literal["whole", "left", "right"]
DECODE_ERRORS = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)  # what Pillow raises


@dataclass
class Listing:
    """The images of a folder.

    Attributes:
        root: the folder.
        class_names: names of the classes, sorted.
        files: paths relative to ``root``.
        labels: class index of each file.
        splits: of each file: ``train``, ``val``, ``test``, or empty where the folder has no splits.
    """

    root: Path
    class_names: list[str]
    files: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)

    def rows(self, *splits: str) -> list[int]:
        """Return the rows of the files that belong to one of ``splits``."""
        return [row for row, split in enumerate(self.splits) if split in splits]

    def only(self, classes: Sequence[str]) -> "Listing":
        """Return the listing of some ``classes`` alone, whose places are the labels.

        Raises:
            UserError: for classes that are none, repeated or not there.
        """
        chosen = chosen_classes(classes, self.class_names)
        kept = [row for row, label in enumerate(self.labels) if label in chosen]
        return Listing(
            self.root,
            list(classes),
            [self.files[row] for row in kept],
            [chosen.index(self.labels[row]) for row in kept],
            [self.splits[row] for row in kept],
        )


def list_images(folder: Path) -> Listing:
    """List the images of ``folder/<class>/*`` or ``folder/{train,val,test}/<class>/*``.

    In place of the class folders there may be images without classes. Names that begin with a dot are passed
    over, and so are folders without images.

    Raises:
        UserError: where the folder is missing, has no images, or mixes the above.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}")
    names, images = _entries(folder)
    if "train" in names and set(names) <= set(SPLITS) and not images:
        by_class = {split: _by_class(folder / split) for split in SPLITS if split in names}
        names = sorted(by_class["train"])
    else:
        by_class = {"": _by_class(folder)}
        names = sorted(by_class[""])
    listing = Listing(folder, [name or folder.name for name in names])
    for split, classes in by_class.items():
        for name, files in sorted(classes.items()):
            if name not in names:
                raise UserError(f"{folder / split} has class {name!r}, which the training images lack")
            listing.files += [f"{split}/{file}" if split else file for file in files]
            listing.labels += [names.index(name)] * len(files)
            listing.splits += [split] * len(files)
    if not names:
        raise UserError(f"{folder} has no images ({', '.join(SUFFIXES)}), neither in it nor in class folders")
    return listing


def _by_class(folder: Path) -> dict[str, list[str]]:
    """Map class names to sorted files; the name is empty for images that lie directly in ``folder``."""
    names, loose = _entries(folder)
    classes = {name: files for name in names if (files := _images_below(folder, name))}
    if loose and classes:
        raise UserError(f"{folder} has both images ({loose[0]}) and class folders ({min(classes)}); keep one kind")
    return {"": loose} if loose else classes


def _entries(folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the folders and of the images in ``folder``, sorted."""
    with os.scandir(folder) as entries:
        found = sorted((entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith("."))
    return [name for name, is_dir in found if is_dir], [name for name, is_dir in found if not is_dir and is_image(name)]


def _images_below(folder: Path, name: str) -> list[str]:
    """Return the images in ``folder/name`` and its folders, sorted, relative to ``folder``."""
    found: list[str] = []
    for parent, folders, files in os.walk(folder / name):
        folders[:] = [name for name in folders if not name.startswith(".")]
        relative = Path(parent).relative_to(folder).as_posix()
        found += [f"{relative}/{file}" for file in files if is_image(file)]
    return sorted(found)


def shipped_photo(name: str) -> Path:
    """Return where scikit-learn has the photograph ``china.jpg`` or ``flower.jpg``, which need no download."""
    import sklearn.datasets

    return Path(sklearn.datasets.__file__).parent / "images" / name


def is_image(name: str) -> bool:
    """Return whether a file of this name is taken for an image; one that begins with a dot is not."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def decode(path: Path, image_size: int | tuple[int, int], channels: int, half: Half = "whole") -> npt.NDArray[np.uint8]:
    """Read an image, or its left or right half, as ``(channels, *image_size)`` uint8: its central part of that form.

    One number is the height and width of a square.

    The camera's rotation is applied, and transparent pixels lie on white.

    Raises:
        UserError: naming ``path``, where it cannot be read as an image.
    """
    from PIL import Image, ImageOps

    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    mode = "L" if channels == 1 else "RGB"
    try:
        with Image.open(path) as file:
            sides = (2 if half == "whole" else 4) * width, 2 * height
            file.draft(mode, sides)  # a large JPEG is read at a fraction of its size
            image = ImageOps.exif_transpose(file)
            image.load()
    except (*DECODE_ERRORS, Image.DecompressionBombError) as error:
        raise UserError(
            f"{path} cannot be read as an image ({error}); repair or remove it, or set on_corrupt to skip"
        ) from error
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would clip at 255
        levels = np.asarray(image, dtype=np.float64) / 257
        image = Image.fromarray(levels.round().clip(0, 255).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if half != "whole":
        middle = image.width // 2
        image = image.crop((0, 0, middle, image.height) if half == "left" else (middle, 0, image.width, image.height))
    pixels = np.asarray(ImageOps.fit(image.convert(mode), (width, height), Image.Resampling.BICUBIC))
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
