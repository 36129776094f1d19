"""Deep Q-learning of distributions."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.protocols import Transition
from dlmodules.rl.distributional import project_distribution
from dlmodules.rl.dqn import DQN
from dlmodules.rl.networks import CategoricalQNetwork
from dlmodules.validation.arguments import require_at_least


class C51(DQN):
    """Learn the distribution of the return of each action over a grid of values, and act by its mean.

    Paper: Bellemare et al. 2017, A Distributional Perspective on Reinforcement Learning, arXiv:1707.06887.
    Books: vasilev 9.2.

    The error, which is also the loss, is by how much the distribution predicted falls short of the projected one that
    was found: their Kullback-Leibler divergence, whose gradient is that of the cross-entropy.

    Args:
        num_atoms: values of the grid, at least 2.
        v_min: the least value.
        v_max: the largest; returns beyond either count as that.
        network: maps observations ``(B, ...)`` to logits ``(B, num_actions, num_atoms)``; None builds
            ``CategoricalQNetwork``.
    """

    support: Tensor

    def __init__(
        self,
        num_atoms: int = 51,
        v_min: float = -10.0,
        v_max: float = 10.0,
        network: nn.Module | None = None,
        **kwargs: Any,
    ) -> None:
        require_at_least(2, num_atoms=num_atoms)
        if not v_min < v_max:
            raise UserError(f"v_min is {v_min} and v_max {v_max}; v_min must be below v_max")
        self.num_atoms = num_atoms  # before the networks are made of it
        super().__init__(network=network, loss="mse", **kwargs)
        self.register_buffer("support", torch.linspace(v_min, v_max, num_atoms))

    @override
    def make_network(self, observation_dim: int, num_actions: int, hidden_dims: Sequence[int]) -> nn.Module:
        """Return a ``CategoricalQNetwork``."""
        return CategoricalQNetwork(observation_dim, num_actions, self.num_atoms, hidden_dims)

    def distribution(self, observation: Tensor) -> Tensor:
        """Return the probabilities ``(B, num_actions, num_atoms)`` of each return."""
        return self._logits(self.network, observation).softmax(dim=2)

    @override
    def forward(self, observation: Tensor) -> Tensor:
        """Return the mean returns ``(B, num_actions)`` of observations ``(B, ...)``."""
        return self.distribution(observation) @ self.support

    def next_distribution(self, next_observation: Tensor) -> Tensor:
        """Return the distribution ``(B, num_atoms)`` from which an update bootstraps: that of the best action."""
        distribution = self._logits(self.target_network, next_observation).softmax(dim=2)
        return take_action(distribution, (distribution @ self.support).argmax(dim=1))

    @override
    def td_error(self, batch: Transition) -> Tensor:
        """Return the divergences ``(B,)`` of the distributions from their targets, which have no gradient."""
        with torch.no_grad():
            following = self.next_distribution(batch.next_observation)
            target = project_distribution(following, batch.reward, batch.terminated, self.discount(batch), self.support)
        logits = take_action(self._logits(self.network, batch.observation), batch.action)
        return F.kl_div(logits.log_softmax(dim=1), target, reduction="none").sum(dim=1)

    @override
    def losses(self, error: Tensor) -> Tensor:
        """Return the errors ``(B,)`` as they are."""
        return error

    def _logits(self, network: nn.Module, observation: Tensor) -> Tensor:
        logits: Tensor = network(observation)
        if logits.dim() != 3 or logits.shape[2] != self.num_atoms:
            raise UserError(
                f"the network gives shape {tuple(logits.shape[1:])} for an observation, not (actions, num_atoms):"
                f" it must give {self.num_atoms} logits for each action"
            )
        return logits


def take_action(values: Tensor, action: Tensor) -> Tensor:
    """Return ``(B, K)``: of ``values`` ``(B, A, K)`` those of the actions ``(B,)``."""
    return values[torch.arange(len(values), device=values.device), action]
