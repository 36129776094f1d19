"""Base of the agents that learn the values of all actions by a network."""

from collections.abc import Sequence

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.rl.base import Agent
from dlmodules.rl.exploration import epsilon_greedy
from dlmodules.rl.normalization import NormalizedNetwork, RewardNormalizer
from dlmodules.rl.spaces import check_outputs, example_inputs_of, example_observation
from dlmodules.training.schedules import with_schedule
from dlmodules.validation.arguments import check_fractions, check_positive


class ActionValueAgent(Agent):
    """Acts by the largest of the values that a network gives, and explores by random actions.

    A child defines ``make_network``, ``epsilon``, ``observe`` and ``learn``, which learns from ``scaled`` rewards.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        hidden_dims: units of the hidden layers of the default network.
        network: maps observations ``(B, ...)`` to values ``(B, num_actions)``; None builds that of ``make_network``.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each iteration; None keeps it constant.
        gamma: discount of the next value, in [0, 1].
        steps_per_iteration: environment steps of an iteration, over all environments.
        max_grad_norm: largest norm of the gradient; None does not clip.
        reward_scale: factor, above 0, of the rewards that are learnt from; the values have it too.
        normalize_observations: give the network observations of mean 0 and deviation 1 (``NormalizedNetwork``).
        normalize_rewards: learn from rewards divided by the deviation of the return (``RewardNormalizer``).
    """

    def __init__(
        self,
        observation_dim: int,
        num_actions: int,
        hidden_dims: Sequence[int],
        network: nn.Module | None,
        optimizer: OptimizerCallable,
        scheduler: LRSchedulerCallable | None,
        gamma: float,
        steps_per_iteration: int,
        max_grad_norm: float | None,
        reward_scale: float,
        normalize_observations: bool,
        normalize_rewards: bool,
    ) -> None:
        super().__init__(steps_per_iteration, max_grad_norm)
        check_fractions(gamma=gamma)
        check_positive(reward_scale=reward_scale)
        self.num_actions = num_actions
        network = self.make_network(observation_dim, num_actions, hidden_dims) if network is None else network
        self.network = NormalizedNetwork(network, (observation_dim,)) if normalize_observations else network
        self.reward_normalizer = RewardNormalizer(gamma) if normalize_rewards else nn.Identity()
        self.optimizer, self.scheduler = optimizer, scheduler
        self.gamma, self.reward_scale = gamma, reward_scale

    def make_network(self, observation_dim: int, num_actions: int, hidden_dims: Sequence[int]) -> nn.Module:
        """Return the default network."""
        raise NotImplementedError

    def forward(self, observation: Tensor) -> Tensor:
        """Return the values ``(B, num_actions)`` of observations ``(B, ...)``."""
        values: Tensor = self.network(observation)
        return values

    @override
    def setup(self, stage: str) -> None:
        """Check that network and environment fit. Raises UserError."""
        super().setup(stage)
        observation = example_observation(self.environments).to(self.device)
        number = self.environments.num_actions
        check_outputs(self.network, observation, number, self, hint=f": set num_actions={number}")

    @property
    def epsilon(self) -> float:
        """The probability of a random action now."""
        raise NotImplementedError

    def exploration(self) -> dict[str, Tensor]:
        """Return what is logged of how the agent explores."""
        return {"epsilon": torch.tensor(self.epsilon)}

    @override
    def explore(self, observation: Tensor) -> Tensor:
        """Return random actions with probability ``epsilon``, else the best known."""
        return epsilon_greedy(self.act, observation, self.num_actions, self.epsilon, self.generator)

    @torch.no_grad()
    def act(self, observation: Tensor) -> Tensor:
        """Return the actions ``(N,)`` of highest value."""
        values: Tensor = self(observation.to(self.device))
        return values.argmax(dim=1)

    def scaled(self, reward: Tensor) -> Tensor:
        """Return rewards ``(...)`` as they are learnt from."""
        scaled: Tensor = self.reward_scale * self.reward_normalizer(reward)
        return scaled

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = self.optimizer(self.network.parameters())
        return with_schedule(optimizer, self.scheduler)

    def example_batch(self, n: int) -> Tensor:
        """Return ``n`` made-up observations: ``(n, observation_dim)`` in [0, 1), or pictures for such a network."""
        return example_inputs_of(self.network, self.hparams["observation_dim"], n, self.device)
