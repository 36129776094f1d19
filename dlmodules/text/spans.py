"""Spans of words, such as answers within a document, and how many of them are found."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from typing_extensions import override


def spans_of(tags: Tensor) -> list[tuple[int, int]]:
    """Return the runs of tags ``(D,)`` that are true: ``(first, one behind the last)`` of each."""
    edges = torch.diff(tags.int(), prepend=tags.new_zeros(1, dtype=torch.int32), append=tags.new_zeros(1).int())
    firsts, ends = ((edges == way).nonzero().flatten().tolist() for way in (1, -1))
    return list(zip(firsts, ends, strict=True))


class SpanF1(Metric):
    """The F1 score of spans: one is found where its first and its last word are right (Tjong Kim Sang 2003).

    Twice the spans that are right, divided by those that were found and those that there are; 0 without any.
    """

    higher_is_better = True
    full_state_update = False
    right: Tensor
    there: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("right", "there"):
            self.add_state(name, torch.tensor(0), dist_reduce_fx="sum")

    @override
    def update(self, found: Tensor, wanted: Tensor) -> None:
        """Compare tags ``(B, D)``, bool, with those that are wanted."""
        for row, other in zip(found, wanted, strict=True):
            own, true = set(spans_of(row)), set(spans_of(other))
            self.right += 2 * len(own & true)
            self.there += len(own) + len(true)

    @override
    def compute(self) -> Tensor:
        """Return the score in [0, 1]."""
        return self.right / self.there.clamp(min=1)
