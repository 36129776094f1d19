"""Linear classifiers: one linear layer, by cross-entropy or by the perceptron rule."""

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor
from typing_extensions import override

from dlmodules.classifiers.classifier import Classifier
from dlmodules.layers.linear import Linear


class LogisticRegression(Classifier):
    """One linear layer gives the log-odds of the classes: 14 parameters for two classes of 6 numbers.

    Paper: Cox 1958, The regression analysis of binary sequences.
    Books: vasilev 1.2, vasilev 2.5.

    With two classes the probability of class 1 is the sigmoid of the difference of the two rows of weights.

    Args:
        input_shape: shape of one input, such as the number of columns of a table; it is flattened.
        num_classes: number of classes, 2 or more.
        optimizer: makes the optimizer.
        **kwargs: arguments of ``Classifier``.
    """

    takes_rows: ClassVar[bool] = True

    def __init__(
        self,
        input_shape: Sequence[int] = (6,),
        num_classes: int = 2,
        optimizer: OptimizerCallable = lambda p: torch.optim.SGD(p, lr=0.1),
        **kwargs: Any,
    ) -> None:
        network = Linear(prod(input_shape), num_classes)
        super().__init__(
            network=network, num_classes=num_classes, optimizer=optimizer, input_shape=input_shape, **kwargs
        )


class Perceptron(Classifier):
    """Rosenblatt's perceptron, whose weights change on mistakes only: 8 parameters for two classes of 3 numbers.

    Paper: Rosenblatt 1958, The perceptron, doi:10.1037/h0042519.
    Books: vasilev 1.12.

    Each class has a score, linear in the input, and the largest wins. Where a wrong class wins, plain gradient
    descent at rate 1 on single inputs adds the input to the weights of the right class and subtracts it from those
    of the winner, which is the perceptron rule.

    Args:
        input_shape: shape of one input, such as the number of columns of a table; it is flattened.
        num_classes: number of classes, 2 or more.
        optimizer: makes the optimizer; anything but SGD without momentum is another rule.
        **kwargs: arguments of ``Classifier``.
    """

    takes_rows: ClassVar[bool] = True

    def __init__(
        self,
        input_shape: Sequence[int] = (3,),
        num_classes: int = 2,
        optimizer: OptimizerCallable = lambda p: torch.optim.SGD(p, lr=1.0),
        **kwargs: Any,
    ) -> None:
        network = Linear(prod(input_shape), num_classes)
        super().__init__(
            network=network, num_classes=num_classes, optimizer=optimizer, input_shape=input_shape, **kwargs
        )

    @override
    def loss(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return the mean lead ``(B,)`` of the winning score over the right one: 0 where the right class wins."""
        # With the winner's index, not by max(): in a tie that is lost the lead is 0, and its gradient is still
        # that of a mistake.
        each = torch.arange(len(logits), device=logits.device)
        return (logits[each, logits.argmax(dim=1)] - logits[each, y]).mean()
