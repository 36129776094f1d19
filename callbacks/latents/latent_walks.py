"""Walks through latent space: between two images, along one dimension, and histograms of the dimensions."""

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.conditions import repeated
from callbacks.base.grids import image_grid
from callbacks.base.image_plotting import ImagePlottingCallback
from callbacks.base.inference import codes_of, images_of, undisturbed
from callbacks.base.media import save_figure, save_image
from dlmodules.errors import UserError
from dlmodules.protocols import Decodes, Encodes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def lerp(a: Tensor, b: Tensor, fraction: float) -> Tensor:
    """Go the ``fraction`` in [0, 1] of the straight way from codes ``a`` to ``b``, both ``(B, D)``."""
    return a + fraction * (b - a)


def slerp(a: Tensor, b: Tensor, fraction: float) -> Tensor:
    """Go the ``fraction`` of the great circle from codes ``a`` to ``b`` ``(B, D)``, the length changing evenly.

    Codes sampled from a normal distribution of many dimensions lie near a sphere, and the straight way leads through
    its empty inside. Where the two point the same or opposite ways, or one is 0, it is the straight way.
    """
    length_a, length_b = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    cosine = ((a * b).sum(dim=1, keepdim=True) / (length_a * length_b).clamp(min=1e-12)).clamp(-1.0, 1.0)
    angle, sine = cosine.acos(), (1 - cosine.square()).sqrt()
    direction = (
        torch.sin((1 - fraction) * angle) * a / length_a.clamp(min=1e-12)
        + torch.sin(fraction * angle) * b / length_b.clamp(min=1e-12)
    ) / sine.clamp(min=1e-6)
    turns = (sine > 1e-6) & (length_a > 0) & (length_b > 0)
    return torch.where(turns, lerp(length_a, length_b, fraction) * direction, lerp(a, b, fraction))


class Interpolations(ImagePlottingCallback):
    """Plots what lies between the codes of two validation images, a row for each pair: one morphs into the other.

    The codes of a linear row are ``(1 - a) * first + a * second``, with a from 0 to 1 in equal steps. Works with any
    module that has ``encode`` and ``decode``. Of a conditional module a row keeps the class of its first image.
    Picture: ``interpolations``, with ``test/`` before it for the test set.

    Args:
        pairs: how many rows; the images are the first ones of the set.
        steps: images in a row, both ends among them, 2 or more.
        way: ``linear`` or ``spherical``.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
    """

    needs: ClassVar[tuple[type, ...]] = (Encodes, Decodes)

    def __init__(
        self,
        pairs: int = 8,
        steps: int = 10,
        way: Literal["linear", "spherical"] = "linear",
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
    ) -> None:
        super().__init__(2 * pairs, every_n_epochs, every_n_steps)
        if steps < 2 or way not in ("linear", "spherical"):
            raise UserError("Interpolations: steps must be 2 or more, and way linear or spherical")
        self.steps = steps
        self.walk = lerp if way == "linear" else slerp

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        images, labels = self.images(pl_module)
        pairs = len(images) // 2
        if pairs == 0:
            return
        with undisturbed(trainer, pl_module):
            codes = codes_of(trainer, pl_module, images, labels)
            starts, ends = codes[0 : 2 * pairs : 2], codes[1 : 2 * pairs : 2]
            fractions = [step / (self.steps - 1) for step in range(self.steps)]
            walks = torch.stack([self.walk(starts, ends, fraction) for fraction in fractions], dim=1).flatten(0, 1)
            kept = repeated(None if labels is None else labels[0 : 2 * pairs : 2], self.steps)
            rows = images_of(trainer, pl_module, walks, kept)
        save_image(
            trainer,
            f"{self.prefix}interpolations",
            image_grid(rows, self.steps),
            caption=f"epoch {trainer.current_epoch}",
        )


class Traversals(ImagePlottingCallback):
    """Plots an image while one number of its code changes, a row for each dimension of the code.

    A dimension goes from ``-extent`` to ``extent`` standard deviations about its mean over the images, which are the
    first ones of the validation set; the others keep the code of the first image. The dimensions that vary most come
    first. Works with any module that has ``encode`` and ``decode``. Picture: ``traversals``, with ``test/`` before it
    for the test set.

    Args:
        dimensions: at most that many rows.
        steps: images in a row, 2 or more.
        extent: standard deviations to each side, more than 0.
        max_points: images from which mean and standard deviation are computed.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
    """

    needs: ClassVar[tuple[type, ...]] = (Encodes, Decodes)

    def __init__(
        self,
        dimensions: int = 10,
        steps: int = 9,
        extent: float = 2.5,
        max_points: int = 1000,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
    ) -> None:
        super().__init__(max_points, every_n_epochs, every_n_steps)
        if dimensions < 1 or steps < 2 or extent <= 0:
            raise UserError("Traversals: dimensions must be 1 or more, steps 2 or more, and extent more than 0")
        self.dimensions = dimensions
        self.steps = steps
        self.extent = extent

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        images, labels = self.images(pl_module)
        with undisturbed(trainer, pl_module):
            codes = codes_of(trainer, pl_module, images, labels)
            mean, deviation = codes.mean(dim=0), codes.std(dim=0, correction=0)
            chosen = deviation.argsort(descending=True)[: self.dimensions]
            walk = torch.linspace(-self.extent, self.extent, self.steps, device=codes.device)
            rows = codes[0].repeat(len(chosen), self.steps, 1)
            for row, dimension in enumerate(chosen.tolist()):
                rows[row, :, dimension] = mean[dimension] + walk * deviation[dimension]
            flat = rows.flatten(0, 1)
            kept = repeated(None if labels is None else labels[:1], len(flat))
            pictures = images_of(trainer, pl_module, flat, kept)
        save_image(
            trainer,
            f"{self.prefix}traversals",
            image_grid(pictures, self.steps, row_labels=[f"z{dimension}" for dimension in chosen.tolist()]),
            caption=f"epoch {trainer.current_epoch}",
        )


class CodeHistograms(ImagePlottingCallback):
    """Plots how each number of the code is distributed over validation images, beside the standard normal.

    A VAE's dimension that is not used is a spike at 0 in its means; one far from the normal decodes samples of the
    prior badly. Works with any module that has ``encode``. Picture: ``code_histograms``, with ``test/`` before it for
    the test set.

    Args:
        dimensions: at most that many of the code's numbers, the first ones.
        max_points: at most that many images, the first of the set.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
    """

    needs: ClassVar[tuple[type, ...]] = (Encodes,)

    def __init__(
        self, dimensions: int = 50, max_points: int = 2000, every_n_epochs: int = 1, every_n_steps: int | None = None
    ) -> None:
        super().__init__(max_points, every_n_epochs, every_n_steps)
        if dimensions < 1:
            raise UserError("CodeHistograms: dimensions must be 1 or more")
        self.dimensions = dimensions

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        images, labels = self.images(pl_module)
        with undisturbed(trainer, pl_module):
            codes = codes_of(trainer, pl_module, images, labels).flatten(1).cpu()
        if trainer.is_global_zero:
            save_figure(trainer, f"{self.prefix}code_histograms", histogram_figure(codes[:, : self.dimensions]))


def histogram_figure(codes: Tensor) -> "Figure":
    """Plot a histogram of each column of ``codes (N, D)``, and the density of the standard normal over it."""
    from matplotlib.figure import Figure

    columns = min(10, codes.shape[1])
    rows = -(-codes.shape[1] // columns)
    figure = Figure(figsize=(1.5 * columns + 0.4, 1.3 * rows + 0.4), dpi=110, layout="constrained")
    panels = np.atleast_1d(figure.subplots(rows, columns, sharex=True)).flatten()
    axis = np.linspace(-4, 4, 100)
    density = np.exp(-0.5 * axis**2) / np.sqrt(2 * np.pi)
    for dimension, panel in enumerate(panels):
        if dimension >= codes.shape[1]:
            panel.set_axis_off()
            continue
        panel.hist(codes[:, dimension].nan_to_num(0.0).numpy(), bins=30, density=True, color="tab:blue", alpha=0.7)
        panel.plot(axis, density, color="0.2", linewidth=1)
        panel.set_title(f"z{dimension}", fontsize=8, pad=2)
        panel.set_yticks([])
        panel.tick_params(labelsize=7)
    return figure
