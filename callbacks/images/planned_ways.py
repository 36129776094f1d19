"""Roads from above with the way that a network plans and the one that the driver took."""

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
from dlmodules.errors import UserError
from dlmodules.protocols import PlansWays
from dlmodules.protocols.top_down import AGENT, CARS, CHANNELS, VIEW
from dlmodules.validation.batches import fields_of

FINER = 3
"""A pixel of what the network sees is so many wide."""

GREEN, RED = (0.2, 0.9, 0.3), (1.0, 0.25, 0.2)


class PlannedWays(ImagePlottingCallback):
    """Plots moments of the validation set from above: the driver's way in green and the planned one in red.

    The road is grey, the way to take lighter, the car white and other cars blue. The caption has how fast the car is to
    be at the end. Works with any module that has ``plan`` (``dlmodules.protocols.PlansWays``) for pictures such as
    ``ChauffeurNet`` sees. Picture: ``planned_ways``, and ``test/planned_ways`` of the test set.

    Args:
        num: how many moments.
        every_n_epochs: plot after each that many epochs, and when the training ends.
        spacing: take one moment of so many: those of a drive that follow upon each other are alike.
        columns: moments in a row.
    """

    needs: ClassVar[tuple[type, ...]] = (PlansWays,)

    def __init__(self, num: int = 12, every_n_epochs: int = 1, spacing: int = 20, columns: int = 4) -> None:
        super().__init__(num, every_n_epochs)
        if spacing < 1 or columns < 1:
            raise UserError("PlannedWays: spacing and columns must be 1 or more")
        self.spacing, self.columns = spacing, columns
        self._passed = 0
        self._ways: list[Tensor] = []

    @override
    def keep(self, batch: Any, missing: int) -> None:
        if not self._images:
            self._passed, self._ways = 0, []
        pictures, targets = fields_of(batch)[:2]
        rows = torch.arange(-self._passed % self.spacing, len(pictures), self.spacing)[:missing]
        self._passed += len(pictures)
        if len(rows):
            super().keep([pictures[rows.to(pictures.device)]], missing)
            self._ways.append(targets[rows.to(targets.device), :, :2].detach().float().cpu())

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, PlansWays)
        pictures = torch.cat([as_float(part) for part in self._images]).to(pl_module.device)
        with undisturbed(trainer, pl_module):
            plans = pl_module.plan(trainer.precision_plugin.convert_input(pictures)).float().cpu()
        if not trainer.is_global_zero:
            return
        seen = coloured(pictures.cpu()).repeat_interleave(FINER, dim=2).repeat_interleave(FINER, dim=3)
        ways = torch.cat(self._ways)
        for way, colour in ((ways, GREEN), (plans[..., :2], RED)):
            mark(seen, way, colour)
        captions = [f"to {3.6 * speed:.0f} km/h" for speed in plans[:, -1, 3].tolist()]
        picture = captioned_grid(seen, captions, self.columns)
        save_image(trainer, f"{self.prefix}planned_ways", picture, caption=f"epoch {trainer.current_epoch}")


def coloured(pictures: Tensor) -> Tensor:
    """Return pictures ``(B, 8, H, W)`` in red, green and blue, ``(B, 3, H, W)`` in [0, 1]."""
    grey = 0.45 * pictures[:, :1] + 0.15 * pictures[:, CHANNELS.index("route"), None]
    seen = grey.expand(-1, 3, -1, -1)
    for channel, colour in ((CARS, (0.35, 0.55, 1.0)), (AGENT, (1.0, 1.0, 1.0))):
        covered = pictures[:, channel, None]
        seen = seen * (1 - covered) + covered * seen.new_tensor(colour).view(3, 1, 1)
    return seen


def mark(seen: Tensor, ways: Tensor, colour: tuple[float, float, float]) -> None:
    """Colour the places ``(B, K, 2)``, right and ahead of the car, in pictures ``(B, 3, FINER * H, FINER * W)``."""
    size = VIEW.pixels * FINER
    column = ((ways[..., 0] / VIEW.metres + VIEW.pixels / 2) * FINER).round().long()
    row = ((VIEW.pixels - (ways[..., 1] + VIEW.behind) / VIEW.metres) * FINER).round().long()
    index = torch.arange(len(seen))[:, None].expand_as(row)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            seen[index, :, (row + down).clamp(0, size - 1), (column + right).clamp(0, size - 1)] = torch.tensor(colour)
