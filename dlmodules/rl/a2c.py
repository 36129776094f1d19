"""Advantage actor-critic."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.rl.policy_gradient import ValueCriticAgent
from dlmodules.rl.returns import gae
from dlmodules.validation.arguments import check_fractions


class A2C(ValueCriticAgent):
    """Advantage actor-critic: the policy does more often what turned out better than the critic had expected.

    A few steps of several environments make one update, after which they are forgotten. How much better is told by
    generalized advantages, and the critic learns the values that they amount to.

    Paper: Mnih et al. 2016, Asynchronous Methods for Deep Reinforcement Learning, arXiv:1602.01783; advantages of
        Schulman et al. 2016, arXiv:1506.02438.
    Books: vasilev 9.8, vasilev 9.10, atienza 10.5.1.

    Logged besides what every agent logs: ``train/policy_loss``, ``train/value_loss`` (mean squared error),
    ``train/entropy`` (nats, mean over the states seen), ``train/explained_variance`` (the part of the targets'
    variance that the critic had known before the update).

    Args:
        lambda_: how far advantages follow the rewards before they trust the critic, in [0, 1].
        normalize_advantages: bring the advantages of an update to mean 0 and deviation 1.
        steps_per_iteration: environment steps, over all environments, that make an update.
        **kwargs: those of ``ValueCriticAgent``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"hidden_dims": [16, 16], "steps_per_iteration": 32}

    def __init__(
        self,
        lambda_: float = 1.0,
        normalize_advantages: bool = False,
        steps_per_iteration: int = 40,
        **kwargs: Any,
    ) -> None:
        super().__init__(steps_per_iteration=steps_per_iteration, **kwargs)
        check_fractions(lambda_=lambda_)
        self.lambda_, self.normalize_advantages = lambda_, normalize_advantages

    @override
    def learn(self) -> dict[str, Tensor]:
        """Make one update from the steps of the iteration."""
        self.train()
        rollout = self.take_rollout()
        seen = self.encode(rollout.observation)
        value = self.state_values(seen)
        with torch.no_grad():
            next_value = self.state_values(self.encode(rollout.next_observation))
            advantage = gae(
                self.scaled(rollout.reward),
                rollout.terminated,
                rollout.truncated,
                value.view_as(rollout.reward),
                next_value.view_as(rollout.reward),
                self.gamma,
                self.lambda_,
            ).flatten()
            target = advantage + value
        policy = self.policy(seen)
        weight = standardized(advantage) if self.normalize_advantages else advantage
        policy_loss = -(weight * policy.log_prob(rollout.action)).mean()
        value_loss = F.mse_loss(value, target)
        entropy = policy.entropy().mean()
        self.update(policy_loss + self.value_coefficient * value_loss - self.entropy_coefficient * entropy)
        self.step_schedule()
        return {
            "policy_loss": policy_loss.detach(),
            "value_loss": value_loss.detach(),
            "entropy": entropy.detach(),
            "explained_variance": explained_variance(value.detach(), target),
        }


def standardized(advantage: Tensor) -> Tensor:
    """Return advantages ``(B,)`` with mean 0 and deviation 1; a single one as it is."""
    if len(advantage) < 2:
        return advantage
    return (advantage - advantage.mean()) / (advantage.std() + 1e-8)


def explained_variance(value: Tensor, target: Tensor) -> Tensor:
    """Return the part of the variance of targets ``(B,)`` that values ``(B,)`` explain: 1 is all, below 0 is harm."""
    return 1 - (target - value).var(correction=0) / (target.var(correction=0) + 1e-8)
