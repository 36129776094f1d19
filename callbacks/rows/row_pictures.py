"""What sampled rows look like."""

from typing import ClassVar

from pytorch_lightning import LightningModule, Trainer

from callbacks.base.grids import image_grid
from callbacks.base.media import save_image
from callbacks.base.plotting import PlottingCallback, undisturbed
from dlmodules.errors import UserError
from dlmodules.protocols import SamplesRows


class RowPictures(PlottingCallback):
    """Draws rows that a module samples, as the pictures that its data module makes of rows.

    The data module has a method ``pictures``, of rows ``(N, D)`` to images ``(N, C, H, W)`` in [0, 1], as
    ``WrodlDataModule``. The random numbers are the same each time. Picture: ``row_pictures``.

    Args:
        num: how many rows, 1 or more.
        every_n_epochs: draw after each that many epochs, and when the training ends.
        columns: pictures in a row.
        seed: seed of the random numbers. It touches no others.
    """

    needs: ClassVar[dict[str, type]] = {"sample_rows": SamplesRows}

    def __init__(self, num: int = 10, every_n_epochs: int = 1, columns: int = 5, seed: int = 0) -> None:
        super().__init__(every_n_epochs)
        if num < 1 or columns < 1:
            raise UserError("RowPictures: num and columns must be 1 or more")
        self.num = num
        self.columns = columns
        self.seed = seed

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module that samples no rows, and a data module that cannot draw them."""
        super().setup(trainer, pl_module, stage)
        if not hasattr(getattr(trainer, "datamodule", None), "pictures"):
            raise UserError("RowPictures needs a data module that draws rows, by a method `pictures`")

    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the rows now."""
        assert isinstance(pl_module, SamplesRows)
        with undisturbed(trainer, pl_module, self.seed) as generator:
            rows = pl_module.sample_rows(self.num, generator=generator)
        if not trainer.is_global_zero:
            return
        images = trainer.datamodule.pictures(rows.cpu())  # type: ignore[attr-defined]  # the attribute is a mixin's
        picture = image_grid(images, self.columns, min_tile=128)
        save_image(trainer, "row_pictures", picture, caption=f"epoch {trainer.current_epoch}")
