"""Numbers to sort: sequences whose targets are places in themselves."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from datamodules.base.in_memory import InMemoryDataModule
from dlmodules.errors import UserError
from dlmodules.protocols import IGNORED, Batch
from dlmodules.validation.arguments import check_at_least, check_at_least_one


class NumbersToSort(Dataset[Batch]):
    """Sequences of numbers, each a function of its index and a seed.

    Args:
        size: how many sequences.
        shortest: numbers of a sequence at least.
        longest: numbers of a sequence at most.
        seed: of the draws.
    """

    def __init__(self, size: int, shortest: int, longest: int, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.numbers = torch.rand(size, longest, 1, generator=draw)
        self.lengths = torch.randint(shortest, longest + 1, (size,), generator=draw)
        behind = torch.arange(longest) >= self.lengths[:, None]
        keys = self.numbers[:, :, 0].masked_fill(behind, 2.0)
        self.order = keys.argsort(dim=1).masked_fill(behind, IGNORED)
        self.numbers[behind] = 0.0

    def __len__(self) -> int:
        return len(self.lengths)

    @override
    def __getitem__(self, index: int) -> Batch:
        """Return the numbers ``(N, 1)`` of a sequence and their order ``(N,)``."""
        numbers, order = self.__getitems__([index])
        return numbers[0], order[0]

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return numbers ``(B, N, 1)`` and their orders ``(B, N)``, as long as the longest of them."""
        rows = torch.as_tensor(indices)
        width = int(self.lengths[rows].max())
        return self.numbers[rows, :width], self.order[rows, :width]


class SortingDataModule(InMemoryDataModule[NumbersToSort, Batch]):
    """Batches ``(x, y)``: numbers x ``(B, N, 1)`` float32 in [0, 1), and y ``(B, N)`` int64, their places by size.

    ``y[b, 0]`` is the place of the smallest. Behind a shorter sequence x is 0 and y is -100. Sequences for training
    and validation have ``shortest`` to ``longest`` numbers; those for the test have ``test_length`` and are the same
    for every ``seed``.

    Args:
        shortest: numbers of a sequence at least, 2 or more.
        longest: numbers of a sequence at most.
        test_length: numbers of a test sequence; None for ``longest``.
        train_size: training sequences, 1 or more.
        val_size: validation sequences; 0 for none.
        test_size: test sequences; 0 for none.
        batch_size: sequences of a batch, 1 or more.
        **kwargs: of ``InMemoryDataModule``, all but ``train_transform``.

    Raises:
        UserError: for a number out of range.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "shortest": 5,
        "longest": 5,
        "train_size": 64,
        "val_size": 8,
        "test_size": 8,
        "batch_size": 8,
    }
    unit = "sequences"

    def __init__(
        self,
        shortest: int = 5,
        longest: int = 10,
        test_length: int | None = None,
        train_size: int = 100_000,
        val_size: int = 1000,
        test_size: int = 2000,
        batch_size: int = 128,
        **kwargs: Any,
    ) -> None:
        check_at_least(2, shortest=shortest, test_length=test_length)
        check_at_least_one(train_size=train_size)
        check_at_least(0, val_size=val_size, test_size=test_size)
        if longest < shortest:
            raise UserError(f"longest is {longest}; it must be shortest={shortest} or more")
        super().__init__(batch_size=batch_size, train_transform=None, **kwargs)
        self.shortest, self.longest = shortest, longest
        self.test_length = longest if test_length is None else test_length
        self.train_size, self.val_size, self.test_size = train_size, val_size, test_size

    @property
    @override
    def class_names(self) -> list[str]:
        """No classes: the targets are places."""
        return []

    @override
    def make_train_and_val(self) -> tuple[NumbersToSort, NumbersToSort]:
        lengths = self.shortest, self.longest
        return (
            NumbersToSort(self.train_size, *lengths, seed=2 * self.seed),
            NumbersToSort(self.val_size, *lengths, seed=2 * self.seed + 1),
        )

    def example_pairs(self, n: int) -> list[tuple[str, str]]:
        """Return at most ``n`` sequences of the validation, or of the training where it has none, and them sorted."""
        self.setup("fit")
        assert self.train_set is not None
        assert self.val_set is not None
        shown = self.val_set if len(self.val_set) else self.train_set
        pairs = []
        for index in range(min(n, len(shown))):
            numbers, order = shown[index]
            words = [f"{number:.3f}" for number in numbers[:, 0].tolist()]
            pairs.append((" ".join(words), " ".join(words[place] for place in order.tolist())))
        return pairs

    @override
    def make_test(self) -> NumbersToSort:
        # No change of seed may train on them.
        return NumbersToSort(self.test_size, self.test_length, self.test_length, seed=2**32 - 1)
