"""Initial weights: Keras', where the books' results come from, and those of the first convolutional GANs."""

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


def normal_(module: nn.Module, std: float = 0.02) -> None:
    """Draw the weights of linear and convolution layers of ``module`` from N(0, std^2); their biases become 0."""
    for layer in module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, std=std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
