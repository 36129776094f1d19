"""Polyak averaging of a target network."""

from itertools import chain

import torch
from torch import nn


@torch.no_grad()
def polyak_update(target: nn.Module, online: nn.Module, tau: float = 1.0) -> None:
    """Move ``target`` towards ``online``: ``target += tau * (online - target)``; 1 copies.

    Buffers that are no floating point numbers, such as counters, are copied whatever ``tau`` is.
    """
    pairs = zip(
        chain(target.parameters(), target.buffers()),
        chain(online.parameters(), online.buffers()),
        strict=True,
    )
    for old, new in pairs:
        if tau == 1.0 or not old.is_floating_point():
            old.copy_(new)
        else:
            old.lerp_(new, tau)
