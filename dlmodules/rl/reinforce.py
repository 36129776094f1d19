"""REINFORCE, and REINFORCE with a baseline."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.protocols import Transition
from dlmodules.rl.episodes import Episodes
from dlmodules.rl.policy_gradient import PolicyGradientAgent, ValuesStates
from dlmodules.rl.returns import gae, lambda_return
from dlmodules.rl.rollouts import Rollout
from dlmodules.validation.arguments import require_at_least


class REINFORCE(PolicyGradientAgent):
    """Makes what was done in an episode more probable, by as much as it was followed by.

    Every action is weighted by the discounted rewards that came after it, to the end of its episode. With several
    environments side by side an episode may have begun under the policy before; with one (``num_envs: 1``) none has.

    Paper: Williams 1992, Simple statistical gradient-following algorithms for connectionist reinforcement learning,
        doi:10.1007/BF00992696.
    Books: vasilev 9.4, vasilev 9.5, atienza 10.1, atienza 10.2.1, atienza 10.7.

    Logged besides what every agent logs: ``train/policy_loss``, ``train/entropy`` (nats, mean over the states seen),
    each the mean over the updates of the last iteration that made one.

    Args:
        episodes_per_update: whole episodes that make an update.
        discount_start: weight step t of an episode by ``gamma`` to the power of t too, as the theorem for discounted
            returns has it (atienza 10.2.1); late steps are then hardly learnt from.
        steps_per_iteration: environment steps, over all environments, between two looks at the budget and the logger.
        **kwargs: those of ``PolicyGradientAgent``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"hidden_dims": [16, 16], "steps_per_iteration": 32}
    metrics: ClassVar[Sequence[str]] = ("policy_loss", "entropy")

    def __init__(
        self,
        episodes_per_update: int = 1,
        discount_start: bool = False,
        steps_per_iteration: int = 500,
        **kwargs: Any,
    ) -> None:
        super().__init__(steps_per_iteration=steps_per_iteration, **kwargs)
        require_at_least(1, episodes_per_update=episodes_per_update)
        self.episodes_per_update, self.discount_start = episodes_per_update, discount_start
        self.episodes = Episodes()
        self._last_metrics: Tensor | None = None

    @override
    def setup(self, stage: str) -> None:
        """Check that network and environment fit. Raises UserError."""
        super().setup(stage)
        self.episodes = Episodes()
        self._last_metrics = None

    @override
    def observe(self, transition: Transition) -> None:
        """Keep a step of all environments, and make an update where enough episodes have ended."""
        self.episodes.add(transition)
        if len(self.episodes.ended) >= self.episodes_per_update:
            episodes = [episode.to(self.device) for episode in self.episodes.take()]
            self._metrics.append(self.update_from(episodes))

    @override
    def learn(self) -> dict[str, Tensor]:
        """Return what is logged: what was learnt was learnt as episodes ended."""
        if self._metrics:
            self._last_metrics, self._metrics = torch.stack(self._metrics).mean(0), []
        self.step_schedule()
        return {} if self._last_metrics is None else dict(zip(self.metrics, self._last_metrics, strict=True))

    @torch.enable_grad()
    def update_from(self, episodes: Sequence[Rollout]) -> Tensor:
        """Make one update from whole episodes.

        Returns:
            ``(2,)``: policy loss, entropy.
        """
        seen, action = self.steps_of(episodes)
        weight = torch.cat([self.returns(episode) * self.discounts(episode) for episode in episodes])
        policy = self.policy(seen)
        policy_loss = -(weight * policy.log_prob(action)).mean()
        entropy = policy.entropy().mean()
        self.update(policy_loss - self.entropy_coefficient * entropy)
        return torch.stack([policy_loss, entropy]).detach()

    def steps_of(self, episodes: Sequence[Rollout]) -> tuple[Tensor, Tensor]:
        """Return encoded observations and actions ``(B, ...)`` of all episodes, one after another."""
        observation = torch.cat([episode.observation for episode in episodes])
        return self.encode(observation), torch.cat([episode.action for episode in episodes])

    def returns(self, episode: Rollout) -> Tensor:
        """Return the discounted rewards ``(T,)`` from each step of an episode to its end.

        An episode that a time limit cut ends there: nothing tells what would have come.
        """
        reward = self.scaled(episode.reward)
        none = torch.zeros_like(reward)
        return lambda_return(reward, episode.terminated, episode.truncated, none, self.gamma, 1.0).flatten()

    def discounts(self, episode: Rollout) -> Tensor:
        """Return the weights ``(T,)`` of the steps of an episode: 1, or with ``discount_start`` powers of gamma."""
        steps = torch.arange(len(episode.reward), device=self.device)
        return (self.gamma if self.discount_start else 1.0) ** steps

    @override
    def agent_state(self) -> dict[str, Any]:
        """Add the running episodes."""
        last = {"last_metrics": self._last_metrics}
        return {**super().agent_state(), "episodes": self.episodes.state_dict(), **last}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        """Take over what ``agent_state`` returned."""
        super().load_agent_state(state)
        self.episodes.load_state_dict(state["episodes"])
        self._last_metrics = state["last_metrics"]


class REINFORCEBaseline(ValuesStates, REINFORCE):
    """REINFORCE where an action is weighted by how much better it turned out than its state is usually worth.

    The baseline takes nothing from the gradient's mean and much from its variance. It is a network that learns the
    returns. The return of an episode that a time limit cut goes on with the value of where that happened.

    Paper: Williams 1992, Simple statistical gradient-following algorithms for connectionist reinforcement learning,
        doi:10.1007/BF00992696.
    Books: atienza 10.3.1, atienza 10.7, vasilev 9.8.

    Logged besides what ``REINFORCE`` logs: ``train/value_loss`` (mean squared error).

    Args:
        critic: maps observations ``(B, ...)`` to values ``(B, 1)``; None builds an ``OrthogonalMLP``.
        value_coefficient: weight, above 0, of the critic's squared error in the loss.
        **kwargs: those of ``REINFORCE``.
    """

    metrics: ClassVar[Sequence[str]] = ("policy_loss", "entropy", "value_loss")

    def __init__(self, critic: nn.Module | None = None, value_coefficient: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_critic(critic, value_coefficient)

    @override
    @torch.enable_grad()
    def update_from(self, episodes: Sequence[Rollout]) -> Tensor:
        """Make one update from whole episodes.

        Returns:
            ``(3,)``: policy loss, entropy, value loss.
        """
        seen, action = self.steps_of(episodes)
        value = self.critic_values(seen)
        advantage = torch.cat([self.advantages(episode) for episode in episodes])
        weight = advantage * torch.cat([self.discounts(episode) for episode in episodes])
        policy = self.policy(seen)
        policy_loss = -(weight * policy.log_prob(action)).mean()
        value_loss = F.mse_loss(value, advantage + value.detach())
        entropy = policy.entropy().mean()
        self.update(policy_loss + self.value_coefficient * value_loss - self.entropy_coefficient * entropy)
        return torch.stack([policy_loss, entropy, value_loss]).detach()

    @torch.no_grad()
    def advantages(self, episode: Rollout) -> Tensor:
        """Return the returns of an episode ``(T,)`` less the values of its states."""
        reward = self.scaled(episode.reward)
        value = self.critic_values(self.encode(episode.observation))[:, None]
        next_value = self.critic_values(self.encode(episode.next_observation))[:, None]
        return gae(reward, episode.terminated, episode.truncated, value, next_value, self.gamma, 1.0).flatten()
