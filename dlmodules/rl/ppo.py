"""Proximal policy optimization."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.rl.a2c import explained_variance, standardized
from dlmodules.rl.policy_gradient import ValueCriticAgent
from dlmodules.rl.returns import gae
from dlmodules.rl.rollouts import Rollout
from dlmodules.validation.arguments import check_fractions, check_positive, require_at_least


class PPO(ValueCriticAgent):
    """Proximal policy optimization: several updates from the same steps, none far from the policy that did them.

    Where an update has changed the probability of an action by more than ``clip_range`` in the direction in which its
    advantage draws it, the action draws no further.

    Paper: Schulman et al. 2017, Proximal Policy Optimization Algorithms, arXiv:1707.06347.
    Books: vasilev 9.9.

    Logged besides what every agent logs: ``train/policy_loss``, ``train/value_loss`` (mean squared error),
    ``train/entropy`` (nats), each the mean over the updates of the last iteration; ``train/clip_fraction`` (of the
    ratios, how many the clipping cut) and ``train/approx_kl`` (how far the policy has gone from the one that did the
    steps, in nats), of the last epoch; ``train/explained_variance`` (the part of the targets' variance that the critic
    had known before the updates).

    Args:
        lambda_: how far advantages follow the rewards before they trust the critic, in [0, 1].
        clip_range: how far the ratio of new to old probability may go from 1 before it is cut, above 0.
        minibatches: parts into which the steps of an iteration are cut; each is an update.
        epochs: how often they are gone through.
        normalize_advantages: bring the advantages of an update to mean 0 and deviation 1.
        steps_per_iteration: environment steps, over all environments, that are learnt from together.
        **kwargs: those of ``ValueCriticAgent``.
    """

    data_parallel = True
    small_arguments: ClassVar[Mapping[str, Any]] = {"hidden_dims": [16, 16], "steps_per_iteration": 32}

    def __init__(
        self,
        lambda_: float = 0.95,
        clip_range: float = 0.2,
        minibatches: int = 4,
        epochs: int = 10,
        normalize_advantages: bool = True,
        steps_per_iteration: int = 2_048,
        **kwargs: Any,
    ) -> None:
        super().__init__(steps_per_iteration=steps_per_iteration, **kwargs)
        check_fractions(lambda_=lambda_)
        check_positive(clip_range=clip_range)
        require_at_least(1, minibatches=minibatches, epochs=epochs)
        self.lambda_, self.clip_range = lambda_, clip_range
        self.minibatches, self.epochs = minibatches, epochs
        self.normalize_advantages = normalize_advantages

    @override
    def learn(self) -> dict[str, Tensor]:
        """Go through the steps of the iteration ``epochs`` times, in another order each time."""
        rollout = self.take_rollout()
        seen = self.encode(rollout.observation)
        old_log_prob, value, advantage = self.judge(rollout, seen)
        target = advantage + value
        metrics: list[Tensor] = []
        for _ in range(self.epochs):
            order = torch.randperm(len(seen), generator=self.generator).to(self.device)
            parts = order.tensor_split(min(self.minibatches, len(order)))
            metrics += [
                self.update_from(seen[part], rollout.action[part], old_log_prob[part], advantage[part], target[part])
                for part in parts
            ]
        self.step_schedule()
        policy_loss, value_loss, entropy, _, _ = torch.stack(metrics).mean(0)
        _, _, _, clip_fraction, approx_kl = torch.stack(metrics[-len(parts) :]).mean(0)
        return {
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": entropy,
            "clip_fraction": clip_fraction,
            "approx_kl": approx_kl,
            "explained_variance": explained_variance(value, target),
        }

    @torch.no_grad()
    def judge(self, rollout: Rollout, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return, each ``(B,)``, log-probabilities of what was done, values, and advantages, by the networks now."""
        value = self.critic_values(seen)
        next_value = self.critic_values(self.encode(rollout.next_observation))
        advantage = gae(
            self.scaled(rollout.reward),
            rollout.terminated,
            rollout.truncated,
            value.view_as(rollout.reward),
            next_value.view_as(rollout.reward),
            self.gamma,
            self.lambda_,
        )
        return self.policy(seen).log_prob(rollout.action), value, advantage.flatten()

    def update_from(
        self, seen: Tensor, action: Tensor, old_log_prob: Tensor, advantage: Tensor, target: Tensor
    ) -> Tensor:
        """Make one update from B steps.

        Args:
            seen: ``(B, ...)`` observations as ``encode`` returns them.
            action: ``(B, ...)``.
            old_log_prob: ``(B,)`` by the policy that did them.
            advantage: ``(B,)``.
            target: ``(B,)`` of the critic.

        Returns:
            ``(5,)``: policy loss, value loss, entropy, fraction of clipped ratios, approximate divergence.
        """
        policy = self.policy(seen)
        log_ratio = policy.log_prob(action) - old_log_prob
        weight = standardized(advantage) if self.normalize_advantages else advantage
        policy_loss = clipped_loss(log_ratio.exp(), weight, self.clip_range)
        value_loss = F.mse_loss(self.critic_values(seen), target)
        entropy = policy.entropy().mean()
        self.update(policy_loss + self.value_coefficient * value_loss - self.entropy_coefficient * entropy)
        with torch.no_grad():
            ratio = log_ratio.exp()
            clip_fraction = ((ratio - 1).abs() > self.clip_range).float().mean()
            approx_kl = (ratio - 1 - log_ratio).mean()  # never below 0, unlike the mean of the log-ratios
        return torch.stack([policy_loss.detach(), value_loss.detach(), entropy.detach(), clip_fraction, approx_kl])


def clipped_loss(ratio: Tensor, advantage: Tensor, clip_range: float) -> Tensor:
    """Return PPO's loss ``()``, of which the gradient is nothing where a ratio has gone far enough.

    Args:
        ratio: ``(B,)`` new probability of an action by the old one.
        advantage: ``(B,)``.
        clip_range: how far from 1 is far enough.
    """
    clipped = ratio.clamp(1 - clip_range, 1 + clip_range)
    return -torch.minimum(ratio * advantage, clipped * advantage).mean()
