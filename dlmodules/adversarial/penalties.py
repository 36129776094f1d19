"""Penalties on a discriminator's slope, exact to the second derivative.

All are computed in float32, under mixed precision too: the square of a small slope underflows in half precision.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]


def slopes(critic: Critic, x: Tensor) -> Tensor:
    """Return the gradients ``(B, ...)`` of the outputs of ``critic`` with respect to their own images ``x``."""
    with torch.autocast(x.device.type, enabled=False), torch.enable_grad():
        x = x.detach().float().requires_grad_()
        found: tuple[Tensor, ...] = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return found[0]


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """Return ``E[(|grad D(x)| - 1)^2]`` at points drawn evenly between pairs of real and fake images.

    Args:
        critic: maps images ``(B, ...)`` to outputs ``(B,)``. Batch normalization in it would mix the images.
        real: images ``(B, ...)``.
        fake: as many fake images.
    """
    fraction = torch.rand([len(real)] + [1] * (real.ndim - 1), device=real.device)
    between = fraction * real.detach().float() + (1.0 - fraction) * fake.detach().float()
    lengths: Tensor = torch.linalg.vector_norm(slopes(critic, between).flatten(1), dim=1)
    return (lengths - 1.0).square().mean()


def r1_penalty(critic: Critic, real: Tensor) -> Tensor:
    """Return ``E[|grad D(x)|^2] / 2`` at real images ``(B, ...)``."""
    return 0.5 * slopes(critic, real).flatten(1).square().sum(dim=1).mean()
