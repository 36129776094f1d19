"""Images of another data module, translated into another domain."""

from typing import Any

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor, nn
from typing_extensions import override

from datamodules.images.digits import DigitsDataModule
from datamodules.images.tensor_dataset import TensorImageDataset
from datamodules.images.vision import VisionDataModule
from dlmodules.checkpoints.inner import frozen_module
from dlmodules.errors import UserError
from dlmodules.protocols import Translates
from dlmodules.validation.arguments import check_direction

AT_ONCE = 500
"""Images that are translated together."""


class TranslatedDataModule(VisionDataModule):
    """Batches ``(x, y)`` of translated images and the labels of what they were made from.

    A classifier learns from them to read a domain that has no labels. Training, validation and test are those of
    ``images``; a translator that draws noise draws it anew for each image, and the same in every run of one ``seed``.

    Args:
        images: the data module of what is translated; its own batch size and augmentation do not count here.
        translator: checkpoint of what translates, such as a ``CyCADA`` or a ``PixelDA``, or the module.
        direction: ``a2b``, or ``b2a`` where it has a way back.
        batch_size: images per batch, 1 or more.
        seed: fixes the order of training batches, and the translator's noise.
        **kwargs: of ``InMemoryDataModule``; a ``train_transform`` augments the translated images.

    Raises:
        UserError: for a number out of range, a checkpoint that cannot be read or does not translate, and images of
            another shape than it translates.
    """

    def __init__(
        self,
        images: VisionDataModule,
        translator: str | nn.Module,
        direction: str = "a2b",
        batch_size: int = 128,
        *,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(batch_size=batch_size, val_size=0, data_dir=None, limit_train=None, seed=seed, **kwargs)
        module: Any = frozen_module(translator)
        if not isinstance(module, Translates):
            raise UserError(f"translator is a {type(module).__name__}, which does not translate")
        check_direction(direction, module.directions, type(module).__name__)
        wanted, made = (tuple(module.domain_shapes[domain]) for domain in (direction[0], direction[-1]))
        if images.image_shape != wanted:
            raise UserError(
                f"the images are {list(images.image_shape)}, but the translator was built for {list(wanted)}"
            )
        self.images = images
        self.translator: Translates = module
        self.direction = direction
        channels, height, width = made
        self.image_shape = channels, height, width

    @property
    @override
    def class_names(self) -> list[str]:
        """Names of the classes of ``images``."""
        return self.images.class_names

    @override
    def prepare_data(self) -> None:
        """Download the images where they are missing."""
        self.images.prepare_data()

    @override
    def make_train_and_val(self) -> tuple[TensorImageDataset, TensorImageDataset]:
        train, val = self.images.make_train_and_val()
        return self._translated(train, 0), self._translated(val, 1)

    @override
    def make_test(self) -> TensorImageDataset:
        return self._translated(self.images.make_test(), 2)

    @torch.no_grad()
    def _translated(self, own: TensorImageDataset, split: int) -> TensorImageDataset:
        images, labels = own.selected()
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(3 * self.seed + split)
            made = [self._translate(part) for part in torch.split(images, AT_ONCE)]
        return TensorImageDataset(torch.cat(made), labels, num_classes=self.num_classes)

    def _translate(self, images: Tensor) -> Tensor:
        return (self.translator.translate(images.float() / 255, self.direction) * 255).round().byte()

    @classmethod
    @override
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give digits."""
        return DigitsDataModule
