"""A grid of samples from any generative module."""

from typing import ClassVar

from pytorch_lightning import LightningModule, Trainer

from dlmodules.errors import UserError
from dlmodules.protocols import Samples

from .drawing import Drawing, cycled_labels, undisturbed
from .grids import image_grid
from .media import save_image


class SampleGrid(Drawing):
    """Draws samples from the same noise each time, so that the grids of a run can be compared.

    Works with any module that has ``sample``. A conditional module is asked for every class in
    turn, one class a column. Picture: ``samples``.

    Args:
        num: how many samples.
        every_n_epochs: draw after each that many epochs.
        every_n_steps: draw after each that many training steps instead.
        labels: the classes asked for, over and over; one a column. For a conditional module.
        seed: seed of the noise. It is the same at every drawing and touches no other random numbers.
    """

    needs: ClassVar[dict[str, type]] = {"sample": Samples}

    def __init__(
        self,
        num: int = 64,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
        labels: list[int] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        if num < 1:
            raise UserError(f"SampleGrid needs at least 1 sample, not {num}")
        self.num = num
        self.labels = labels
        self.seed = seed

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module that cannot sample, or not these labels."""
        super().setup(trainer, pl_module, stage)
        cycled_labels(pl_module, self.num, self.labels)

    def draw(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the grid now."""
        with undisturbed(trainer, pl_module, self.seed) as generator:
            labels = cycled_labels(pl_module, self.num, self.labels)
            assert isinstance(pl_module, Samples)
            samples = pl_module.sample(self.num, labels=labels, generator=generator)
        columns = None if labels is None else len(set(labels.tolist()))
        save_image(trainer, "samples", image_grid(samples, columns), caption=f"epoch {trainer.current_epoch}")
