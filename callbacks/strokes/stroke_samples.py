"""What a model of handwriting writes while it is trained."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.inference import undisturbed
from callbacks.base.media import save_figure
from callbacks.base.plotting import PlottingCallback
from callbacks.base.requirements import require
from dlmodules.protocols import SamplesStrokes, WritesText
from dlmodules.validation.arguments import check_at_least_one

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class StrokeSamples(PlottingCallback):
    """Draws lines that a module writes by hand, from the same random numbers each time.

    Works with any module that draws strokes (``dlmodules.protocols.SamplesStrokes``), and with ``texts`` with one that
    writes a given text (``WritesText``). Picture: ``stroke_samples``.

    Args:
        num: how many lines, 1 or more, where no texts are given.
        texts: what is written, a line for each; None lets the module choose.
        every_n_epochs: draw after each that many epochs, and when the training ends.
        every_n_steps: draw after each that many training steps instead.
        columns: lines side by side.
        seed: of the random numbers. It touches no others.

    Raises:
        UserError: for a number out of range, or when the training starts a text that the module cannot write.
    """

    needs: ClassVar[tuple[type, ...]] = (SamplesStrokes,)

    def __init__(
        self,
        num: int = 12,
        texts: Sequence[str] | None = None,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
        columns: int = 3,
        seed: int = 0,
    ) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        check_at_least_one(num=num, columns=columns)
        self.num, self.columns, self.seed = num, columns, seed
        self.texts = None if texts is None else list(texts)

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse a module that draws no strokes, or writes no text where one is given."""
        super().setup(trainer, pl_module, stage)
        if self.texts is not None:
            require(self, pl_module, WritesText)

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse a text that the module cannot write before anything is trained."""
        super().on_train_start(trainer, pl_module)
        if self.texts is not None:
            self._written(trainer, pl_module)

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        strokes = self._written(trainer, pl_module).cpu()
        if trainer.is_global_zero:
            save_figure(trainer, "stroke_samples", strokes_figure(strokes, self.columns, self.texts))

    def _written(self, trainer: Trainer, pl_module: LightningModule) -> Tensor:
        with undisturbed(trainer, pl_module, self.seed) as generator:
            if self.texts is None:
                assert isinstance(pl_module, SamplesStrokes)
                return pl_module.sample_strokes(self.num, generator=generator)
            assert isinstance(pl_module, WritesText)
            return pl_module.write(self.texts, generator=generator)


def strokes_figure(strokes: Tensor, columns: int = 3, titles: Sequence[str] | None = None) -> "Figure":
    """Draw lines ``(N, T, 3)`` of offsets and pens, all at the same scale, as far as the pen touches the paper."""
    from matplotlib.figure import Figure

    columns = min(columns, len(strokes))
    rows = -(-len(strokes) // columns)
    drawings = [pen_lines(line) for line in strokes.float()]
    width, height = (max(1e-3, *(float(_span(drawing, axis)) for drawing in drawings)) for axis in (0, 1))
    # An inch for the height of a line; one that is much longer than high is drawn smaller.
    inches = min(4.5, max(1.0, width / height))
    figure = Figure(figsize=(columns * inches, rows * (1.2 if titles else 1.0)), dpi=110, layout="constrained")
    for number, drawing in enumerate(drawings):
        axes = figure.add_subplot(rows, columns, number + 1)
        for line in drawing:
            axes.plot(
                line[:, 0], line[:, 1], color="black", linewidth=1.2, marker="." if len(line) == 1 else "", markersize=3
            )
        axes.set_aspect("equal")
        axes.set_axis_off()
        middle = _middle(drawing)
        axes.set_xlim(middle[0] - 0.52 * width, middle[0] + 0.52 * width)
        axes.set_ylim(middle[1] - 0.55 * height, middle[1] + 0.55 * height)
        if titles:
            axes.set_title(titles[number].replace("$", r"\$"), fontsize=8, color="grey")
    return figure


def pen_lines(line: Tensor) -> list[Tensor]:
    """Return the lines ``(N, 2)`` that the pen leaves of offsets and pens ``(T, 3)``; what is behind a line is not."""
    line = line[line[:, 2] >= 0]
    ends = (line[:-1, 2] > 0.5).nonzero().flatten() + 1
    return list(line[:, :2].cumsum(dim=0).tensor_split(ends.tolist()))


def _span(drawing: list[Tensor], axis: int) -> Tensor:
    values = [part[:, axis] for part in drawing]
    return max(part.max() for part in values) - min(part.min() for part in values)


def _middle(drawing: list[Tensor]) -> tuple[float, float]:
    found = [
        float(max(part[:, axis].max() for part in drawing) + min(part[:, axis].min() for part in drawing)) / 2
        for axis in (0, 1)
    ]
    return found[0], found[1]
