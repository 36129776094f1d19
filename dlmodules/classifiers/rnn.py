"""Recurrent networks that process an image row by row."""

from collections.abc import Sequence
from typing import Any

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn

from dlmodules.classifiers.classifier import Classifier
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.layers.recurrent import Cell, last_state, make_recurrent
from dlmodules.validation.arguments import check_at_least_one, check_dropout


class RowRNN(nn.Module):
    """A recurrent layer over the rows of an image, top to bottom, then a linear layer from its last state."""

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        cell: Cell,
        hidden_dim: int,
        num_layers: int,
        bidirectional: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        channels, _, width = image_shape
        self.dropout = dropout
        self.recurrent = make_recurrent(cell, channels * width, hidden_dim, num_layers, bidirectional)
        self.head = nn.Linear(hidden_dim * (2 if bidirectional else 1), num_classes)
        glorot_uniform_(self.head)

    def hidden(self, x: Tensor) -> Tensor:
        """Return the last state ``(B, hidden_dim)``, of both directions where there are two."""
        rows = x.transpose(1, 2).flatten(2)  # (B, H, C * W)
        if self.training and self.dropout > 0:
            # As in Keras one mask serves all rows: a column that is dropped is dropped from the whole image.
            mask = torch.rand(len(rows), 1, rows.shape[2], device=rows.device) >= self.dropout
            rows = rows * mask / (1.0 - self.dropout)
        return last_state(self.recurrent, rows)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to logits ``(B, num_classes)``."""
        logits: Tensor = self.head(self.hidden(x))
        return logits


class RNNClassifier(Classifier):
    """A simple recurrent layer of 256 units classifies a digit by its 28 rows: 75,786 parameters.

    The book counts 75,530: torch's layer has a second bias of 256, which does nothing that the first does not.

    Paper: Elman 1990, Finding Structure in Time; Hochreiter & Schmidhuber 1997, Long Short-Term Memory.
    Books: atienza 1.5.1, atienza 1.5.V.

    Args:
        input_shape: channels, height and width of the images; the rows are the time steps.
        num_classes: number of classes.
        cell: ``rnn`` (tanh), ``lstm`` or ``gru``.
        hidden_dim: units of the recurrent layer, in each direction.
        num_layers: recurrent layers, each reading the states of the one before.
        bidirectional: read from the bottom up as well.
        dropout: probability in [0, 1) with which a column of the image is dropped in training.
        optimizer: makes the optimizer; the default is plain descent with Keras' rate of 0.01.
        **kwargs: arguments of ``Classifier``.
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        cell: Cell = "rnn",
        hidden_dim: int = 256,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.2,
        optimizer: OptimizerCallable = lambda p: torch.optim.SGD(p, lr=0.01),
        **kwargs: Any,
    ) -> None:
        check_dropout(dropout)
        check_at_least_one(hidden_dim=hidden_dim, num_layers=num_layers)
        network = RowRNN(input_shape, num_classes, cell, hidden_dim, num_layers, bidirectional, dropout)
        super().__init__(
            network=network, num_classes=num_classes, optimizer=optimizer, input_shape=input_shape, **kwargs
        )
