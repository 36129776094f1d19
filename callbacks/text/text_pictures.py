"""The base of the callbacks that draw what a model makes of the same texts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pytorch_lightning import LightningModule, Trainer
from typing_extensions import override

from callbacks.base.inference import undisturbed
from callbacks.base.media import save_figure
from callbacks.base.plotting import PlottingCallback
from callbacks.text.pair_samples import chosen_pairs
from dlmodules.validation.arguments import check_at_least_one

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class TextPictures(PlottingCallback):
    """Base: a picture of each of the same texts each time; a child names it, and implements ``look`` and ``figure``.

    Args:
        texts: what is read; None for the first sources of the data's validation.
        number: how many of the data's.
        every_n_epochs: draw after each that many epochs, and when the training ends.
        every_n_steps: draw after each that many training steps instead.

    Raises:
        UserError: for a number out of range, or when the training starts a text that the model cannot read.
    """

    picture: ClassVar[str]

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

    def look(self, pl_module: LightningModule, text: str) -> Any:
        """Return what the model makes of ``text``."""
        raise NotImplementedError

    def figure(self, seen: Any) -> "Figure":
        """Draw what ``look`` returned."""
        raise NotImplementedError

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse a text that the model cannot read before anything is trained."""
        super().on_train_start(trainer, pl_module)
        for text, _ in chosen_pairs(trainer, self.texts, self.number):
            with undisturbed(trainer, pl_module, 0):
                self.look(pl_module, text)

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for number, (text, _) in enumerate(chosen_pairs(trainer, self.texts, self.number), start=1):
            with undisturbed(trainer, pl_module, 0):
                seen = self.look(pl_module, text)
            if trainer.is_global_zero:
                save_figure(trainer, f"{self.picture}_{number}", self.figure(seen))
