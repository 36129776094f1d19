"""What a model of pairs writes for the same texts while it is trained."""

from collections.abc import Sequence
from typing import ClassVar

from pytorch_lightning import LightningModule, Trainer
from typing_extensions import override

from callbacks.base.inference import undisturbed
from callbacks.base.plotting import PlottingCallback
from callbacks.base.tables import save_texts
from callbacks.base.trainers import datamodule_of
from dlmodules.errors import UserError
from dlmodules.protocols import HasPairs, TranslatesTexts
from dlmodules.validation.arguments import check_at_least_one


class PairSamples(PlottingCallback):
    """Lets a model write for the same sources each time, beside the targets that are known.

    Works with any module that writes a text for a text (``dlmodules.protocols.TranslatesTexts``). Texts:
    ``pair_samples``, a file each time in the run folder, and a table for loggers that take one (W&B).

    Args:
        texts: the sources; None for the first ones of the data's validation.
        number: how many of the data's.
        beam: targets that a beam keeps; 1 writes greedily.
        every_n_epochs: write after each that many epochs, and when the training ends.
        every_n_steps: write after each that many training steps instead.

    Raises:
        UserError: for a number out of range, or when the training starts a text that the model cannot read.
    """

    needs: ClassVar[tuple[type, ...]] = (TranslatesTexts,)

    def __init__(
        self,
        texts: Sequence[str] | None = None,
        number: int = 5,
        beam: int = 1,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
    ) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        check_at_least_one(number=number, beam=beam)
        self.texts = None if texts is None else list(texts)
        self.number = number
        self.beam = beam

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse a text that the model cannot read before anything is trained."""
        super().on_train_start(trainer, pl_module)
        assert isinstance(pl_module, TranslatesTexts)
        if self.texts:
            with undisturbed(trainer, pl_module, 0):
                pl_module.translate_texts(self.texts, 1)

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, TranslatesTexts)
        pairs = chosen_pairs(trainer, self.texts, self.number)
        with undisturbed(trainer, pl_module, 0):
            written = pl_module.translate_texts([source for source, _ in pairs], self.beam)
        rows = [(source, target, text) for (source, target), text in zip(pairs, written, strict=True)]
        save_texts(trainer, "pair_samples", ("source", "target", "written"), rows)


def chosen_pairs(trainer: Trainer, texts: Sequence[str] | None, number: int) -> list[tuple[str, str]]:
    """Return ``texts`` without targets, or so many pairs of the data.

    Raises:
        UserError: there are no texts, and the data have no pairs.
    """
    if texts is not None:
        return [(text, "") for text in texts]
    data = datamodule_of(trainer)
    if not isinstance(data, HasPairs):
        raise UserError("the data have no pairs of texts: give the callback its texts")
    return data.example_pairs(number)
