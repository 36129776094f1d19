"""Which words of a document a model takes for answers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from callbacks.base.inference import undisturbed
from callbacks.base.media import save_figure
from callbacks.base.plotting import PlottingCallback
from callbacks.text.pair_samples import chosen_pairs
from dlmodules.protocols import FindsAnswers
from dlmodules.validation.arguments import check_at_least_one

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW = 30  # words


class AnswerProbabilities(PlottingCallback):
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

    def __init__(
        self,
        texts: Sequence[str] | None = None,
        number: int = 1,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
    ) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        check_at_least_one(number=number)
        self.texts = None if texts is None else list(texts)
        self.number = number

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse a text that the model cannot read before anything is trained."""
        super().on_train_start(trainer, pl_module)
        assert isinstance(pl_module, FindsAnswers)
        for text, _ in chosen_pairs(trainer, self.texts, self.number):
            with undisturbed(trainer, pl_module, 0):
                pl_module.answer_probabilities(text)

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, FindsAnswers)
        for number, (text, _) in enumerate(chosen_pairs(trainer, self.texts, self.number), start=1):
            with undisturbed(trainer, pl_module, 0):
                words, probabilities = pl_module.answer_probabilities(text)
            if trainer.is_global_zero:
                save_figure(trainer, f"answers_{number}", answers_figure(words, probabilities))


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
