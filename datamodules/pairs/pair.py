"""Pairs of any two data modules of images."""

from typing import Any

from pytorch_lightning import LightningDataModule
from typing_extensions import override

from datamodules.images.tensor_dataset import TensorImageDataset
from datamodules.images.vision import VisionDataModule
from datamodules.pairs.derived import ShrunkPairsDataModule
from datamodules.pairs.image_pairs import ImagePairDataset, ImagePairsDataModule
from dlmodules.errors import UserError


class PairDataModule(ImagePairsDataModule):
    """Images of two data modules, such as the photographs of one folder and the paintings of another.

    Training, validation and test are those of the two. Their own batch sizes and augmentations do not count here.

    Args:
        a: the data module of one domain.
        b: that of the other; its images may have another number of channels.
        paired: whether the images belong together row for row, as a data module's do in two sizes or colours.
        **kwargs: of ``ImagePairsDataModule``.

    Raises:
        UserError: their images differ in size.
    """

    def __init__(self, a: VisionDataModule, b: VisionDataModule, paired: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if a.image_shape[1:] != b.image_shape[1:]:
            raise UserError(
                f"the images of a are {a.image_shape[1]}x{a.image_shape[2]} and those of b {b.image_shape[1]}x"
                f"{b.image_shape[2]}: give both the same image_size"
            )
        self.a, self.b, self.paired = a, b, paired

    @override
    def prepare_data(self) -> None:
        """Download what either lacks."""
        self.a.prepare_data()
        self.b.prepare_data()

    @override
    def make_train_and_val(self) -> tuple[ImagePairDataset, ImagePairDataset]:
        # Each takes its validation images by its own seed; where they are paired, both must take the same.
        seed = self.a.seed
        if self.paired and self.b.seed != seed:
            raise UserError(f"paired images need one seed for both data modules, not {seed} and {self.b.seed}")
        (train_a, val_a), (train_b, val_b) = (part.make_train_and_val() for part in (self.a, self.b))
        return self._pair(train_a, train_b), self._pair(val_a, val_b)

    @override
    def make_test(self) -> ImagePairDataset:
        return self._pair(self.a.make_test(), self.b.make_test())

    def _pair(self, a: TensorImageDataset, b: TensorImageDataset) -> ImagePairDataset:
        return ImagePairDataset(a, b, self.paired)

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give digits and shrunk copies of them."""
        return ShrunkPairsDataModule
