"""A multilayer perceptron that predicts a number, and the box function with weights set by hand."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import nn

from dlmodules.errors import UserError
from dlmodules.layers.mlp import MLP
from dlmodules.regression.linear import LinearRegression
from dlmodules.validation.arguments import check_widths


class MLPRegression(LinearRegression):
    """Predict a number by a multilayer perceptron: 7 parameters for one input and 2 logistic units.

    Two logistic units make a box, and boxes side by side approximate any function: see ``wire_box``. It logs what
    ``LinearRegression`` logs.

    Paper: Cybenko 1989, Approximation by superpositions of a sigmoidal function; Hornik 1991.
    Books: vasilev 2.3.

    Args:
        input_shape: shape of one input, such as the number of columns of a table; it is flattened.
        hidden_dims: units of each hidden layer.
        activation: ``relu``, ``tanh``, ``sigmoid``, ``elu``, ``leaky_relu`` or ``linear``, for all hidden layers.
        optimizer: makes the optimizer.
        **kwargs: arguments of ``LinearRegression``.
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (1,),
        hidden_dims: Sequence[int] = (2,),
        activation: str = "sigmoid",
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3, eps=1e-7),
        **kwargs: Any,
    ) -> None:
        check_widths("hidden_dims", hidden_dims, fewest=0)
        super().__init__(input_shape=input_shape, bias=True, optimizer=optimizer, **kwargs)
        self.network = MLP(prod(input_shape), hidden_dims, 1, [activation] * len(hidden_dims), dropout=0.0)


def wire_box(
    module: MLPRegression, left: float = -5.0, right: float = 5.0, height: float = 7.0, steepness: float = 1000.0
) -> None:
    """Set the weights of a 1-2-1 network by hand: ``height`` between ``left`` and ``right``, 0 elsewhere.

    The first logistic unit steps up at ``left``, the second at ``right``; their difference is the box. A step is at
    minus the bias over the weight, and the larger the weight, ``steepness``, the steeper it is. Raises UserError
    for a module that has not one input and two logistic units.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    shapes = [tuple(layer.weight.shape) for layer in layers]
    if shapes != [(2, 1), (1, 2)] or not any(isinstance(layer, nn.Sigmoid) for layer in module.modules()):
        raise UserError("wire_box sets the weights of one input, two logistic units and one output, and of no other")
    hidden, output = layers
    with torch.no_grad():
        hidden.weight.fill_(steepness)
        hidden.bias.copy_(torch.tensor([-steepness * left, -steepness * right]))
        output.weight.copy_(torch.tensor([[height, -height]]))
        output.bias.zero_()
