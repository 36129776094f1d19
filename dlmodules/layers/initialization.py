"""Keras' initial weights, where the books' results come from."""

from torch import nn


def glorot_uniform_(module: nn.Module) -> None:
    """Give the linear and convolution layers of ``module`` Glorot-uniform weights and zero biases, in place."""
    for layer in module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def he_normal_(module: nn.Module) -> None:
    """Give the linear and convolution layers of ``module`` He-normal weights (by fan-in) and zero biases, in place."""
    for layer in module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
