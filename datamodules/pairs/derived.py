"""Pairs of images and what is made of them: something a network is to undo."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pytorch_lightning import LightningDataModule
from torch import Tensor
from typing_extensions import override

from datamodules.images.digits import DigitsDataModule
from datamodules.images.tensor_dataset import TensorImageDataset
from datamodules.images.vision import VisionDataModule, fit_images
from datamodules.pairs.image_pairs import ImagePairDataset, ImagePairsDataModule
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least


class DerivedPairsDataModule(ImagePairsDataModule):
    """Batches ``(a, b, labels_a, labels_b)`` of images ``b`` and what is made of each, ``a``, with the same label.

    A child implements ``derive``. Training, validation and test are those of ``images``.

    Args:
        images: the data module of the images; None takes scikit-learn's digits, which need no download.
        image_size: height and width of those digits.
        paired: whether training batches have what was made of the very images in them; else each side has an order of
            its own, and what belongs together is told by the validation and the test alone.
        **kwargs: of ``ImagePairsDataModule``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 8, "images": None, "image_size": 16}

    def __init__(
        self, images: VisionDataModule | None = None, image_size: int = 32, paired: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.images = images or DigitsDataModule(image_size=image_size, seed=self.seed)
        self.image_shape = self.images.image_shape
        self.paired = paired

    def derive(self, images: Tensor) -> Tensor:
        """Return what is made of ``images`` ``(N, C, H, W)`` uint8: as many, as large, of any number of channels."""
        raise NotImplementedError

    @override
    def prepare_data(self) -> None:
        """Download the images where they are missing."""
        self.images.prepare_data()

    @override
    def make_train_and_val(self) -> tuple[ImagePairDataset, ImagePairDataset]:
        train, val = self.images.make_train_and_val()
        return self._pairs(train), self._pairs(val)

    @override
    def make_test(self) -> ImagePairDataset:
        return self._pairs(self.images.make_test())

    def _pairs(self, own: TensorImageDataset) -> ImagePairDataset:
        images, labels = own.selected()
        made = self.derive(images)
        return ImagePairDataset(TensorImageDataset(made, labels), TensorImageDataset(images, labels), self.paired)


class ShrunkPairsDataModule(DerivedPairsDataModule):
    """Images and what is left of them at a fraction of their resolution, enlarged again: to be sharpened.

    Args:
        factor: how many pixels a side become one, 2 or more.
        **kwargs: of ``DerivedPairsDataModule``.

    Raises:
        UserError: the images cannot be shrunk so far.
    """

    def __init__(self, factor: int = 4, **kwargs: Any) -> None:
        check_at_least(2, factor=factor)
        super().__init__(**kwargs)
        size = self.image_shape[1]
        if factor > size:
            raise UserError(f"factor is {factor}, but the images have {size} pixels a side")
        self.factor = factor

    @override
    def derive(self, images: Tensor) -> Tensor:
        channels, size, _ = self.image_shape
        return fit_images(fit_images(images, max(1, size // self.factor), channels), size, channels)


class GreyPairsDataModule(DerivedPairsDataModule):
    """Colour images ``b`` and the same in grey ``a``, of one channel: 0.299 R + 0.587 G + 0.114 B.

    Args:
        **kwargs: of ``DerivedPairsDataModule``.

    Raises:
        UserError: the images are grey already.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.image_shape[0] != 3:
            raise UserError("GreyPairsDataModule needs images in colour: give it a data module of 3 channels as images")

    @override
    def derive(self, images: Tensor) -> Tensor:
        from torchvision.transforms.v2.functional import rgb_to_grayscale

        grey: Tensor = rgb_to_grayscale(images)
        return grey

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give digits and shrunk copies of them."""
        return ShrunkPairsDataModule
