"""A picture of populations in two dimensions."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.media import save_figure
from callbacks.base.plotting import PlottingCallback
from dlmodules.protocols import HasPopulation

MOST_NUMBERS = 250_000
"""Weights of candidates that are kept, and are in each checkpoint: a megabyte."""
MOST_GENERATIONS = 1_000

Array = npt.NDArray[np.float64]


@dataclass
class _Generation:
    number: int
    candidates: Tensor
    """``(P, n)``; ``(0, n)`` where they are no longer kept."""
    fitness: Tensor
    weights: Tensor

    def is_one_of(self, every: int) -> bool:
        """Return whether it is the first, or each so many-th after it."""
        return (self.number - 1) % every == 0


class PopulationMap(PlottingCallback):
    """Plots the candidates of all generations in the plane of their two widest directions, coloured by fitness.

    The directions are the first two principal components of what is shown. A line goes along the policy that acts, from
    generation to generation, and the last generation stands out; beside it is the fitness over the generations. Works
    with any module that has ``population`` (``dlmodules.protocols.HasPopulation``). A resumed run shows all
    generations. Of many, or of large networks, only some are kept. Picture: ``population``.

    Args:
        every_n_epochs: plot after each that many epochs.
        every_n_steps: plot after each that many training steps instead.
    """

    needs: ClassVar[tuple[type, ...]] = (HasPopulation,)

    def __init__(self, every_n_epochs: int = 10, every_n_steps: int | None = None) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        self._generations: list[_Generation] = []
        self._count = 0
        self._every = self._every_candidates = 1

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module without populations, and begin anew; for a resumed run ``load_state_dict`` comes next."""
        super().setup(trainer, pl_module, stage)
        self._generations, self._count = [], 0
        self._every = self._every_candidates = 1

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, HasPopulation)
        found = pl_module.population()
        if found is not None:
            self._count += 1
            self._generations.append(_Generation(self._count, *(part.detach().float().cpu().clone() for part in found)))
            self._forget()
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def _forget(self) -> None:
        """Where they are too many, keep each second, fourth, ... generation, or its candidates, and the last one."""
        *before, last = self._generations
        self._generations = [*(generation for generation in before if generation.is_one_of(self._every)), last]
        while len(self._generations) > MOST_GENERATIONS:
            self._every *= 2
            self._forget()
        for generation in self._generations[:-1]:
            if not generation.is_one_of(self._every_candidates):
                generation.candidates = generation.candidates[:0].clone()
        kept = [generation for generation in self._generations if len(generation.candidates)]
        if len(kept) > 2 and sum(generation.candidates.numel() for generation in kept) > MOST_NUMBERS:
            self._every_candidates *= 2
            self._forget()

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._generations and trainer.is_global_zero:
            save_figure(trainer, "population", _figure(self._generations, type(pl_module).__name__))

    @override
    def state_dict(self) -> dict[str, Any]:
        return {
            "count": self._count,
            "every": [self._every, self._every_candidates],
            "generations": [dict(vars(generation)) for generation in self._generations],
        }

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._count = state_dict["count"]
        self._every, self._every_candidates = state_dict["every"]
        self._generations = [_Generation(**generation) for generation in state_dict["generations"]]


def plane(points: Array) -> tuple[Array, Array]:
    """Return the two widest directions ``(2, n)`` of ``points`` ``(N, n)``, and the parts ``(2,)`` of variance in them.

    Each points to where its largest weight is positive. Of a single weight the second direction is nothing.
    """
    centred = points - points.mean(0)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    total = max(float((lengths**2).sum()), np.finfo(np.float64).tiny)
    found, parts = np.zeros((2, points.shape[1])), np.zeros(2)
    number = min(2, len(directions))
    found[:number], parts[:number] = directions[:number], lengths[:number] ** 2 / total
    largest = np.take_along_axis(found, np.abs(found).argmax(1)[:, None], axis=1)
    return found * np.where(largest < 0, -1.0, 1.0), parts


def _figure(generations: list[_Generation], name: str) -> Any:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    shown = [generation for generation in generations if len(generation.candidates)]
    candidates = np.concatenate([generation.candidates.double().numpy() for generation in shown])
    fitness = np.concatenate([generation.fitness.numpy() for generation in shown])
    path = np.stack([generation.weights.double().numpy() for generation in generations])
    directions, parts = plane(np.concatenate([candidates, path]))
    origin = path[-1]
    points, line = (candidates - origin) @ directions.T, (path - origin) @ directions.T
    last = (shown[-1].candidates.double().numpy() - origin) @ directions.T

    figure = Figure(figsize=(12, 5), dpi=110, layout="constrained")
    axes, beside = figure.subplots(1, 2)
    order = fitness.argsort(kind="stable")  # the better ones on top
    dots = axes.scatter(*points[order].T, c=fitness[order], s=14, alpha=0.8, linewidths=0, cmap="viridis")
    axes.scatter(*last.T, facecolors="none", edgecolors="black", s=34, linewidths=0.8, label="last generation")
    axes.plot(*line.T, color="tab:red", linewidth=1.2, label="policy that acts")
    axes.plot(*line[0], "o", color="tab:red", markersize=6, markeredgecolor="white")
    axes.plot(*line[-1], "*", color="tab:red", markersize=15, markeredgecolor="white")
    labels = [f"direction {place + 1} ({part:.0%} of the variance)" for place, part in enumerate(parts)]
    axes.set(title=f"{name}: candidates in two dimensions", xlabel=labels[0], ylabel=labels[1], aspect="equal")
    axes.set_adjustable("datalim")
    axes.legend(fontsize=9)
    figure.colorbar(dots, ax=axes, label="fitness")

    numbers = [generation.number for generation in generations]
    beside.plot(numbers, [float(g.fitness.max()) for g in generations], ".-", color="tab:green", label="best")
    beside.plot(numbers, [float(g.fitness.mean()) for g in generations], ".-", color="tab:blue", label="mean")
    spread = [(float(g.fitness.min()), float(g.fitness.max())) for g in generations]
    beside.fill_between(numbers, *zip(*spread, strict=True), color="tab:blue", alpha=0.15, label="all candidates")
    beside.set(title="fitness over the generations", xlabel="generation", ylabel="fitness")
    beside.xaxis.set_major_locator(MaxNLocator(integer=True))
    beside.grid(alpha=0.3)
    beside.legend(fontsize=9)
    return figure
