"""Drawings of Quick, Draw!, of one or more categories."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from typing_extensions import override

from datamodules.base.download import download
from datamodules.base.in_memory import count_of, permutation
from datamodules.images.digits import DigitsDataModule
from datamodules.images.vision import VisionDataModule, fit_images, square_shape
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_amounts, check_at_least_one

URL = "https://storage.googleapis.com/quickdraw_dataset/full/numpy_bitmap/"
NAMES = "https://github.com/googlecreativelab/quickdraw-dataset/blob/master/categories.txt"
SIDE = 28


class QuickDrawDataModule(VisionDataModule):
    """Quick, Draw!: drawings of things by players of a game, white strokes on black, 28x28 grey.

    Read from Google's NumPy bitmaps ``<data_dir>/quickdraw/<category>.npy``, uint8 ``(N, 784)``, and downloaded there
    where missing (about 100 MB each); they are cut out and scaled already. The label is the number of the category.

    Args:
        categories: names of the categories, such as ``camel`` or ``sea turtle``, in the order of the labels.
        image_size: height and width in pixels; the images are resized once where it is not 28.
        channels: 1, or 3 to repeat the grey channel.
        max_images: use only the first so many drawings of each category; all where None.
        val_size: validation images taken from those that are not for the test: a number of them, or a fraction in
            (0, 1); 0 for none.
        test_size: test images, likewise, of all drawings. They are the same for every ``seed``.
        **kwargs: of ``VisionDataModule``.

    Raises:
        UserError: for a number out of range, categories that are none or repeated, a failed download, or a file that
            is not of such drawings.
    """

    def __init__(
        self,
        categories: Sequence[str] = ("camel",),
        *,
        image_size: int = SIDE,
        channels: int = 1,
        max_images: int | None = None,
        val_size: int | float = 0.05,
        test_size: int | float = 0.05,
        **kwargs: Any,
    ) -> None:
        super().__init__(val_size=val_size, **kwargs)
        self.names = check_categories(categories)
        self.image_shape = square_shape(image_size, channels)
        check_at_least_one(max_images=max_images)
        self.max_images = max_images
        check_amounts(self.unit, test_size=test_size)
        self.test_size = test_size

    @property
    def folder(self) -> Path:
        """The folder of the files."""
        return Path(self.data_dir) / "quickdraw"

    @override
    def prepare_data(self) -> None:
        """Download the files that are missing."""
        missing = [name for name in self.names if not (self.folder / f"{name}.npy").is_file()]
        for name in missing:  # one by one: those that came before a failure stay
            download(
                self.folder,
                fetch=lambda folder, name=name: fetch(folder, name),  # type: ignore[misc]  # a lambda with a default
                results=[f"{name}.npy"],
                archives=[],
                advice=f"The names of the categories stand at {NAMES}. {self._advice(name)}",
            )

    def _advice(self, name: str) -> str:
        return (
            f"Without a network, put {name}.npy into {self.folder}, point data_dir or $DLMODULES_DATA at a folder "
            f"that has quickdraw/{name}.npy, or use DigitsDataModule, which needs no download"
        )

    @override
    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return the images that are, or are not, for the test."""
        files = []
        for name in self.names:
            path = self.folder / f"{name}.npy"
            if not path.is_file():
                raise UserError(f"{path} is missing. {self._advice(name)}")
            files.append(read_bitmaps(path)[: self.max_images])
        labels = torch.arange(len(files)).repeat_interleave(torch.tensor([len(file) for file in files]))
        order = permutation(len(labels), seed=0)  # not self.seed: no training image may ever become a test image
        n_test = count_of(len(labels), self.test_size)
        if n_test >= len(labels):
            raise UserError(f"test_size={self.test_size} leaves none of the {len(labels)} drawings to train on")
        rows = order[n_test:] if train else order[:n_test]
        pixels = torch.from_numpy(np.concatenate(files)).view(-1, 1, SIDE, SIDE)[rows]
        if len(pixels) > 0:
            return fit_images(pixels, self.image_shape[1], self.image_shape[0]), labels[rows]
        return torch.empty(0, *self.image_shape, dtype=torch.uint8), labels[rows]

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give digits."""
        return DigitsDataModule


def check_categories(categories: Sequence[str]) -> tuple[str, ...]:
    """Return the names of categories, or raise the UserError that they are none, repeated or no names of files."""
    if isinstance(categories, str):
        raise UserError(f"categories is {categories!r}; it must be a list, such as [{categories}]")
    names = tuple(categories)
    if not names or len(set(names)) < len(names):
        raise UserError(f"categories is {list(names)}; it must name one or more, each once")
    if bad := [name for name in names if not name or name.startswith(".") or set(name) & set("/\\")]:
        raise UserError(f"{bad[0]!r} is no category of drawings; their names stand at {NAMES}")
    return names


def fetch(folder: str, name: str) -> None:
    """Download the drawings of a category into ``folder``, and look whether they came whole."""
    from torchvision.datasets.utils import download_url

    download_url(URL + quote(f"{name}.npy"), folder, f"{name}.npy")
    read_bitmaps(Path(folder) / f"{name}.npy")


def read_bitmaps(path: Path) -> npt.NDArray[np.uint8]:
    """Map the drawings ``(N, 784)`` of a file into memory.

    Raises:
        UserError: naming ``path``, where it is damaged or holds anything else.
    """
    try:
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(
            f"{path} cannot be read ({' '.join(str(error).split())}); delete it, and it is downloaded again"
        ) from error
    if not isinstance(pixels, np.ndarray):
        raise UserError(f"{path} is an archive; it must be one array of drawings, uint8 (N, {SIDE * SIDE})")
    if pixels.dtype != np.uint8 or pixels.ndim != 2 or pixels.shape[1] != SIDE * SIDE or len(pixels) == 0:
        raise UserError(
            f"{path} has {pixels.dtype} {pixels.shape}; it must have drawings, uint8 (N, {SIDE * SIDE}), at least one"
        )
    return pixels
