"""The discriminator's outputs for real and for fake images, as two histograms."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.conditions import cycled_labels
from callbacks.base.image_plotting import ImagePlottingCallback
from callbacks.base.inference import BATCH, undisturbed
from callbacks.base.media import save_figure
from callbacks.base.progress import position
from dlmodules.errors import UserError
from dlmodules.protocols import Discriminates, SamplesImages

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class DiscriminatorHistogram(ImagePlottingCallback):
    """Plots how the discriminator's outputs are distributed over real and over fake images.

    If the two histograms are separate the discriminator wins; if they coincide it cannot tell real from fake. The real
    images are the first ones of the validation set, on which it never trained, and the fake ones are of the same
    noise each time. Both networks have the weights that are trained, not averages of them. Works with any module that
    has ``discriminate_images`` and samples images. Picture: ``discriminator``, with ``test/`` before it for the test
    set.

    Args:
        num: how many real images, and how many fake ones.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead, from the first validation on.
        bins: bars of a histogram.
        seed: seed of the noise.
    """

    needs: ClassVar[tuple[type, ...]] = (Discriminates, SamplesImages)

    def __init__(
        self,
        num: int = 256,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
        bins: int = 40,
        seed: int = 0,
    ) -> None:
        super().__init__(num, every_n_epochs, every_n_steps)
        if bins < 1:
            raise UserError(f"DiscriminatorHistogram: bins must be 1 or more, not {bins}")
        self.bins = bins
        self.seed = seed

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        real, labels = self.images(pl_module)
        if labels is not None:
            labels = labels.to(pl_module.device) if labels.ndim == 1 else None
        with undisturbed(trainer, pl_module, self.seed, averaged=False) as generator:
            assert isinstance(pl_module, SamplesImages)
            asked_labels = cycled_labels(pl_module, len(real))
            fake = pl_module.sample(len(real), labels=asked_labels, generator=generator)
            of_real = _outputs(trainer, pl_module, real, labels)
            of_fake = _outputs(trainer, pl_module, fake, asked_labels)
        if trainer.is_global_zero:
            title = f"{type(pl_module).__name__}, {position(trainer)} steps"
            figure = output_figure(of_real, of_fake, self.bins, title)
            save_figure(trainer, f"{self.prefix}discriminator", figure, caption=f"epoch {trainer.current_epoch}")


def _outputs(trainer: Trainer, pl_module: LightningModule, images: Tensor, labels: Tensor | None) -> Tensor:
    """The discriminator's outputs ``(B,)`` float32 on the CPU, for 256 images at a time."""
    assert isinstance(pl_module, Discriminates)
    convert = trainer.precision_plugin.convert_input
    parts = torch.split(images, BATCH)
    given = [None] * len(parts) if labels is None else torch.split(labels, BATCH)
    outputs = [pl_module.discriminate_images(convert(part), label) for part, label in zip(parts, given, strict=True)]
    return torch.cat(outputs).float().cpu()


def output_figure(real: Tensor, fake: Tensor, bins: int, title: str) -> "Figure":
    """Plot the outputs ``(B,)`` for real and for fake images as histograms with the same bars."""
    from matplotlib.figure import Figure

    parts = {"real": real[real.isfinite()].numpy(), "fake": fake[fake.isfinite()].numpy()}
    edges = np.histogram_bin_edges(np.concatenate(list(parts.values())), bins)
    figure = Figure(figsize=(6.0, 3.4), dpi=110, layout="constrained")
    axes = figure.subplots()
    for (name, values), color in zip(parts.items(), ("tab:blue", "tab:orange"), strict=True):
        mean = f", mean {values.mean():.3g}" if len(values) else ""
        axes.hist(values, bins=edges.tolist(), color=color, alpha=0.6, label=f"{name}{mean}")
    axes.set_title(title, fontsize=11)
    axes.set_xlabel("output of the discriminator")
    axes.set_ylabel("images")
    axes.legend(fontsize=9)
    return figure
