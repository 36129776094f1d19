"""Greedy training: the layers of a stack learn one after the other, each on the features of those below."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.layers.rbm import BoltzmannLayer


class GreedyStack(nn.Module):
    """Boltzmann layers, each on the features of the one before.

    Args:
        layers: from the data up.
        epochs_per_layer: epochs that each learns for, 0 or more.
        k: Gibbs steps of contrastive divergence, 1 or more.
        chains: where each layer's Gibbs steps start and what they update; empty to start at the data.

    Raises:
        UserError: for a number out of range.
    """

    def __init__(
        self, layers: Sequence[BoltzmannLayer], epochs_per_layer: int, k: int = 1, chains: Sequence[Tensor] = ()
    ) -> None:
        super().__init__()
        if not layers or epochs_per_layer < 0 or k < 1:
            raise UserError("a stack needs 1 layer or more, epochs for each of 0 or more, and k of 1 or more")
        self.layers = nn.ModuleList(layers)
        self.epochs_per_layer = epochs_per_layer
        self.k = k
        # In the checkpoint, so that a resumed run continues the same chains.
        for index, chain in enumerate(chains):
            self.register_buffer(f"chain_{index}", chain)

    def __len__(self) -> int:
        """Return the number of layers."""
        return len(self.layers)

    def forward(self, v: Tensor) -> Tensor:
        """Return the features of the top layer."""
        return self.features(v, len(self))

    def features(self, v: Tensor, depth: int) -> Tensor:
        """Return what the lowest ``depth`` layers compute from visible units, as probabilities."""
        for layer in self.layers[:depth]:
            assert isinstance(layer, BoltzmannLayer)
            v = layer.features(v)
        return v

    def chain(self, index: int) -> Tensor | None:
        """Return the persistent samples of a layer; None where there are none."""
        return getattr(self, f"chain_{index}", None)

    def learning(self, epoch: int) -> int | None:
        """Return which layer learns in an epoch; None when all have."""
        index = epoch // self.epochs_per_layer if self.epochs_per_layer else len(self)
        return index if index < len(self) else None

    def contrastive_divergence(self, v: Tensor, index: int, first: bool = False) -> Tensor:
        """Return the contrastive divergence of one layer on visible units of the stack.

        The layers below stand for the data: they get no gradient, and their features are sampled as 0 or 1. In the
        ``first`` batch of an epoch a layer that has not learned yet sets its biases.
        """
        with torch.no_grad():
            below = v if index == 0 else torch.bernoulli(self.features(v, index))
        layer = self.layers[index]
        assert isinstance(layer, BoltzmannLayer)
        if first:
            layer.initialize_biases(below)
        return layer.contrastive_divergence(below, self.k, self.chain(index))


def touch(module: nn.Module) -> Tensor:
    """Return 0 as a function of all parameters: with it in a loss, distributed training finds a gradient for each."""
    return 0.0 * torch.stack([parameter.sum() for parameter in module.parameters()]).sum()


def silence(parameters: Iterable[nn.Parameter], learning: Iterable[nn.Parameter]) -> None:
    """Take the gradient from all ``parameters`` but those ``learning``: no optimizer moves what has none.

    A gradient of zeros would not do: momentum and weight decay move a parameter without one of its own.
    """
    kept = {id(parameter) for parameter in learning}
    for parameter in parameters:
        if id(parameter) not in kept:
            parameter.grad = None
