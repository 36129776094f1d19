"""Images above their reconstructions."""

from typing import ClassVar

import torch
from pytorch_lightning import LightningModule, Trainer
from typing_extensions import override

from callbacks.base.conditions import conditions
from callbacks.base.grids import image_grid
from callbacks.base.image_plotting import ImagePlottingCallback
from callbacks.base.inference import undisturbed
from callbacks.base.media import save_image
from dlmodules.errors import UserError
from dlmodules.protocols import Corrupts, Reconstructs


class Reconstructions(ImagePlottingCallback):
    """Plots the first images of the validation set, and below each its reconstruction.

    Works with any module that has ``reconstruct``. Of a module that restores what it corrupts (``corrupt``), the
    corrupted image stands between the two. Pictures: ``reconstructions``, and ``test/reconstructions`` of the test set.

    Args:
        num: how many images.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
        columns: images in a row, 1 or more.
    """

    needs: ClassVar[tuple[type, ...]] = (Reconstructs,)

    def __init__(
        self, num: int = 16, every_n_epochs: int = 1, every_n_steps: int | None = None, columns: int = 8
    ) -> None:
        super().__init__(num, every_n_epochs, every_n_steps)
        if columns < 1:
            raise UserError(f"Reconstructions: columns is {columns}; it must be 1 or more")
        self.columns = columns

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        images, labels = self.images(pl_module)
        parts = {"input": images}
        with undisturbed(trainer, pl_module) as generator:
            assert isinstance(pl_module, Reconstructs)
            given = trainer.precision_plugin.convert_input(images)
            if isinstance(pl_module, Corrupts):
                given = pl_module.corrupt(given, generator)
                parts["damaged"] = given.expand(-1, images.shape[1], -1, -1)
            parts["output"] = pl_module.reconstruct(given, *conditions(pl_module, labels))
        rows, names = [], []
        for start in range(0, len(images), self.columns):
            for name, part in parts.items():
                row = part[start : start + self.columns].float()
                # White tiles end a last row that is not full, so that the next one starts below.
                rows.append(torch.cat([row, row.new_ones(self.columns - len(row), *row.shape[1:])]))
                names.append(name)
        save_image(
            trainer,
            f"{self.prefix}reconstructions",
            image_grid(torch.cat(rows), self.columns, row_labels=names),
            caption=f"epoch {trainer.current_epoch}",
        )
