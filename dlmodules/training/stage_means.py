"""Means over the batches of validation and of test, by name."""

from collections.abc import Sequence

from torch import nn
from torchmetrics import MeanMetric


class StageMeans(nn.ModuleDict):
    """A ``MeanMetric`` for each name in ``val``, and another in ``test``. Nothing of it is in a checkpoint.

    Args:
        names: of what is averaged, such as ``masked_loss``.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__({f"{stage}_{name}": MeanMetric() for stage in ("val", "test") for name in names})
        self.names = tuple(names)

    def of(self, stage: str) -> dict[str, MeanMetric]:
        """Return the means of ``val`` or ``test`` by their names."""
        found = {}
        for name in self.names:
            mean = self[f"{stage}_{name}"]
            assert isinstance(mean, MeanMetric)  # torch types what is in a ModuleDict as modules
            found[name] = mean
        return found
