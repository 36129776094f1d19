"""Advantage actor-critic."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.protocols import Transition
from dlmodules.rl.policy_gradient import ValueCriticAgent
from dlmodules.rl.returns import gae
from dlmodules.rl.rollouts import Rollout
from dlmodules.validation.arguments import check_fractions, require_at_least


class A2C(ValueCriticAgent):
    """Advantage actor-critic: the policy does more often what turned out better than the critic had expected.

    A few steps of several environments make one update, after which they are forgotten. How much better is told by
    generalized advantages, and the critic learns the values that they amount to.

    Paper: Mnih et al. 2016, Asynchronous Methods for Deep Reinforcement Learning, arXiv:1602.01783; advantages of
        Schulman et al. 2016, arXiv:1506.02438.
    Books: vasilev 9.8, vasilev 9.10, atienza 10.5.1, atienza 10.6.2, atienza 10.7.

    Logged besides what every agent logs: ``train/policy_loss``, ``train/value_loss`` (mean squared error),
    ``train/entropy`` (nats, mean over the states seen), ``train/explained_variance`` (the part of the targets'
    variance that the critic had known before the update), each the mean over the updates of the last iteration.

    Args:
        n_steps: steps of each environment that make an update.
        lambda_: how far advantages follow the rewards before they trust the critic, in [0, 1].
        normalize_advantages: bring the advantages of an update to mean 0 and deviation 1.
        steps_per_iteration: environment steps, over all environments, between two looks at the budget and the logger;
            what is then left of ``n_steps`` makes a smaller update.
        **kwargs: those of ``ValueCriticAgent``.
    """

    data_parallel = True
    small_arguments: ClassVar[Mapping[str, Any]] = {"hidden_dims": [16, 16], "steps_per_iteration": 32}

    def __init__(
        self,
        n_steps: int = 5,
        lambda_: float = 1.0,
        normalize_advantages: bool = False,
        steps_per_iteration: int = 400,
        **kwargs: Any,
    ) -> None:
        super().__init__(steps_per_iteration=steps_per_iteration, **kwargs)
        require_at_least(1, n_steps=n_steps)
        check_fractions(lambda_=lambda_)
        self.n_steps, self.lambda_, self.normalize_advantages = n_steps, lambda_, normalize_advantages

    @override
    def observe(self, transition: Transition) -> None:
        """Keep a step of all environments, and make an update of every ``n_steps`` of them."""
        super().observe(transition)
        if self.kept_steps == self.n_steps:
            self._metrics.append(self.update_from(self.take_rollout()))

    @override
    def learn(self) -> dict[str, Tensor]:
        """Make an update of the steps that are left, and return the means over the updates of the iteration."""
        if self.kept_steps:
            self._metrics.append(self.update_from(self.take_rollout()))
        return self.take_means("policy_loss", "value_loss", "entropy", "explained_variance")

    @torch.enable_grad()
    def update_from(self, rollout: Rollout) -> Tensor:
        """Make one update.

        Returns:
            ``(4,)``: policy loss, value loss, entropy, explained variance.
        """
        seen = self.encode(rollout.observation)
        value = self.critic_values(seen)
        advantage = self.advantages(rollout, value.detach())
        target = advantage + value.detach()
        policy = self.policy(seen)
        weight = standardized(advantage) if self.normalize_advantages else advantage
        policy_loss = -(weight * policy.log_prob(rollout.action)).mean()
        value_loss = F.mse_loss(value, target)
        entropy = policy.entropy().mean()
        self.update(policy_loss + self.value_coefficient * value_loss - self.entropy_coefficient * entropy)
        known = explained_variance(value, target)
        return torch.stack([policy_loss, value_loss, entropy, known]).detach()

    @torch.no_grad()
    def advantages(self, rollout: Rollout, value: Tensor) -> Tensor:
        """Return the advantages ``(B,)`` of what was done, given the values ``(B,)`` of where it was done."""
        next_value = self.critic_values(self.encode(rollout.next_observation))
        reward = self.scaled(rollout.reward)
        shape, ends = reward.shape, (rollout.terminated, rollout.truncated)
        return gae(reward, *ends, value.view(shape), next_value.view(shape), self.gamma, self.lambda_).flatten()


def standardized(advantage: Tensor) -> Tensor:
    """Return advantages ``(B,)`` with mean 0 and deviation 1; a single one as it is."""
    if len(advantage) < 2:
        return advantage
    return (advantage - advantage.mean()) / (advantage.std() + 1e-8)


def explained_variance(value: Tensor, target: Tensor) -> Tensor:
    """Return the part of the variance of targets ``(B,)`` that values ``(B,)`` explain: 1 is all, below 0 is harm."""
    return 1 - (target - value).var(correction=0) / (target.var(correction=0) + 1e-8)
