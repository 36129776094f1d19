"""Activation functions by the names that the books and configurations use."""

from torch import nn

from dlmodules.errors import UserError

KERAS_LEAK = 0.3  # Keras' default slope of the leaky ReLU

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "linear": nn.Identity,
}


def make_activation(name: str) -> nn.Module:
    """Return a layer that applies the activation ``name``; a UserError lists the names where it is none of them."""
    if name not in ACTIVATIONS:
        raise UserError(f"activation {name!r} is unknown; choose one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]()
