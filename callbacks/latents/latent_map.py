"""A map of the codes of images, and images decoded from a grid of codes."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor
from typing_extensions import override

from callbacks.base.conditions import cycled_labels
from callbacks.base.grids import image_grid
from callbacks.base.image_plotting import ImagePlottingCallback
from callbacks.base.inference import codes_of, images_of, undisturbed
from callbacks.base.media import run_folder, save_figure, warn_once, write_file
from callbacks.base.names import attribute_names, known_attribute_names, known_class_names
from callbacks.base.projections import Codes, Points, Projection, project, require_projection
from callbacks.latents.code_file import CODE_FILE, CodeFile
from dlmodules.errors import UserError
from dlmodules.protocols import Decodes, Encodes, is_conditional

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The quantiles of the standard normal, and of the scatter, between which the manifold is plotted.
TAIL = 0.02


class LatentMap(ImagePlottingCallback):
    """Plots the codes of validation images, coloured by class, and the images decoded from a grid of codes.

    Works with any module that has ``encode``. A latent space of more than two dimensions is shown
    by ``projection``. The grid is plotted where the space has two dimensions and
    the module has ``decode``. Pictures: ``latent_map`` and ``latent_manifold``, with ``test/`` before
    them for the test set. Codes of two numbers are also written into the run folder, as ``latent_codes.npz`` with
    ``codes (N, 2)``, ``labels (N,)`` and the classes' ``names``, where ``explore`` finds them. ``validate`` and
    ``test`` leave that file as it is.

    Args:
        max_points: at most that many images, the first of the set.
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
        manifold: codes of the grid: ``range`` spans evenly what the scatter covers, ``quantiles``
            are those of the standard normal, a VAE's prior; ``none`` leaves the grid out.
        manifold_size: images on each side of the grid.
        label: class of the grid's images, where the module is conditional.
        projection: of codes of more than two dimensions: ``pca``, their first two principal components; or ``tsne`` or
            ``umap``, which keep neighbours together and take many seconds for thousands of images. ``umap`` needs
            umap-learn: ``pip install ".[maps]"`` in a checkout.
        colour_by: name of the attribute that colours the codes, where labels are ``(B, A)``; None for the first.

    Raises:
        UserError: for a projection whose package is missing, a ``label`` that is no class of a conditional module, and
            a ``colour_by`` that the data module does not name among its ``attribute_names``.
    """

    needs: ClassVar[tuple[type, ...]] = (Encodes,)

    def __init__(
        self,
        max_points: int = 2000,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
        manifold: Literal["range", "quantiles", "none"] = "range",
        manifold_size: int = 12,
        label: int = 0,
        projection: Projection = "pca",
        colour_by: str | None = None,
    ) -> None:
        super().__init__(max_points, every_n_epochs, every_n_steps)
        require_projection(projection)
        if manifold_size < 2:
            raise UserError(f"LatentMap: manifold_size must be 2 or more, not {manifold_size}")
        self.manifold = manifold
        self.label = label
        self.manifold_size = manifold_size
        self.projection: Projection = projection
        self.colour_by = colour_by

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module without codes, a label that is none of its classes, and an attribute that is none."""
        super().setup(trainer, pl_module, stage)
        if is_conditional(pl_module):
            cycled_labels(pl_module, 1, [self.label])
        known = known_attribute_names(trainer)
        if self.colour_by is not None and self.colour_by not in known:
            named = f"it has {', '.join(known)}" if known else "it names none"
            raise UserError(f"LatentMap: the data module has no attribute {self.colour_by!r} for colour_by; {named}")

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        images, labels = self.images(pl_module)
        with undisturbed(trainer, pl_module):
            codes = codes_of(trainer, pl_module, images, labels).flatten(1)
        finite = codes.isfinite().all(1).cpu()
        if finite.sum() < 3:
            warn_once(
                self, f"LatentMap plotted nothing: {int(finite.sum())} of {len(finite)} codes are finite, 3 are needed."
            )
            return
        points: Codes = codes.cpu()[finite].numpy()
        title, names, colours = self._colours(trainer, labels)
        classes = None if colours is None else colours[finite].numpy()
        limits = None
        if self.manifold != "none" and points.shape[1] == 2 and isinstance(pl_module, Decodes):
            limits, decoded = self._decode_grid(trainer, pl_module, points)
            if trainer.is_global_zero:
                save_figure(trainer, f"{self.prefix}latent_manifold", manifold_figure(decoded, limits))
        if trainer.is_global_zero:
            if points.shape[1] == 2 and trainer.state.fn == TrainerFn.FITTING:
                found = CodeFile(points, classes, tuple(_names(names, classes)))
                write_file(trainer, run_folder(trainer) / CODE_FILE, found.save)
            figure = scatter_figure(points, classes, names, limits, self.projection, title)
            save_figure(trainer, f"{self.prefix}latent_map", figure)

    def _colours(self, trainer: Trainer, labels: Tensor | None) -> tuple[str, list[str], Tensor | None]:
        """What the colours show, the names of its values, and the value ``(B,)`` of each image."""
        if labels is None or labels.ndim == 1:
            return "class", known_class_names(trainer), labels
        names = attribute_names(trainer, labels.shape[1])
        chosen = names.index(self.colour_by) if self.colour_by is not None else 0
        return names[chosen], ["without", "with"], labels[:, chosen]

    def _decode_grid(
        self, trainer: Trainer, pl_module: LightningModule, points: Codes
    ) -> tuple[list[npt.NDArray[np.float32]], Tensor]:
        levels = torch.linspace(TAIL, 1 - TAIL, self.manifold_size)
        if self.manifold == "quantiles":
            axes = [torch.special.ndtri(levels)] * 2
        else:
            ends = np.quantile(points, [TAIL, 1 - TAIL], axis=0)
            axes = [torch.linspace(float(ends[0, d]), float(ends[1, d]), self.manifold_size) for d in (0, 1)]
        # The first row of a picture is its top, where the second coordinate is greatest.
        second, first = torch.meshgrid(axes[1].flip(0), axes[0], indexing="ij")
        grid: Tensor = torch.stack([first.flatten(), second.flatten()], dim=1).to(pl_module.device)
        labels = torch.full((len(grid),), self.label)
        with undisturbed(trainer, pl_module):
            images = images_of(trainer, pl_module, grid, labels)
        return [axis.numpy() for axis in axes], images


def scatter_figure(
    codes: Codes,
    labels: npt.NDArray[np.int64] | None = None,
    class_names: list[str] | None = None,
    grid: list[npt.NDArray[np.float32]] | None = None,
    projection: Projection = "pca",
    title: str = "class",
) -> "Figure":
    """Plot codes ``(N, D)`` coloured by ``labels (N,)``, which show ``title``; ``grid`` is where the manifold lies."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    points, names = _two_dimensions(codes, labels, projection)
    figure = Figure(figsize=(7.6, 6.2), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    _scatter(figure, axes, points, labels, class_names, title)
    if grid is not None:
        corner = (float(grid[0][0]), float(grid[1][0]))
        sides = (float(grid[0][-1]) - corner[0], float(grid[1][-1]) - corner[1])
        axes.add_patch(Rectangle(corner, *sides, fill=False, linestyle="--", edgecolor="0.25", linewidth=1.2))
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    note = "" if grid is None else "\ndashed: the part shown by latent_manifold"
    axes.set_title(f"Latent codes of {len(codes)} images{note}", fontsize=11)
    axes.grid(alpha=0.25)
    return figure


def manifold_figure(images: Tensor, grid: list[npt.NDArray[np.float32]]) -> "Figure":
    """Plot images ``(N, C, H, W)`` decoded from a square of codes, row by row, with the codes ``grid`` at the axes."""
    from matplotlib.figure import Figure

    gutter = max(1, round(images.shape[-1] / 14))
    tiles = image_grid(images, len(grid[0]), gutter, min_tile=0)
    figure = Figure(figsize=(8, 8), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(tiles, cmap="gray", vmin=0, vmax=255)
    axes.spines[:].set_visible(False)
    for dimension, (axis, values) in enumerate(zip((axes.xaxis, axes.yaxis), grid, strict=True)):
        size = len(values)
        tile = (tiles.shape[1 - dimension] - gutter) / size
        shown = np.arange(0, size, -(-size // 12))
        rows = shown if dimension == 0 else size - 1 - shown
        axis.set_ticks(list((gutter - 1) / 2 + (rows + 0.5) * tile), [f"{values[i]:.2f}" for i in shown])
    axes.set_xlabel("z[0]")
    axes.set_ylabel("z[1]")
    axes.set_title("Images decoded from a grid of codes", fontsize=11)
    return figure


def _names(known: list[str] | None, labels: npt.NDArray[np.int64] | None) -> list[str]:
    """Return the ``known`` names where every one of the ``labels`` has one, else the numbers."""
    count = 0 if labels is None else int(labels.max()) + 1
    return known if known and len(known) >= count else [str(k) for k in range(count)]


def _two_dimensions(
    codes: Codes, labels: npt.NDArray[np.int64] | None, projection: Projection
) -> tuple[Points, tuple[str, str]]:
    if codes.shape[1] == 2:
        return codes, ("z[0]", "z[1]")
    if codes.shape[1] == 1:
        second = np.arange(len(codes)) if labels is None else labels
        return np.stack([codes[:, 0], second], axis=1), ("z[0]", "image" if labels is None else "class")
    return project(codes, projection)


def _scatter(
    figure: "Figure",
    axes: "Axes",
    points: Points,
    labels: npt.NDArray[np.int64] | None,
    class_names: list[str] | None,
    title: str,
) -> None:
    from matplotlib import colormaps
    from matplotlib.lines import Line2D

    size = 14 if len(points) <= 1000 else 7
    style: dict[str, Any] = {"s": size, "alpha": 0.7, "linewidths": 0}
    if labels is None:
        axes.scatter(points[:, 0], points[:, 1], color="tab:blue", **style)
        return
    count = int(labels.max()) + 1
    if count > 20 or labels.min() < 0:
        dots = axes.scatter(points[:, 0], points[:, 1], c=labels, cmap="viridis", **style)
        figure.colorbar(dots, ax=axes, label=title)
        return
    palette = colormaps["tab10" if count <= 10 else "tab20"]
    # One call for all classes: plotted class by class, the last would hide the others.
    style |= {"cmap": palette, "vmin": -0.5, "vmax": palette.N - 0.5}
    axes.scatter(points[:, 0], points[:, 1], c=labels, **style)
    names = _names(class_names, labels)
    handles = [Line2D([], [], linestyle="", marker="o", color=palette(k), label=names[k]) for k in np.unique(labels)]
    figure.legend(handles=handles, loc="outside right center", title=title, frameon=False)
