"""What a language model writes while it is trained."""

from collections.abc import Sequence
from typing import ClassVar

from pytorch_lightning import LightningModule, Trainer
from typing_extensions import override

from callbacks.base.inference import undisturbed
from callbacks.base.plotting import PlottingCallback
from callbacks.base.tables import save_texts
from dlmodules.errors import UserError
from dlmodules.protocols import ContinuesText
from dlmodules.sequences.decoding import Decoding


class TextSamples(PlottingCallback):
    """Lets a language model go on from the same prompts each time, by the same draws.

    Texts: ``text_samples``, a file each time in the run folder, and a table for loggers that take one (W&B).

    Args:
        prompts: what it goes on from; None for a new line, or of words the most frequent one.
        length: tokens to write for each.
        temperature: 1 draws from the model's own distribution, 0 takes the most probable token.
        top_k: draw among so many of the most probable tokens; None among all.
        every_n_epochs: write after each that many epochs, and when the training ends.
        every_n_steps: write after each that many training steps instead.
        seed: of the draws; no other random numbers are affected.

    Raises:
        UserError: no prompts, a number out of range, or when the training starts a prompt that the model cannot read.
    """

    needs: ClassVar[tuple[type, ...]] = (ContinuesText,)

    def __init__(
        self,
        prompts: Sequence[str] | None = None,
        length: int = 300,
        temperature: float = 0.8,
        top_k: int | None = None,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(every_n_epochs, every_n_steps)
        if (prompts is not None and not prompts) or length < 1:
            raise UserError("TextSamples needs at least one prompt, and a length of 1 or more")
        self.prompts = None if prompts is None else list(prompts)
        self.length = length
        self.decoding = Decoding(temperature, top_k)
        self.seed = seed

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse a prompt that the model cannot read before anything is trained."""
        super().on_train_start(trainer, pl_module)
        assert isinstance(pl_module, ContinuesText)
        for prompt in self.prompts or ():
            next(pl_module.generate_text(prompt, 0, self.decoding), None)

    @override
    def plot(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, ContinuesText)
        rows = []
        for prompt in self.prompts or [pl_module.first_prompt()]:
            with undisturbed(trainer, pl_module, self.seed) as generator:
                text = "".join(pl_module.generate_text(prompt, self.length, self.decoding, generator))
            rows.append((prompt, text))
        save_texts(trainer, "text_samples", ("prompt", "text"), rows)
