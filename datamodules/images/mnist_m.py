"""MNIST-M: MNIST's digits on patches of photographs."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from typing_extensions import override

from datamodules.images.digits import DigitsDataModule
from datamodules.images.mnist import MNISTDataModule
from datamodules.images.photo_patches import PhotoPatches


class MNISTMDataModule(MNISTDataModule):
    """MNIST's digits, subtracted from patches of photographs (Ganin & Lempitsky 2015): the distance of both, in colour.

    The authors drew from the photographs of BSDS500; here from any.

    Args:
        photos: folder of photographs, a fifth of which is for the test alone; None takes scikit-learn's two.
        cache_dir: where decoded photographs are kept; None beside them or, where that cannot be, in ``~/.cache``.
        image_size: height and width in pixels.
        **kwargs: of ``VisionDataModule``.

    Raises:
        UserError: for a number out of range, a failed download, and what cannot be read.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 8, "val_size": 200, "channels": 3}

    def __init__(
        self, *, photos: str | None = None, cache_dir: str | None = None, image_size: int = 28, **kwargs: Any
    ) -> None:
        super().__init__(image_size=image_size, channels=3, **kwargs)
        self.photos, self.cache_dir = photos, cache_dir

    @override
    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        digits, labels = super().load(train)
        draw = torch.Generator().manual_seed(0 if train else 1)  # not self.seed: what is for the test stays so
        patches = PhotoPatches(self.photos, cache_dir=self.cache_dir).draw(len(digits), digits.shape[-1], train, draw)
        return (patches.short() - digits).abs().byte(), labels

    @classmethod
    @override
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give digits in three channels."""
        return DigitsDataModule
