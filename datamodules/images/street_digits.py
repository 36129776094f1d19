"""House numbers: those of Street View, or digits in print on photographs, which stand in for them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from typing_extensions import override

from datamodules.base.download import download
from datamodules.images.photo_patches import PhotoPatches
from datamodules.images.rendered_digits import house_numbers
from datamodules.images.vision import VisionDataModule, fit_images, square_shape
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least_one

URL = "http://ufldl.stanford.edu/housenumbers"
FILES = {
    "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
}
AT_ONCE = 1000
"""Images that are rendered together."""


class StreetDigitsDataModule(VisionDataModule):
    """Digits of house numbers in colour, with parts of others beside them, 32 pixels a side.

    ``rendered`` ones are drawn in many fonts on patches of photographs, and need no download. ``svhn`` are those of
    Google Street View, 73,257 to train and 26,032 to test, from ``<data_dir>/svhn``, and are downloaded there.

    Args:
        source: ``rendered`` or ``svhn``.
        photos: folder of photographs that rendered digits are drawn on, a fifth of which is for the test alone; None
            takes scikit-learn's two.
        cache_dir: where decoded photographs are kept; None beside them or, where that cannot be, in ``~/.cache``.
        train_size: rendered images to train and validate.
        test_size: rendered images of the test; they are the same for every ``seed``.
        image_size: height and width in pixels.
        **kwargs: of ``VisionDataModule``.

    Raises:
        UserError: for a number out of range, a failed download, and a damaged file.
    """

    names = tuple("0123456789")
    small_arguments: ClassVar[Mapping[str, Any]] = {
        "batch_size": 8,
        "source": "rendered",
        "photos": None,
        "train_size": 60,
        "test_size": 20,
        "val_size": 12,
    }

    def __init__(
        self,
        *,
        source: Literal["rendered", "svhn"] = "rendered",
        photos: str | None = None,
        cache_dir: str | None = None,
        train_size: int = 22_000,
        test_size: int = 5_000,
        image_size: int = 32,
        val_size: int | float = 2_000,
        **kwargs: Any,
    ) -> None:
        if source not in ("rendered", "svhn"):
            raise UserError(f"source is {source!r}; it must be rendered or svhn")
        check_at_least_one(train_size=train_size, test_size=test_size)
        super().__init__(val_size=val_size, **kwargs)
        self.image_shape = square_shape(image_size, 3)
        self.source, self.photos, self.cache_dir = source, photos, cache_dir
        self.sizes = {True: train_size, False: test_size}

    @property
    def folder(self) -> Path:
        """The folder of Street View's files."""
        return Path(self.data_dir) / "svhn"

    @override
    def prepare_data(self) -> None:
        """Download Street View's files where they are asked for and missing."""
        if self.source == "rendered" or all((self.folder / name).is_file() for name in FILES):
            return
        from torchvision.datasets.utils import download_url

        def fetch(folder: str | os.PathLike[str]) -> None:
            for name, md5 in FILES.items():
                download_url(f"{URL}/{name}", folder, name, md5)

        download(self.folder, fetch=fetch, results=list(FILES), archives=[], advice=self._advice())

    def _advice(self) -> str:
        return (
            f"Without a network, put {' and '.join(FILES)} into {self.folder}, point data_dir or $DLMODULES_DATA at a"
            " folder that has svhn with them, or set source to rendered"
        )

    @override
    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        if self.source == "svhn":
            images, labels = read_mat(self.folder / list(FILES)[0 if train else 1], self._advice())
            return fit_images(images, self.image_shape[1], 3), labels
        patches, size = PhotoPatches(self.photos, cache_dir=self.cache_dir), self.image_shape[1]
        draw = torch.Generator().manual_seed(0 if train else 1)  # not self.seed: what is for the test stays so
        labels = torch.randint(10, (self.sizes[train],), generator=draw)
        rendered = []
        for digits in torch.split(labels, AT_ONCE):
            walls = patches.draw(len(digits), size, train, draw).float() / 255
            rendered.append((house_numbers(digits, walls, draw) * 255).round().byte())
        return torch.cat(rendered), labels


def read_mat(path: Path, advice: str) -> tuple[Tensor, Tensor]:
    """Return images ``(N, 3, 32, 32)`` uint8 and labels ``(N,)`` int64 of one of Street View's files.

    Raises:
        UserError: it is missing or damaged.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    if not path.is_file():
        raise UserError(f"{path} is missing. {advice}")
    try:
        found = loadmat(path, variable_names=["X", "y"])
        pixels, labels = found["X"], found["y"].ravel()
        images = torch.from_numpy(pixels.transpose(3, 2, 0, 1).copy())
        if images.dtype != torch.uint8 or len(images) != len(labels):
            raise ValueError("it does not have images of bytes and as many labels")
    except (OSError, ValueError, LookupError, TypeError, NotImplementedError, MatReadError) as error:
        raise UserError(f"{path} is damaged ({error}); delete it, and it is downloaded again") from error
    return images, torch.from_numpy(labels.astype("int64")) % 10  # a 10 stands for the digit 0
