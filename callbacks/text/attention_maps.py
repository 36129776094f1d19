"""Where a model of text looks."""

from typing import TYPE_CHECKING, ClassVar

from pytorch_lightning import LightningModule
from typing_extensions import override

from callbacks.text.text_pictures import TextPictures
from dlmodules.protocols import Attends, AttentionMap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_MAPS = 16  # of a picture; more would be too small to read


class AttentionMaps(TextPictures):
    """Draws the weights of attention for the same texts each time: a row for each token that attends.

    Works with any module that can show where it looks (``dlmodules.protocols.Attends``): within a text, or to a source
    while a target is written. Pictures: ``attention_1``, ``attention_2`` and so on.

    Args:
        texts: what is read; None for the first sources of the data's validation.
        number: how many of the data's.
        every_n_epochs: draw after each that many epochs, and when the training ends.
        every_n_steps: draw after each that many training steps instead.

    Raises:
        UserError: for a number out of range, or when the training starts a text that the model cannot read.
    """

    needs: ClassVar[tuple[type, ...]] = (Attends,)
    picture = "attention"

    @override
    def look(self, pl_module: LightningModule, text: str) -> AttentionMap:
        assert isinstance(pl_module, Attends)
        return pl_module.attention_maps(text)

    @override
    def figure(self, seen: AttentionMap) -> "Figure":
        return attention_figure(seen)


def attention_figure(seen: AttentionMap) -> "Figure":
    """Plot each of the weights ``(T, S)`` as an image, the tokens that attend from top to bottom."""
    from matplotlib.figure import Figure

    maps = list(seen.weights.items())[:MOST_MAPS]
    columns = min(len(maps), 4)
    rows = -(-len(maps) // columns)
    many = len(maps) > 1
    width = max(2.5, (0.12 if many else 0.25) * len(seen.keys) + 1)
    height = max(2.5, (0.12 if many else 0.25) * len(seen.queries) + 1)
    figure = Figure(figsize=(columns * width, rows * height), dpi=110, layout="constrained")
    for number, (name, weights) in enumerate(maps, start=1):
        axes = figure.add_subplot(rows, columns, number)
        axes.imshow(weights.float().numpy(), cmap="Greys", vmin=0.0, vmax=1.0, aspect="auto", interpolation="nearest")
        size = 5 if many else 8
        axes.set_xticks(range(len(seen.keys)), list(map(_shown, seen.keys)), rotation=90, fontsize=size)
        axes.set_yticks(range(len(seen.queries)), list(map(_shown, seen.queries)), fontsize=size)
        axes.set_title(name, fontsize=size + 1)
    return figure


def _shown(token: str) -> str:
    """Return a token whose blanks can be seen, and whose dollar signs begin no formula."""
    shown = token.replace("\n", "⏎").replace("$", r"\$")
    return "␣" if shown == " " else shown
