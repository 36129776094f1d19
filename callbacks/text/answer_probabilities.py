"""Which words of a document a model takes for answers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pytorch_lightning import LightningModule
from torch import Tensor
from typing_extensions import override

from callbacks.text.text_pictures import TextPictures
from dlmodules.protocols import FindsAnswers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW = 30  # words


class AnswerProbabilities(TextPictures):
    """Draws how probably each word of the same documents answers a question, a bar for each.

    Works with any module that finds answers (``dlmodules.protocols.FindsAnswers``). Pictures: ``answers_1``,
    ``answers_2`` and so on.

    Args:
        texts: the documents; None for the first ones of the data's validation.
        number: how many of the data's.
        every_n_epochs: draw after each that many epochs, and when the training ends.
        every_n_steps: draw after each that many training steps instead.

    Raises:
        UserError: for a number out of range, or when the training starts a text that the model cannot read.
    """

    needs: ClassVar[tuple[type, ...]] = (FindsAnswers,)
    picture = "answers"

    @override
    def look(self, pl_module: LightningModule, text: str) -> tuple[list[str], Tensor]:
        assert isinstance(pl_module, FindsAnswers)
        return pl_module.answer_probabilities(text)

    @override
    def figure(self, seen: tuple[list[str], Tensor]) -> "Figure":
        return answers_figure(*seen)


def answers_figure(words: Sequence[str], probabilities: Tensor) -> "Figure":
    """Plot the probability of each word, ``(D,)``, as a bar, in as many rows as the words need."""
    from matplotlib.figure import Figure

    rows = -(-len(words) // ROW)
    figure = Figure(figsize=(min(len(words), ROW) * 0.3 + 1, 1.8 * rows), dpi=110, layout="constrained")
    for row in range(rows):
        shown = list(words[row * ROW : (row + 1) * ROW])
        axes = figure.add_subplot(rows, 1, row + 1)
        axes.bar(range(len(shown)), probabilities[row * ROW : (row + 1) * ROW].tolist(), color="0.35")
        axes.set_xlim(-0.6, min(len(words), ROW) - 0.4)
        axes.set_ylim(0, 1)
        labels = [word.replace("$", r"\$") for word in shown]  # a dollar sign would begin a formula
        axes.set_xticks(range(len(shown)), labels, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
        axes.set_ylabel("an answer?", fontsize=8)
    return figure
