"""A multilayer perceptron for the pixels of images or the columns of tables."""

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

from dlmodules.classifiers.classifier import Classifier
from dlmodules.errors import UserError
from dlmodules.layers.mlp import MLP
from dlmodules.validation.arguments import check_dropout, check_widths


class MLPClassifier(Classifier):
    """Two hidden layers of 256 units with dropout classify a digit: 269,322 parameters.

    Paper: Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors.
    Books: atienza 1.3.2, vasilev 3.10, vasilev 3.11, vasilev 1.14, vasilev 2.7, foster F2.1.

    Args:
        input_shape: shape of one input: channels, height and width of an image, or the columns of a table.
        num_classes: number of classes.
        hidden_dims: units of each hidden layer; an empty list leaves a linear classifier.
        activation: ``relu``, ``tanh``, ``sigmoid``, ``elu``, ``leaky_relu`` or ``linear``, for all hidden layers
            or one for each.
        dropout: probability in [0, 1) with which a hidden unit is dropped in training.
        **kwargs: arguments of ``Classifier``.
    """

    takes_rows: ClassVar[bool] = True

    def __init__(
        self,
        input_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        hidden_dims: Sequence[int] = (256, 256),
        activation: str | Sequence[str] = "relu",
        dropout: float = 0.45,
        **kwargs: Any,
    ) -> None:
        check_dropout(dropout)
        check_widths("hidden_dims", hidden_dims, fewest=0)
        activations = [activation] * len(hidden_dims) if isinstance(activation, str) else list(activation)
        if len(activations) != len(hidden_dims):
            raise UserError(
                f"{len(activations)} activations for {len(hidden_dims)} hidden layers: give one for each, or one name"
            )
        network = MLP(prod(input_shape), hidden_dims, num_classes, activations, dropout)
        super().__init__(network=network, num_classes=num_classes, input_shape=input_shape, **kwargs)
