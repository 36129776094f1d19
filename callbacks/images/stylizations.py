"""Pictures and the same in a style."""

from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from callbacks.base.batches import as_float, compact
from callbacks.base.grids import image_grid
from callbacks.base.image_plotting import ImagePlottingCallback
from callbacks.base.inference import undisturbed
from callbacks.base.media import save_image
from dlmodules.protocols import CONTENT_AND_STYLE, Stylizes
from dlmodules.validation.batches import inputs_in, parts_of


class Stylizations(ImagePlottingCallback):
    """Plots the first pictures of the validation set, below each what has the style, and the picture in that style.

    Works with any module that has ``stylize``. Pictures: ``stylizations``, and ``stylized``, the first one alone in its
    own size; those of the test set have ``test/`` before them.

    Args:
        num: how many pictures.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
    """

    needs: ClassVar[tuple[type, ...]] = (Stylizes,)

    def __init__(self, num: int = 4, every_n_epochs: int = 1, every_n_steps: int | None = None) -> None:
        super().__init__(num, every_n_epochs, every_n_steps)
        self._style: Tensor | None = None

    @override
    def keep(self, batch: Any, missing: int) -> None:
        content, style, *_ = parts_of(batch, CONTENT_AND_STYLE)
        self._images.append(compact(inputs_in((content,))[:missing].detach().cpu()))
        self._style = inputs_in((style,))[:1].detach().cpu()

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, Stylizes)
        assert self._style is not None
        contents = torch.cat([as_float(part) for part in self._images])
        with undisturbed(trainer, pl_module):
            given = trainer.precision_plugin.convert_input(contents.to(pl_module.device))
            styled = pl_module.stylize(given).float().cpu()
        style = F.interpolate(self._style.float(), size=contents.shape[-2:], mode="area")
        channels = max(rows.shape[1] for rows in (contents, style, styled))
        rows = [images.expand(len(contents), channels, -1, -1) for images in (contents, style, styled)]
        caption = f"epoch {trainer.current_epoch}"
        grid = image_grid(torch.cat(rows), len(contents), row_labels=["content", "style", "styled"])
        save_image(trainer, f"{self.prefix}stylizations", grid, caption=caption)
        save_image(trainer, f"{self.prefix}stylized", image_grid(styled[:1], pad=0, min_tile=0), caption=caption)
