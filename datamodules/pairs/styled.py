"""Pictures, and one or more whose style they are to have."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from datamodules.base.in_memory import InMemoryDataModule
from datamodules.images.digits import DigitsDataModule
from datamodules.images.image_files import decode, list_images, shipped_photo
from datamodules.images.tensor_dataset import TensorImageDataset
from datamodules.images.vision import VisionDataModule
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least_one

StyledBatch = tuple[Tensor, Tensor]
"""Contents ``(B, C, H, W)`` and what has the style, ``(S, 3, H', W')``; float32 in [0, 1]."""
Size = int | tuple[int, int]


def read_pictures(path: str | None, size: Size, shipped: str) -> Tensor:
    """Return a picture, or all of a folder, ``(N, 3, *size)`` uint8; for None one of scikit-learn's.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    if path is None:
        files = [shipped_photo(shipped)]
    else:
        given = Path(path).expanduser()
        files = [given / file for file in list_images(given).files] if given.is_dir() else [given]
    return torch.stack([torch.from_numpy(decode(file, size, 3).copy()) for file in files])


class StyledDataset(Dataset[StyledBatch]):
    """Pictures, and what has the style, which every batch has whole.

    Args:
        contents: the pictures.
        style: ``(S, 3, H', W')`` uint8.
    """

    def __init__(self, contents: TensorImageDataset, style: Tensor) -> None:
        self.contents, self.style = contents, style.float() / 255

    def __len__(self) -> int:
        return len(self.contents)

    @override
    def __getitem__(self, index: int) -> StyledBatch:
        """Return a picture ``(C, H, W)`` and the style."""
        content, style = self.__getitems__([index])
        return content[0], style

    def __getitems__(self, indices: Sequence[int]) -> StyledBatch:
        """Return the pictures of some rows, and the style."""
        return self.contents.__getitems__(indices)[0], self.style


class StyledDataModule(InMemoryDataModule[StyledDataset, StyledBatch]):
    """Batches ``(content, style)``: pictures ``(B, C, H, W)`` and what has the style ``(S, 3, H', W')``, in [0, 1].

    A child implements ``make_train_and_val`` and ``make_test``.

    Args:
        style: a picture, or a folder of pictures of one style; None takes scikit-learn's photograph of a flower.
        style_size: height and width of these; of others the central part of that form is read.
        batch_size: pictures of a batch, 1 or more.
        **kwargs: of ``InMemoryDataModule``.

    Raises:
        UserError: for a number out of range.
    """

    unit = "pictures"

    def __init__(self, style: str | None = None, style_size: Size = 256, batch_size: int = 4, **kwargs: Any) -> None:
        super().__init__(batch_size=batch_size, **kwargs)
        self.style, self.style_size = style, checked(style_size, "style_size")

    @property
    @override
    def class_names(self) -> list[str]:
        """No classes."""
        return []

    def styled(self, contents: TensorImageDataset) -> StyledDataset:
        """Return ``contents`` with the style."""
        return StyledDataset(contents, read_pictures(self.style, self.style_size, "flower.jpg"))


def checked(size: Size, name: str) -> Size:
    """Return a size, one number or a height and a width. Raises UserError for any other."""
    sides = [size] if isinstance(size, int) else list(size)
    if len(sides) not in (1, 2):
        raise UserError(f"{name} is {sides}; it must be one number, or a height and a width")
    check_at_least_one(**{name: min(sides)})
    return size if isinstance(size, int) else (sides[0], sides[1])


class ContentAndStyleDataModule(StyledDataModule):
    """One picture whose content is kept, and one or more whose style it is to have.

    Args:
        content: the picture; None takes scikit-learn's photograph of a palace.
        image_size: its height and width, one number for a square; of others the central part of that form is read.
        epoch: batches of an epoch, all of them alike.
        **kwargs: of ``StyledDataModule``.

    Raises:
        UserError: for a number out of range, and a picture that cannot be read.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "content": None,
        "style": None,
        "image_size": 16,
        "style_size": 16,
        "epoch": 6,
    }

    def __init__(
        self, content: str | None = None, image_size: Size = 256, epoch: int = 10, batch_size: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(batch_size=batch_size, **kwargs)
        check_at_least_one(epoch=epoch)
        if batch_size != 1:
            raise UserError(f"batch_size is {batch_size}, but there is one content: set it to 1")
        self.content, self.image_size, self.epoch = content, checked(image_size, "image_size"), epoch

    @override
    def make_train_and_val(self) -> tuple[StyledDataset, StyledDataset]:
        return self._times(self.epoch), self._times(1)

    @override
    def make_test(self) -> StyledDataset:
        return self._times(1)

    def _times(self, n: int) -> StyledDataset:
        picture = read_pictures(self.content, self.image_size, "china.jpg")
        if len(picture) != 1:
            raise UserError(f"{self.content} has {len(picture)} pictures: content must be one")
        rows = torch.zeros(n, dtype=torch.int64)
        return self.styled(TensorImageDataset(picture, torch.zeros(1, dtype=torch.int64), rows))


class StyledImagesDataModule(StyledDataModule):
    """The pictures of another data module, and one or more whose style they are to have.

    Training, validation and test are those of ``images``, whose own batch size and augmentation do not count here.

    Args:
        images: the data module of the pictures, such as a folder of photographs; None takes scikit-learn's digits.
        image_size: height and width of those digits.
        **kwargs: of ``StyledDataModule``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "images": None,
        "style": None,
        "image_size": 16,
        "style_size": 16,
        "batch_size": 8,
    }

    def __init__(self, images: VisionDataModule | None = None, image_size: int = 64, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.images = images or DigitsDataModule(image_size=image_size, channels=3, seed=self.seed)
        self.image_shape = self.images.image_shape

    @override
    def prepare_data(self) -> None:
        """Download the images where they are missing."""
        self.images.prepare_data()

    @override
    def make_train_and_val(self) -> tuple[StyledDataset, StyledDataset]:
        train, val = self.images.make_train_and_val()
        return self.styled(train), self.styled(val)

    @override
    def make_test(self) -> StyledDataset:
        return self.styled(self.images.make_test())
