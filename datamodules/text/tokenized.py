"""Data of one tokenizer, which a checkpoint keeps as plain values."""

from typing import Any

from typing_extensions import override

from datamodules.base.fields import BatchT
from datamodules.base.in_memory import DatasetT, InMemoryDataModule
from dlmodules.sequences.tokenizers import SavedTokenizer, as_plain, from_plain


class TokenizedDataModule(InMemoryDataModule[DatasetT, BatchT]):
    """Base of the data modules of texts that one tokenizer reads; a child implements ``make_tokenizer``.

    Args:
        batch_size: rows of a batch, 1 or more.
        **kwargs: of ``InMemoryDataModule``, all but ``train_transform``: token ids are not to be augmented.
    """

    def __init__(self, batch_size: int, **kwargs: Any) -> None:
        super().__init__(batch_size=batch_size, train_transform=None, **kwargs)
        self._tokenizer: SavedTokenizer | None = None

    def make_tokenizer(self) -> SavedTokenizer:
        """Return what makes the tokens, of the texts for training."""
        raise NotImplementedError

    @property
    def tokenizer(self) -> SavedTokenizer:
        """What makes the tokens; the texts are read for it where there is none yet."""
        if self._tokenizer is None:
            self._tokenizer = self.make_tokenizer()
        return self._tokenizer

    @override
    def state_dict(self) -> dict[str, Any]:
        """Return the tokenizer, as plain values."""
        return {} if self._tokenizer is None else {"tokenizer": as_plain(self._tokenizer)}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the tokenizer of a checkpoint, and encode what is loaded already by it."""
        if "tokenizer" not in state_dict:
            return
        tokenizer = from_plain(state_dict["tokenizer"])
        if tokenizer != self._tokenizer:
            self._tokenizer = tokenizer
            self.make_again()
