"""A classifier of texts."""

from typing import Any

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.classifiers.classifier import Classifier
from dlmodules.classifiers.text_networks import TextRNN
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.sampling.examples import example_labels
from dlmodules.validation.images import inputs_in_words


class TextClassifier(Classifier):
    """Classify film reviews as positive or negative; an LSTM of 328,481 parameters by default.

    Batches are ``(tokens, y)``: token ids ``(B, T)`` int64, 0 for padding, which changes nothing. For two classes the
    network has one logit, and the loss is its binary cross-entropy.

    Paper: Hochreiter & Schmidhuber 1997, Long Short-Term Memory; Elman 1990, Finding Structure in Time.
    Books: lab L5, lab L6, lab L7.

    Args:
        network: maps token ids ``(B, T)`` to logits ``(B, 1)`` for two classes, else ``(B, num_classes)``; None
            builds the LSTM, ``TextRNN(cell="lstm")``.
        num_classes: number of classes; labels are ``(B,)`` int64 in ``[0, num_classes)``.
        optimizer: makes the optimizer; the book's is RMSprop with Keras' defaults.
        **kwargs: arguments of ``Classifier``.
    """

    def __init__(
        self,
        network: nn.Module | None = None,
        num_classes: int = 2,
        optimizer: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=1e-3, alpha=0.9, eps=1e-7),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            network=network or TextRNN(cell="lstm", num_classes=num_classes),
            num_classes=num_classes,
            optimizer=optimizer,
            input_shape=None,
            **kwargs,
        )
        self.example_input_array = torch.tensor([[0, 0, 4, 5], [6, 7, 8, 9], [0, 2, 3, 2], [1, 9, 1, 3]])

    @override
    def check_inputs(self, x: Tensor) -> None:
        if x.is_floating_point() or x.ndim != 2:
            raise UserError(
                f"{type(self).__name__} takes token ids (B, T), but the data give {inputs_in_words(x)}: choose another"
                " --data, such as IMDBDataModule, TextTableDataModule or ToySentimentDataModule"
            )

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the logits ``(B, num_classes)`` of token ids ``(B, T)``; the first of two classes has logit 0.

        Of logits 0 and z the softmax is the sigmoid of z, and the cross-entropy the binary one.
        """
        logits: Tensor = self.network(x)
        if self.num_classes == 2 and logits.shape[1] == 1:
            return F.pad(logits, (1, 0))
        if logits.shape[1] != self.num_classes:
            raise UserError(
                f"the network has {logits.shape[1]} logits for num_classes={self.num_classes}:"
                " set the same number of classes for the module and its network"
            )
        return logits

    def example_batch(self, n: int) -> Batch:
        """Return ``n`` made-up texts ``(n, 4)`` of words below 10, some padded, and labels of each class in turn."""
        assert self.example_input_array is not None
        tokens = self.example_input_array[torch.arange(n) % len(self.example_input_array)]
        return tokens.to(self.device), example_labels(n, self.num_classes, self.device)
