"""The confusion matrix of a classifier."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.media import save_figure
from callbacks.base.names import class_names, set_name
from callbacks.classifiers.predictions import PredictionPlottingCallback
from dlmodules.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torchmetrics.classification import MulticlassConfusionMatrix

Counts = npt.NDArray[np.int64]

# Up to so many classes a cell has room for its count and its fraction; up to so many more for one number.
TWO_NUMBERS = 12
ONE_NUMBER = 25
TICKS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)


class ConfusionMatrix(PredictionPlottingCallback):
    """Plots how often each class (a row) was taken for each other (a column), after each validation.

    A cell shows the number of examples and their fraction of the row; the colour is the fraction. From 13
    classes on it shows the fraction alone, from 26 on the colour has to do. Works with any classifier
    (``dlmodules.protocols.Classifies``). Picture: ``confusion_matrix``, and ``test/confusion_matrix`` of the
    test set.

    Args:
        every_n_epochs: plot after each that many epochs, and when the training ends.
        max_classes: of more classes than this, only those with the most mistakes are shown.
    """

    def __init__(self, every_n_epochs: int = 1, max_classes: int = 100) -> None:
        super().__init__(every_n_epochs)
        if max_classes < 2:
            raise UserError(f"ConfusionMatrix: max_classes must be 2 or more, not {max_classes}")
        self.max_classes = max_classes
        self._matrix: MulticlassConfusionMatrix | None = None

    @override
    def begin(self, trainer: Trainer, pl_module: LightningModule) -> None:
        from torchmetrics.classification import MulticlassConfusionMatrix

        self._matrix = MulticlassConfusionMatrix(self.num_classes).to(pl_module.device)

    @override
    def collect(self, x: Tensor, y: Tensor, probabilities: Tensor) -> None:
        assert self._matrix is not None
        self._matrix.update(probabilities.argmax(dim=1), y)

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert self._matrix is not None
        counts: Counts = self._matrix.compute().cpu().numpy()
        if trainer.is_global_zero:
            names = class_names(trainer, self.num_classes)
            figure = confusion_figure(counts, names, set_name(trainer), self.max_classes)
            save_figure(trainer, f"{self.prefix}confusion_matrix", figure)


def row_fractions(counts: Counts) -> npt.NDArray[np.float64]:
    """Divide each row of a confusion matrix ``(K, K)`` by its sum; a row without examples stays zero."""
    fractions: npt.NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return fractions


def most_mistaken(counts: Counts, number: int) -> npt.NDArray[np.int64]:
    """The ``number`` classes, in their order, with the most mistakes: examples of them, or taken for them."""
    mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
    chosen: npt.NDArray[np.int64] = np.sort(np.argsort(-mistakes, kind="stable")[:number])
    return chosen


def confusion_figure(counts: Counts, names: list[str], of: str = "validation", max_classes: int = 100) -> "Figure":
    """Plot a confusion matrix ``(K, K)`` of counts, true classes in rows, with the names of the classes."""
    from matplotlib.colors import PowerNorm
    from matplotlib.figure import Figure

    total, right = int(counts.sum()), int(counts.trace())
    title = f"{of}: {right:,} of {total:,} right ({right / max(total, 1):.1%})"
    fractions = row_fractions(counts)
    if len(counts) > max_classes:
        kept = most_mistaken(counts, max_classes)
        title += f"\nthe {max_classes} of {len(counts)} classes with the most mistakes"
        counts, fractions = counts[np.ix_(kept, kept)], fractions[np.ix_(kept, kept)]
        names = [names[index] for index in kept]

    size = len(counts)
    cell = 0.56 if size <= TWO_NUMBERS else 0.4 if size <= ONE_NUMBER else 0.15
    side = max(3.4, cell * size) + 0.07 * min(16, max(map(len, names)))
    figure = Figure(figsize=(side + (0.6 if size <= ONE_NUMBER else 1.7), side + 0.8), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    # The root of the fraction: a mistake of one in a hundred has a colour that is seen.
    image = axes.imshow(fractions, cmap="Blues", norm=PowerNorm(0.5, 0.0, 1.0))
    short = [name if len(name) <= 16 else name[:15] + "…" for name in names]
    font = 10 if size <= ONE_NUMBER else 6
    across = max(map(len, short)) * 0.085 > cell
    axes.set_xticks(range(size), short, rotation=90 if across else 0, fontsize=font)
    axes.set_yticks(range(size), short, fontsize=font)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title, fontsize=11)
    if size <= ONE_NUMBER:
        _write_numbers(axes, counts, fractions)
    else:  # the cells say nothing, so the colours must be explained
        bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=30, ticks=TICKS)
        bar.ax.set_yticklabels([f"{tick:.0%}" for tick in TICKS])
        bar.set_label("fraction of the true class")
    return figure


def _write_numbers(axes: "Axes", counts: Counts, fractions: npt.NDArray[np.float64]) -> None:
    for row, column in zip(*counts.nonzero(), strict=True):
        fraction = f"{fractions[row, column]:.0%}"
        both = len(counts) <= TWO_NUMBERS
        color = "white" if fractions[row, column] > 0.35 else "black"
        text = f"{counts[row, column]}\n{fraction}" if both else fraction
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8 if both else 7)
