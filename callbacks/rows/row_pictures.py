"""Sampled rows as pictures."""

from typing import ClassVar

from pytorch_lightning import LightningModule, Trainer
from typing_extensions import override

from callbacks.base.grids import image_grid
from callbacks.base.inference import undisturbed
from callbacks.base.media import save_image
from callbacks.base.plotting import PlottingCallback
from callbacks.base.trainers import datamodule_of
from dlmodules.errors import UserError
from dlmodules.protocols import RendersRows, SamplesRows


class RowPictures(PlottingCallback):
    """Shows rows that a module samples, as the pictures that its data module makes of rows.

    The data module has a method ``pictures``, of rows ``(N, D)`` to images ``(N, C, H, W)`` in [0, 1], as
    ``WrodlDataModule``. The random numbers are the same each time. Picture: ``row_pictures``.

    Args:
        num: how many rows, 1 or more.
        every_n_epochs: plot after each that many epochs, and when the training ends.
        columns: pictures in a row.
        seed: seed of the random numbers. It touches no others.
    """

    needs: ClassVar[tuple[type, ...]] = (SamplesRows,)

    def __init__(self, num: int = 10, every_n_epochs: int = 1, columns: int = 5, seed: int = 0) -> None:
        super().__init__(every_n_epochs)
        if num < 1 or columns < 1:
            raise UserError("RowPictures: num and columns must be 1 or more")
        self.num = num
        self.columns = columns
        self.seed = seed

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module that samples no rows, and a data module that has no pictures of them."""
        super().setup(trainer, pl_module, stage)
        if not isinstance(datamodule_of(trainer), RendersRows):
            raise UserError("RowPictures needs a data module that turns rows into images, by a method `pictures`")

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        data = datamodule_of(trainer)
        assert isinstance(pl_module, SamplesRows)
        assert isinstance(data, RendersRows)
        with undisturbed(trainer, pl_module, self.seed) as generator:
            rows = pl_module.sample_rows(self.num, generator=generator)
        if not trainer.is_global_zero:
            return
        picture = image_grid(data.pictures(rows.cpu()), self.columns, min_tile=128)
        save_image(trainer, "row_pictures", picture, caption=f"epoch {trainer.current_epoch}")
