"""What a world model makes up, below what happened."""

from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.grids import image_grid
from callbacks.base.inference import undisturbed
from callbacks.base.media import save_image
from callbacks.base.plotting import PlottingCallback
from dlmodules.errors import UserError
from dlmodules.protocols import Decodes, Dreams, LatentSeries


class DreamRows(PlottingCallback):
    """Draws the first episodes of validation, and below each what the model makes up from its first frame.

    The dream is given the actions that were done in the episode, and draws everything else. Both rows are decoded from
    codes, so that they differ by what happens alone. Works with any module that dreams and decodes
    (``dlmodules.protocols.Dreams``, ``dlmodules.protocols.Decodes``), on ``LatentSeries``; one without an encoder has
    nothing to draw with, and draws nothing. Picture: ``dreams``.

    Args:
        num: how many episodes.
        frames: how many frames of each.
        stride: steps between two of them.
        temperature: of the dreams.
        every_n_epochs: draw after each that many epochs, and when the training ends.
        every_n_steps: draw after each that many training steps instead.

    Raises:
        UserError: for a number out of range.
    """

    needs: ClassVar[tuple[type, ...]] = (Dreams, Decodes)

    def __init__(
        self,
        num: int = 3,
        frames: int = 10,
        stride: int = 10,
        temperature: float = 1.0,
        every_n_epochs: int = 10,
        every_n_steps: int | None = None,
    ) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        if min(num, frames, stride) < 1 or temperature <= 0:
            raise UserError("DreamRows: num, frames and stride must be 1 or more, and temperature more than 0")
        self.num, self.frames, self.stride, self.temperature = num, frames, stride, temperature
        self._series: LatentSeries | None = None

    @override
    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if self._series is None and batch_idx == 0:
            self._series = LatentSeries(*(field[: self.num].cpu() for field in batch))

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._series is None or getattr(pl_module, "encoder", None) is None:
            return
        series = LatentSeries(*(field.to(pl_module.device) for field in self._series))
        last = min((self.frames - 1) * self.stride, series.action.shape[1])
        with undisturbed(trainer, pl_module) as generator:
            assert isinstance(pl_module, Dreams)
            made_up = dreamt(pl_module, series, last, self.temperature, generator)
            both = torch.stack([series.mean[:, : last + 1 : self.stride], made_up[:, :: self.stride]], dim=1)
            assert isinstance(pl_module, Decodes)
            images = pl_module.decode(both.flatten(0, 2)).float()
        save_image(
            trainer,
            "dreams",
            image_grid(images, both.shape[2], row_labels=["episode", "dream"] * len(both)),
            caption=f"epoch {trainer.current_epoch}",
        )


def dreamt(model: Dreams, series: LatentSeries, steps: int, temperature: float, generator: torch.Generator) -> Tensor:
    """Return codes ``(B, steps + 1, D)`` that begin as those of ``series`` do, and go on as the model makes them up."""
    z, state = series.mean[:, 0], model.initial_state(len(series.mean))
    codes = [z]
    for step in range(steps):
        action = series.action[:, step]
        draws = (
            torch.rand(z.shape, generator=generator, device=generator.device).to(z.device),
            torch.randn(z.shape, generator=generator, device=generator.device).to(z.device),
        )
        z, _, _, state = model.dream(z, action.argmax(1) if model.discrete else action, state, temperature, draws)
        codes.append(z)
    return torch.stack(codes, dim=1)
