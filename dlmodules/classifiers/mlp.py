"""A multilayer perceptron that reads images pixel by pixel."""

import itertools
from collections.abc import Sequence
from math import prod

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn

from dlmodules.classifiers.classifier import Classifier
from dlmodules.errors import UserError
from dlmodules.layers.initialization import glorot_uniform_


class MLP(nn.Module):
    """Flatten, then [linear, ReLU, dropout] for each hidden layer, then a linear layer to the logits."""

    def __init__(self, in_features: int, hidden_dims: Sequence[int], num_classes: int, dropout: float) -> None:
        super().__init__()
        dims = [in_features, *hidden_dims]
        hidden: list[nn.Module] = [nn.Flatten()]
        for before, after in itertools.pairwise(dims):
            hidden += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        self.hidden = nn.Sequential(*hidden)
        self.head = nn.Linear(dims[-1], num_classes)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, ...)`` to logits ``(B, num_classes)``."""
        logits: Tensor = self.head(self.hidden(x))
        return logits


class MLPClassifier(Classifier):
    """Two hidden layers of 256 units with dropout read a digit: 269,322 parameters.

    Paper: Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors.
    Books: atienza 1.3.2.

    Args:
        image_shape: channels, height and width of the images.
        num_classes: number of classes.
        hidden_dims: units of each hidden layer.
        dropout: probability in [0, 1) with which a hidden unit is dropped in training.
        optimizer: makes the optimizer; the book's is Adam with Keras' defaults.
        scheduler: makes a schedule of the learning rate, stepped after each epoch; None, the book's, keeps it.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        hidden_dims: Sequence[int] = (256, 256),
        dropout: float = 0.45,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3, eps=1e-7),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        if not 0.0 <= dropout < 1.0:
            raise UserError(f"dropout is {dropout}; it must lie in [0, 1)")
        super().__init__(MLP(prod(image_shape), hidden_dims, num_classes, dropout), num_classes, optimizer, scheduler)
        self.input_shape = tuple(image_shape)

    def features(self, x: Tensor) -> Tensor:
        """Return the activations ``(B, hidden_dims[-1])`` of the last hidden layer for images in [0, 1]."""
        hidden: Tensor = self.network.hidden(x)  # type: ignore[operator]
        return hidden
