"""The mistakes that a classifier made with the highest confidence."""

from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.batches import images_and_labels
from callbacks.base.captions import captioned_grid, displayable
from callbacks.base.media import save_image
from callbacks.base.names import class_names
from callbacks.classifiers.predictions import PredictionPlottingCallback
from dlmodules.errors import UserError

NO_IMAGE = -1.0  # the probability where there is no mistake to keep


class Mistakes(PredictionPlottingCallback):
    """Shows the images that were misclassified with the highest probability, after each validation.

    Under each stand its true class, the predicted class and the probability given to that. Works
    with any classifier of images (``dlmodules.protocols.Classifies``). Only ``num`` images are kept at any time.
    Where nothing was misclassified nothing is plotted. Picture: ``mistakes``, and ``test/mistakes`` of the test set.

    Args:
        num: at most that many images.
        every_n_epochs: plot after each that many epochs, and when the training ends.
        columns: images in a row.
    """

    def __init__(self, num: int = 24, every_n_epochs: int = 1, columns: int = 8) -> None:
        super().__init__(every_n_epochs)
        if num < 1 or columns < 1:
            raise UserError("Mistakes: num and columns must be 1 or more")
        self.num = num
        self.columns = columns
        self.images: Tensor | None = None
        self.confidences = torch.empty(0)
        self.classes = torch.empty(0, 2, dtype=torch.int64)  # true, predicted

    @override
    def begin(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.images = None

    @override
    def inputs_and_labels(self, batch: Any) -> tuple[Tensor, Tensor]:
        """Refuse inputs that are no images."""
        images_and_labels(batch)
        return super().inputs_and_labels(batch)

    @override
    def collect(self, x: Tensor, y: Tensor, probabilities: Tensor) -> None:
        """Keep the worst mistakes of a batch, if they are among the worst of all."""
        confidences, predicted = probabilities.max(dim=1)
        # What is not a number is no confidence.
        confidences = confidences.where((predicted != y) & confidences.isfinite(), NO_IMAGE)
        confidences, order = confidences.sort(descending=True, stable=True)
        order = order[: self.num]
        classes = torch.stack([y, predicted], dim=1)
        self._merge(x[order].float(), confidences[: self.num], classes[order])

    def _merge(self, images: Tensor, confidences: Tensor, classes: Tensor) -> Tensor:
        if self.images is None:
            # As long as it may get, so that all processes hold the same shapes when they meet.
            self.images = images.new_zeros(self.num, *images.shape[1:])
            self.confidences = confidences.new_full((self.num,), NO_IMAGE)
            self.classes = classes.new_zeros(self.num, 2)
        confidences, order = torch.cat([self.confidences, confidences]).sort(descending=True, stable=True)
        order = order[: self.num]
        self.confidences = confidences[: self.num]
        self.images = torch.cat([self.images, images])[order]
        self.classes = torch.cat([self.classes, classes])[order]
        return self.images

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        images = self.images
        assert images is not None
        if trainer.world_size > 1:
            found = pl_module.all_gather((images, self.confidences, self.classes))
            self.images = None
            images = self._merge(*(part.flatten(0, 1) for part in found))
        kept = self.confidences > 0
        if not trainer.is_global_zero or not kept.any():
            return
        names = class_names(trainer, self.num_classes)
        probabilities, classes = self.confidences[kept].tolist(), self.classes[kept].tolist()
        captions = [
            f"{names[true]}, read as\n{names[predicted]} ({probability:.0%})"
            for (true, predicted), probability in zip(classes, probabilities, strict=True)
        ]
        picture = captioned_grid(displayable(images[kept]), captions, self.columns)
        save_image(trainer, f"{self.prefix}mistakes", picture, caption=f"epoch {trainer.current_epoch}")
