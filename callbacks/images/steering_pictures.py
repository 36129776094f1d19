"""Frames of a camera, how the car is steered, and what in them it is steered by."""

from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.batches import as_float
from callbacks.base.captions import captioned_grid
from callbacks.base.image_plotting import ImagePlottingCallback
from callbacks.base.inference import undisturbed
from callbacks.base.media import save_image
from callbacks.base.overlays import above_maps
from dlmodules.errors import UserError
from dlmodules.protocols import SteersByFrames
from dlmodules.validation.batches import fields_of


class SteeringPictures(ImagePlottingCallback):
    """Plots frames of the validation set, and below each where the network looks; under it how it steers.

    The caption has the steering of the network, and that of the driver where the batches have it: -1 left, 1 right.
    Works with any module that has ``steer`` and ``saliency`` (``dlmodules.protocols.SteersByFrames``). Picture:
    ``steering``, and ``test/steering`` of the test set.

    Args:
        num: how many frames.
        every_n_epochs: plot after each that many epochs, and when the training ends.
        spacing: take one frame of so many: those of a drive that follow upon each other are alike.
        columns: frames in a row.
    """

    needs: ClassVar[tuple[type, ...]] = (SteersByFrames,)

    def __init__(self, num: int = 8, every_n_epochs: int = 1, spacing: int = 10, columns: int = 4) -> None:
        super().__init__(num, every_n_epochs)
        if spacing < 1 or columns < 1:
            raise UserError("SteeringPictures: spacing and columns must be 1 or more")
        self.spacing, self.columns = spacing, columns
        self._passed = 0
        self._steering: list[Tensor] = []

    @override
    def keep(self, batch: Any, missing: int) -> None:
        if not self._images:
            self._passed, self._steering = 0, []
        fields = fields_of(batch)
        n = len(fields[0])
        rows = torch.tensor(range(-self._passed % self.spacing, n, self.spacing), dtype=torch.long)[:missing]
        self._passed += n
        if not len(rows):
            return
        super().keep([field[rows.to(field.device)] for field in fields], missing)
        if len(fields) > 1 and fields[1].ndim == 1:
            self._steering.append(fields[1][rows.to(fields[1].device)].detach().float().cpu())

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, SteersByFrames)
        frames = torch.cat([as_float(part) for part in self._images]).to(pl_module.device)
        with undisturbed(trainer, pl_module):
            converted = trainer.precision_plugin.convert_input(frames)
            steering, maps = pl_module.steer(converted).float().cpu(), pl_module.saliency(converted).float().cpu()
        if not trainer.is_global_zero:
            return
        driver = torch.cat(self._steering) if self._steering else None
        captions = [f"network {found:+.2f}" for found in steering.tolist()]
        if driver is not None:
            captions = [
                f"{caption}, driver {wanted:+.2f}" for caption, wanted in zip(captions, driver.tolist(), strict=True)
            ]
        picture = captioned_grid(above_maps(frames.cpu(), maps), captions, self.columns)
        save_image(trainer, f"{self.prefix}steering", picture, caption=f"epoch {trainer.current_epoch}")
