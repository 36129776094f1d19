"""Prediction by temporal differences with a network in place of a table."""

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.protocols import Transition
from dlmodules.rl.evaluation import observations_of, play_episodes
from dlmodules.rl.exploration import Epsilon
from dlmodules.rl.semi_gradient import SemiGradientAgent


class SemiGradientTD(SemiGradientAgent):
    """TD(0) with a network: the value of each state under a fixed policy, which does all actions alike.

    Paper: Tsitsiklis and Van Roy 1997, An analysis of temporal-difference learning with function approximation,
    doi:10.1109/9.580874.
    Books: vasilev 8.14.

    Logged besides what every agent logs: ``train/td_loss`` (half of the mean squared error), ``test/value`` (mean value
    of the first observations of the test episodes) and ``test/policy_return`` (mean return of the policy from there,
    which with ``gamma`` 1 the value should be).

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        network: maps observations ``(B, ...)`` to values ``(B, 1)``; None builds an ``MLPQNetwork`` of 64 units.
        optimizer: makes the optimizer.
        gamma: discount of the next value, in [0, 1].
        steps_per_iteration: environment steps between two looks at the budget and the logger.
    """

    def __init__(
        self,
        observation_dim: int = 4,
        num_actions: int = 2,
        network: nn.Module | None = None,
        optimizer: OptimizerCallable = lambda p: torch.optim.SGD(p, lr=1e-2),
        gamma: float = 0.99,
        steps_per_iteration: int = 256,
    ) -> None:
        super().__init__(observation_dim, 1, network, optimizer, gamma, Epsilon(1.0), steps_per_iteration)
        self.num_actions = num_actions

    @override
    def explore(self, observation: Tensor) -> Tensor:
        """Return actions of which each is equally probable."""
        return torch.randint(self.num_actions, (len(observation),), generator=self.generator)

    def act(self, observation: Tensor) -> Tensor:
        """Return the first action ``(N,)`` everywhere: the policy prefers none."""
        return torch.zeros(len(observation), dtype=torch.int64)

    @override
    def value(self, transition: Transition) -> Tensor:
        """Return the values ``(N,)`` of the states."""
        values: Tensor = self.network(transition.observation)
        return values.squeeze(1)

    @override
    def next_value(self, transition: Transition) -> Tensor:
        """Return the values ``(N,)`` of the next states."""
        values: Tensor = self.network(transition.next_observation)
        return values.squeeze(1)

    @override
    def test_step(self, seeds: list[int], batch_idx: int) -> None:
        """Log ``test/value`` and ``test/policy_return`` besides what every agent logs."""
        super().test_step(seeds, batch_idx)
        envs = self.environments.evaluation_envs("test")
        begin = observations_of(envs[0], [envs[0].reset(seed=seed)[0] for seed in seeds])
        returns, _ = play_episodes(self.explore, envs, seeds)
        value = self(begin.to(self.device)).mean()
        self.log_dict({"test/value": value, "test/policy_return": returns.mean()}, batch_size=1)
