"""Images of one domain, and what they are translated to."""

from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.batches import as_float, compact
from callbacks.base.grids import image_grid
from callbacks.base.image_plotting import ImagePlottingCallback
from callbacks.base.inference import undisturbed
from callbacks.base.media import save_image
from dlmodules.protocols import IMAGE_PAIR, Translates
from dlmodules.validation.batches import inputs_in, parts_of


class Translations(ImagePlottingCallback):
    """Plots the first images of the validation set, and below each its translation.

    Works with any module that has ``translate``. Of a module that translates one way alone, the image that belongs to
    each stands below or, where it is not ``paired``, any of the other domain. Of one that knows the way back there is a
    picture of either way, with the images translated back and, where both domains have as many channels, what the other
    generator makes of an image that is as it should be.
    Pictures: ``translations_a2b``, ``translations_b2a``, and with ``test/`` before them those of the test set.

    Args:
        num: how many images.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
    """

    needs: ClassVar[tuple[type, ...]] = (Translates,)

    def __init__(self, num: int = 8, every_n_epochs: int = 1, every_n_steps: int | None = None) -> None:
        super().__init__(num, every_n_epochs, every_n_steps)
        self._others: list[Tensor] = []

    @override
    def keep(self, batch: Any, missing: int) -> None:
        if not self._images:
            self._others = []
        for kept, field in zip((self._images, self._others), parts_of(batch, IMAGE_PAIR)[:2], strict=True):
            kept.append(compact(inputs_in((field,))[:missing].detach().cpu()))

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, Translates)
        domains = {
            name: torch.cat([as_float(part) for part in parts]).to(pl_module.device)
            for name, parts in zip("ab", (self._images, self._others), strict=True)
        }
        for direction in pl_module.directions:
            rows = self._rows(trainer, pl_module, direction, domains)
            channels = max(len(image) for row in rows.values() for image in row)
            images = torch.cat([row.float().expand(-1, channels, -1, -1) for row in rows.values()])
            save_image(
                trainer,
                f"{self.prefix}translations_{direction}",
                image_grid(images, len(domains["a"]), row_labels=list(rows)),
                caption=f"epoch {trainer.current_epoch}",
            )

    @staticmethod
    def _rows(
        trainer: Trainer, pl_module: LightningModule, direction: str, domains: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        assert isinstance(pl_module, Translates)
        back = direction[::-1]
        source, target = direction[0], direction[-1]
        given = domains[source]
        with undisturbed(trainer, pl_module):
            convert = trainer.precision_plugin.convert_input
            rows = {"input": given, "output": pl_module.translate(convert(given), direction)}
            if back not in pl_module.directions:
                name = "wanted" if getattr(pl_module, "paired", True) else "real"
                return {**rows, name: domains[target]}
            rows["back"] = pl_module.translate(rows["output"], back)
            if given.shape[1] == domains[target].shape[1]:
                rows["identity"] = pl_module.translate(convert(given), back)
        return rows
