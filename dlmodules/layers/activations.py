"""Activation functions by the names that the books and configurations use."""

from collections.abc import Callable
from functools import partial

from torch import nn

from dlmodules.errors import UserError

KERAS_LEAK = 0.3  # Keras' default slope of the leaky ReLU

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "keras_leaky_relu": partial(nn.LeakyReLU, KERAS_LEAK),
    "linear": nn.Identity,
}


def make_activation(name: str) -> nn.Module:
    """Return a layer that applies the activation ``name``; a UserError lists the names where it is none of them."""
    if name not in ACTIVATIONS:
        raise UserError(f"activation {name!r} is unknown; choose one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]()
