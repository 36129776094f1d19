"""A box around points on a map, with three of its samples."""

from typing import TYPE_CHECKING, ClassVar

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.inference import undisturbed
from callbacks.base.media import save_figure
from callbacks.base.plotting import PlottingCallback
from callbacks.base.trainers import datamodule_of
from dlmodules.errors import UserError
from dlmodules.protocols import HasTrainSet, MapsLand, SamplesRows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CANDIDATES = 1000  # samples that the three are chosen from


class BoxPicture(PlottingCallback):
    """Plots the training points, the box around them, and on the map of the land three samples of the box.

    A lies in the sea, far from all training points: no such point is in the data. B is the sample that is nearest to a
    training point: it is hardly new. C is the one on land that is farthest from all training points: it is what a
    sample should be. A letter is left out where no sample is like that. The module has the corners ``low`` and
    ``high`` of its box as buffers, as ``BoxDensity``, the data module a map, as ``LandDataModule``. Picture: ``box``.

    Args:
        every_n_epochs: plot after each that many epochs, and when the training ends.
        seed: seed of the samples. It touches no other random numbers.
    """

    needs: ClassVar[tuple[type, ...]] = (SamplesRows,)

    def __init__(self, every_n_epochs: int = 1, seed: int = 0) -> None:
        super().__init__(every_n_epochs)
        self.seed = seed

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module without a box of two sides, and data without a map."""
        super().setup(trainer, pl_module, stage)
        corners = _corners(pl_module)
        if corners is None or corners.shape != (2, 2):
            raise UserError(
                f"BoxPicture plots a box of two sides, as BoxDensity's; {type(pl_module).__name__} has none"
            )
        if not isinstance(datamodule_of(trainer), MapsLand):
            raise UserError("BoxPicture needs a data module with a map, as LandDataModule: `land` and `is_land`")

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        data, corners = datamodule_of(trainer), _corners(pl_module)
        assert isinstance(pl_module, SamplesRows)
        assert isinstance(data, HasTrainSet)
        assert isinstance(data, MapsLand)
        assert corners is not None
        with undisturbed(trainer, pl_module, self.seed) as generator:
            samples = pl_module.sample_rows(CANDIDATES, generator=generator).float().cpu()
        if not trainer.is_global_zero:
            return
        points = data.train_set.x
        chosen = telling_samples(samples, points, data.is_land(samples))
        save_figure(trainer, "box", box_figure(points, corners.float().cpu(), data.land, chosen))


def _corners(module: LightningModule) -> Tensor | None:
    """The corners ``(2, D)`` of a module's box, the lowest first; None where it has no box."""
    buffers = dict(module.named_buffers())
    if not {"low", "high"} <= buffers.keys():
        return None
    return torch.stack([buffers["low"], buffers["high"]])


def telling_samples(samples: Tensor, points: Tensor, on_land: Tensor) -> dict[str, Tensor]:
    """Choose of samples one in the sea (A), one next to a point (B), one on land far from all points (C).

    Args:
        samples: ``(N, 2)``.
        points: the training points ``(M, 2)``.
        on_land: whether a sample lies on land, ``(N,)`` bool.

    Returns:
        Those that there are, ``(2,)`` each, by their letters.
    """
    nearest = torch.cdist(samples, points).amin(dim=1)
    chosen = {}
    if not on_land.all():
        chosen["A"] = samples[int(torch.where(on_land, -torch.inf, nearest).argmax())]
    if on_land.any():
        chosen["B"] = samples[int(torch.where(on_land, nearest, torch.inf).argmin())]
        chosen["C"] = samples[int(torch.where(on_land, nearest, -torch.inf).argmax())]
    return chosen


def box_figure(points: Tensor, corners: Tensor, land: Tensor, chosen: dict[str, Tensor]) -> "Figure":
    """Plot points ``(M, 2)`` of latitude and longitude alone, in the box ``corners (2, 2)``, and land and samples."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(7, 10), dpi=110, layout="constrained")
    titles = ("the data", "the density of largest likelihood", "samples of it, and the land")
    panels = figure.subplots(3, 1, sharex=True)
    (south, west), (north, east) = corners.tolist()
    for panel, title in zip(panels, titles, strict=True):
        panel.set(title=title, xlim=(-180, 180), ylim=(-90, 90), ylabel="latitude", aspect="equal")
        panel.plot(points[:, 1].numpy(), points[:, 0].numpy(), ".", color="black", markersize=3)
    for panel in panels[1:]:
        panel.add_patch(Rectangle((west, south), east - west, north - south, facecolor="tab:orange", alpha=0.25))
        panel.add_patch(Rectangle((west, south), east - west, north - south, fill=False, edgecolor="tab:orange"))
    panels[2].imshow(land.numpy(), extent=(-180, 180, -90, 90), cmap="Greens", vmin=0, vmax=2.5, zorder=0)
    for letter, (latitude, longitude) in ((letter, place.tolist()) for letter, place in chosen.items()):
        panels[2].plot(longitude, latitude, "o", color="tab:red", markersize=6)
        panels[2].annotate(
            letter, (longitude, latitude), (5, 5), textcoords="offset points", color="tab:red", weight="bold", size=14
        )
    panels[2].set_xlabel("longitude")
    return figure
