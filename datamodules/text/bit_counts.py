"""Sequences of bits, and how many ones they have."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from typing_extensions import override

from datamodules.base.fields import FieldsDataset
from datamodules.base.in_memory import InMemoryDataModule
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.validation.arguments import check_at_least, check_at_least_one

BitSequence = Literal["random", "ten", "forty", "forty_one"]
TEN = "0000101010"
BOOK: dict[str, str] = {
    "ten": TEN,
    "forty": 4 * TEN,
    "forty_one": 3 * TEN + "0" + TEN,
}
"""The single sequences that vasilev trains on, by their lengths."""


class BitCountsDataModule(InMemoryDataModule[FieldsDataset[Batch], Batch]):
    """Batches ``(x, y)``: bits x ``(B, T)`` float32, 0 or 1, and y ``(B,)`` float32, how many of each row are ones.

    The sets are random sequences, of which each bit is a one with probability 1/2, and those for validation and test
    are longer: who counts does so at any length. With one of the book's sequences, that is all there is to train on:
    ``ten`` (vasilev 7.4, 3 ones), ``forty`` (of the code to vasilev 7.5, 12 ones) and ``forty_one`` (as printed
    there, one zero more). The test sequences are the same for every ``seed``.

    Args:
        sequence: ``random``, or the single training sequence ``ten``, ``forty`` or ``forty_one``.
        length: bits of a random training sequence.
        val_length: bits of a validation sequence.
        test_length: bits of a test sequence.
        train_size: random training sequences, 1 or more.
        val_size: validation sequences; 0 for none.
        test_size: test sequences; 0 for none.
        batch_size: sequences of a batch, 1 or more.
        **kwargs: of ``InMemoryDataModule``, all but ``train_transform``.

    Raises:
        UserError: for a number out of range, and for an unknown sequence.
    """

    # A single sequence makes a single batch, which has no order that a resumed run could take up.
    small_arguments: ClassVar[Mapping[str, Any]] = {
        "sequence": "random",
        "length": 10,
        "train_size": 64,
        "val_size": 8,
        "test_size": 8,
        "batch_size": 8,
    }
    unit = "sequences"

    def __init__(
        self,
        sequence: BitSequence = "random",
        length: int = 10,
        val_length: int = 20,
        test_length: int = 40,
        train_size: int = 1000,
        val_size: int = 200,
        test_size: int = 1000,
        batch_size: int = 32,
        **kwargs: Any,
    ) -> None:
        if sequence not in ("random", *BOOK):
            raise UserError(f"sequence is {sequence!r}; it must be random, {', '.join(BOOK)}")
        check_at_least_one(length=length, val_length=val_length, test_length=test_length, train_size=train_size)
        check_at_least(0, val_size=val_size, test_size=test_size)
        super().__init__(batch_size=batch_size, train_transform=None, **kwargs)
        self.sequence = sequence
        self.length = length
        self.val_length = val_length
        self.test_length = test_length
        self.train_size = train_size
        self.val_size = val_size
        self.test_size = test_size

    @property
    @override
    def class_names(self) -> list[str]:
        """No classes: the target is a number."""
        return []

    @override
    def make_train_and_val(self) -> tuple[FieldsDataset[Batch], FieldsDataset[Batch]]:
        draw = torch.Generator().manual_seed(self.seed)
        train = (
            book_sequence(self.sequence) if self.sequence in BOOK else self._random(self.train_size, self.length, draw)
        )
        return FieldsDataset(train), FieldsDataset(self._random(self.val_size, self.val_length, draw))

    @override
    def make_test(self) -> FieldsDataset[Batch]:
        # No change of seed may train on them.
        draw = torch.Generator().manual_seed(2**32 - 1)
        return FieldsDataset(self._random(self.test_size, self.test_length, draw))

    def _random(self, n: int, length: int, draw: torch.Generator) -> Batch:
        x = torch.randint(2, (n, length), generator=draw).float()
        return x, x.sum(dim=1)


def book_sequence(name: str) -> Batch:
    """Return one of the book's sequences ``(1, T)`` float32 and its number of ones ``(1,)``."""
    x = torch.tensor([[float(bit) for bit in BOOK[name]]])
    return x, x.sum(dim=1)
