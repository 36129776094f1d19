"""Backpropagation through time by hand, for the linear recurrent network with one number of state (vasilev 7.4)."""

from typing import NamedTuple

import torch
from torch import Tensor


class Gradients(NamedTuple):
    """The loss of a linear recurrent network, and what it changes by with each of its two weights; all are ``()``."""

    loss: Tensor
    u: Tensor
    w: Tensor


def states(x: Tensor, u: Tensor | float, w: Tensor | float) -> Tensor:
    """Return the states ``(B, T + 1)`` of ``s_t = s_{t-1} w + x_t u`` over sequences ``(B, T)``; the first is 0."""
    s = [x.new_zeros(len(x))]
    for x_t in x.unbind(dim=1):
        s.append(s[-1] * w + x_t * u)
    return torch.stack(s, dim=1)


def gradients(x: Tensor, y: Tensor, u: Tensor | float, w: Tensor | float) -> Gradients:
    """Return the mean squared error of the last states and its gradients, without autograd.

    The error's gradient at the last state is 2 (s_T - y). A step back in time multiplies it by w, so that of the state
    m steps before the end has a factor w ** m: it vanishes where |w| < 1 and explodes where |w| > 1.

    Args:
        x: sequences ``(B, T)``.
        y: targets ``(B,)``.
        u: weight of the input.
        w: weight of the state before.
    """
    s = states(x, u, w)
    error = s[:, -1] - y
    at_state = 2 * error / len(x)
    of_u, of_w = x.new_zeros(()), x.new_zeros(())
    for t in reversed(range(x.shape[1])):
        of_u = of_u + (at_state * x[:, t]).sum()
        of_w = of_w + (at_state * s[:, t]).sum()
        at_state = at_state * w
    return Gradients(error.square().mean(), of_u, of_w)
