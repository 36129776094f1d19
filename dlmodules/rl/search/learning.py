"""What a network of policy and value learns from positions of ended games."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dlmodules.protocols.games import Flags, Floats, Game, Integers
from dlmodules.protocols.self_play import Positions


class Examples(NamedTuple):
    """What a network is shown of B positions, and what is known of their actions.

    Attributes:
        planes: ``(B, C, H, W)``.
        legal: ``(B, A)``.
        policy: ``(B, A)``, the target of the policy.
    """

    planes: Floats
    legal: Flags
    policy: Floats


def examples_of(game: Game, positions: Positions) -> Examples:
    """Return what a network is shown of ``positions``."""
    return Examples(game.planes(positions.boards), game.legal(positions.boards), positions.policy)


def turned(game: Game, examples: Examples, which: Integers) -> Examples:
    """Return the positions turned by the symmetries of the game of the numbers ``which`` ``(B,)``."""
    squares = np.stack([symmetry.squares for symmetry in game.symmetries])[which]
    actions = np.stack([symmetry.actions for symmetry in game.symmetries])[which]
    flat = examples.planes.reshape(*examples.planes.shape[:2], -1)
    planes = np.take_along_axis(flat, squares[:, None], 2).reshape(examples.planes.shape)
    legal = np.take_along_axis(examples.legal, actions, 1)
    return Examples(planes, legal, np.take_along_axis(examples.policy, actions, 1))


def value_target(positions: Positions, search_fraction: float) -> Floats:
    """Return targets ``(B,)``: the outcome, and a fraction of what the search thought in its place.

    The outcome of a draw is 0, a target like any other.
    """
    target: Floats = (1 - search_fraction) * positions.outcome + search_fraction * positions.value
    return target.astype(np.float32)


def policy_loss(logits: Tensor, legal: Tensor, target: Tensor) -> Tensor:
    """Return the mean cross-entropy ``()`` of the policy among the legal actions, and its target.

    Args:
        logits: ``(B, A)``.
        legal: ``(B, A)`` bool; what is not legal gets no probability, and its logit no gradient.
        target: ``(B, A)``, 0 where an action is not legal.
    """
    log_probability = logits.masked_fill(~legal, -torch.inf).log_softmax(dim=1).masked_fill(~legal, 0.0)
    return -(target * log_probability).sum(dim=1).mean()
