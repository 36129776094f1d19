"""Actor-critic, online: with the values of states, and with those of actions."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.protocols import Transition
from dlmodules.rl.orthogonal import OrthogonalMLP
from dlmodules.rl.policies import CategoricalPolicy
from dlmodules.rl.policy_gradient import PolicyGradientAgent, ValueCriticAgent
from dlmodules.rl.returns import td_target
from dlmodules.rl.spaces import check_outputs, example_observation
from dlmodules.validation.arguments import check_positive


class ActorCritic(ValueCriticAgent):
    """Learns from each step at once: by how much its reward and the value of where it led exceed what was expected.

    That error of the critic both weights the action that was done and moves the critic.

    Paper: Barto, Sutton and Anderson 1983, Neuronlike adaptive elements that can solve difficult learning control
        problems, doi:10.1109/TSMC.1983.6313077.
    Books: vasilev 9.6, atienza 10.4.1, atienza 10.7.

    Logged besides what every agent logs: ``train/policy_loss``, ``train/value_loss`` (mean squared error),
    ``train/entropy`` (nats), each the mean over the updates of the last iteration.

    Args:
        discount_start: weight step t of an episode by ``gamma`` to the power of t too, as the theorem for discounted
            returns has it (atienza 10.4.1); late steps are then hardly learnt from.
        steps_per_iteration: environment steps, over all environments, between two looks at the budget and the logger.
        **kwargs: those of ``ValueCriticAgent``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"hidden_dims": [16, 16], "steps_per_iteration": 32}

    def __init__(self, discount_start: bool = False, steps_per_iteration: int = 256, **kwargs: Any) -> None:
        super().__init__(steps_per_iteration=steps_per_iteration, **kwargs)
        self.discount_start = discount_start
        self._factor: Tensor | None = None  # (N,) powers of gamma, 1 where an episode begins

    @override
    def setup(self, stage: str) -> None:
        """Check that networks and environment fit. Raises UserError."""
        super().setup(stage)
        self._factor = None

    @override
    def observe(self, transition: Transition) -> None:
        """Learn from a step of all environments at once."""
        step = transition.to(self.device)
        factor = torch.ones_like(step.reward) if self._factor is None else self._factor.to(self.device)
        self._metrics.append(self.update_from(step, factor))
        if self.discount_start:
            self._factor = torch.where(step.ended, 1.0, self.gamma * factor)

    @torch.enable_grad()
    def update_from(self, step: Transition, factor: Tensor) -> Tensor:
        """Make one update from a step of N environments, of which ``factor`` ``(N,)`` weights the actions.

        Returns:
            ``(3,)``: policy loss, value loss, entropy.
        """
        seen = self.encode(step.observation)
        value = self.critic_values(seen)
        with torch.no_grad():
            next_value = self.critic_values(self.encode(step.next_observation))
            target = td_target(self.scaled(step.reward), step.terminated, next_value, self.gamma)
            error = target - value
        policy = self.policy(seen)
        policy_loss = -(factor * error * policy.log_prob(step.action)).mean()
        value_loss = F.mse_loss(value, target)
        entropy = policy.entropy().mean()
        self.update(policy_loss + self.value_coefficient * value_loss - self.entropy_coefficient * entropy)
        return torch.stack([policy_loss, value_loss, entropy]).detach()

    @override
    def learn(self) -> dict[str, Tensor]:
        """Return what is logged: each step was learnt from when it was done."""
        return self.take_means("policy_loss", "value_loss", "entropy")

    @override
    def agent_state(self) -> dict[str, Any]:
        """Add the weights of the next steps."""
        return {**super().agent_state(), "factor": self._factor}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        """Take over what ``agent_state`` returned."""
        super().load_agent_state(state)
        self._factor = state["factor"]


class QActorCritic(PolicyGradientAgent):
    """Actor-critic whose critic tells what actions are worth: that weights the action that was done.

    The critic learns as Sarsa does, by the value of the next action, which is then done. Actions must be numbered.

    Paper: Sutton et al. 1999, Policy Gradient Methods for Reinforcement Learning with Function Approximation.
    Books: vasilev 9.7.

    Logged besides what every agent logs: ``train/policy_loss``, ``train/value_loss`` (mean squared error),
    ``train/entropy`` (nats), each the mean over the updates of the last iteration.

    Args:
        critic: maps observations ``(B, ...)`` to values ``(B, num_actions)``; None builds an ``OrthogonalMLP``.
        value_coefficient: weight, above 0, of the critic's squared error in the loss.
        subtract_mean: weight an action by what it is worth less what the policy's actions are worth on average, which
            takes nothing from the gradient's mean and much from its variance; the book does not.
        steps_per_iteration: environment steps, over all environments, between two looks at the budget and the logger.
        **kwargs: those of ``PolicyGradientAgent``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"hidden_dims": [16, 16], "steps_per_iteration": 32}

    def __init__(
        self,
        critic: nn.Module | None = None,
        value_coefficient: float = 0.5,
        subtract_mean: bool = False,
        steps_per_iteration: int = 256,
        **kwargs: Any,
    ) -> None:
        super().__init__(steps_per_iteration=steps_per_iteration, **kwargs)
        check_positive(value_coefficient=value_coefficient)
        if critic is None:
            critic = OrthogonalMLP(self.observation_dim, self.num_actions, self.hidden_dims, self.activation)
        self.critic = critic
        self.value_coefficient, self.subtract_mean = value_coefficient, subtract_mean
        self._next_action: Tensor | None = None  # (N,) to be done next; below 0 where an episode begins

    @override
    def setup(self, stage: str) -> None:
        """Check that networks and environment fit. Raises UserError."""
        if not isinstance(self.policy, CategoricalPolicy):
            raise UserError("QActorCritic chooses among numbered actions: leave action_dim out, or take ActorCritic")
        super().setup(stage)
        self._next_action = None
        observation = self.encode(example_observation(self.environments))
        check_outputs(self.critic, observation, self.environments.num_actions, who="the critic")

    @override
    def explore(self, observation: Tensor) -> Tensor:
        """Return the actions that the last update reckoned with; sampled ones where an episode begins."""
        fresh = super().explore(observation)
        return fresh if self._next_action is None else torch.where(self._next_action >= 0, self._next_action, fresh)

    @override
    def observe(self, transition: Transition) -> None:
        """Learn from a step of all environments at once."""
        next_action = super().explore(transition.next_observation)
        self._metrics.append(self.update_from(transition.to(self.device), next_action.to(self.device)))
        self._next_action = torch.where(transition.ended, -1, next_action)

    @torch.enable_grad()
    def update_from(self, step: Transition, next_action: Tensor) -> Tensor:
        """Make one update from a step of N environments and the actions ``(N,)`` after it.

        Returns:
            ``(3,)``: policy loss, value loss, entropy.
        """
        seen = self.encode(step.observation)
        values = self.critic(seen)
        value = values.gather(1, step.action[:, None]).squeeze(1)
        with torch.no_grad():
            next_values = self.critic(self.encode(step.next_observation))
            next_value = next_values.gather(1, next_action[:, None]).squeeze(1)
            target = td_target(self.scaled(step.reward), step.terminated, next_value, self.gamma)
        policy = self.policy(seen)
        weight = value.detach()
        if self.subtract_mean:
            weight = weight - (policy.probs * values).sum(1).detach()
        policy_loss = -(weight * policy.log_prob(step.action)).mean()
        value_loss = F.mse_loss(value, target)
        entropy = policy.entropy().mean()
        self.update(policy_loss + self.value_coefficient * value_loss - self.entropy_coefficient * entropy)
        return torch.stack([policy_loss, value_loss, entropy]).detach()

    @override
    def learn(self) -> dict[str, Tensor]:
        """Return what is logged: each step was learnt from when it was done."""
        return self.take_means("policy_loss", "value_loss", "entropy")

    @override
    def agent_state(self) -> dict[str, Any]:
        """Add the actions to be done next."""
        return {**super().agent_state(), "next_action": self._next_action}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        """Take over what ``agent_state`` returned."""
        super().load_agent_state(state)
        self._next_action = state["next_action"]
