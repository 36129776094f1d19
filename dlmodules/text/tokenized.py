"""Models of tokens: they take the tokenizer of the data, and keep it in their checkpoints as plain values."""

from typing import Any

from pytorch_lightning import LightningModule
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.protocols import HasTokenizer, Tokenizer
from dlmodules.sequences.tokenizers import as_plain, from_plain


class TokenizedModule(LightningModule):
    """Base of the models that read the tokens of one tokenizer, which the data module has.

    Raises:
        UserError: at the start, for data with more token ids than the model knows, or with other ones than those of its
            checkpoint.
    """

    vocabulary_size: int
    tokenizer: Any = None  # a ``Tokenizer``; None until data or a checkpoint bring one

    @override
    def setup(self, stage: str) -> None:
        """Take the tokenizer of the data module."""
        data = getattr(self.trainer, "datamodule", None)
        if not isinstance(data, HasTokenizer):
            return
        name, tokenizer = type(self).__name__, data.tokenizer
        if len(tokenizer) > self.vocabulary_size:
            raise UserError(
                f"the data have {len(tokenizer)} token ids, but {name} knows {self.vocabulary_size}: set"
                f" --model.vocabulary_size {len(tokenizer)}, or a smaller --data.vocabulary_size"
            )
        if self.tokenizer is not None and self.tokenizer != tokenizer:
            raise UserError(
                f"{name} was trained on other tokens than those of the data: give the data the tokenizer of its"
                " checkpoint, or train it anew"
            )
        self.tokenizer = tokenizer

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        if self.tokenizer is not None:
            checkpoint["tokenizer"] = as_plain(self.tokenizer)

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        if "tokenizer" in checkpoint:
            self.tokenizer = from_plain(checkpoint["tokenizer"])

    def known_tokenizer(self) -> Tokenizer:
        """Return the tokenizer. Raises UserError where there is none yet."""
        if self.tokenizer is None:
            raise UserError(f"{type(self).__name__} has no tokenizer: train it, load a checkpoint, or set one")
        found: Tokenizer = self.tokenizer
        return found
