"""Polyak averaging of a target network."""

from itertools import chain

import torch
from torch import Tensor, nn


class PolyakAverage:
    """Moves ``target`` towards ``online``: ``target += tau * (online - target)``; 1 copies.

    The tensors of both are listed once: to go through two networks takes longer than to move one. They stay those of
    the networks when these are moved to another device or load weights.

    Buffers that are no floating point numbers, such as counters, are copied whatever ``tau`` is.

    Args:
        target: the network that is moved.
        online: the network that is followed, of the same architecture.
        tau: how far, in (0, 1].
    """

    def __init__(self, target: nn.Module, online: nn.Module, tau: float = 1.0) -> None:
        pairs = list(zip(_tensors(target), _tensors(online), strict=True))
        self._averaged = [] if tau == 1.0 else [pair for pair in pairs if pair[0].is_floating_point()]
        self._copied = [pair for pair in pairs if tau == 1.0 or not pair[0].is_floating_point()]
        self.tau = tau

    @torch.no_grad()
    def update(self) -> None:
        """Move the target network once."""
        for old, new in self._averaged:
            old.lerp_(new, self.tau)
        for old, new in self._copied:
            old.copy_(new)


def _tensors(network: nn.Module) -> chain[Tensor]:
    return chain(network.parameters(), network.buffers())
