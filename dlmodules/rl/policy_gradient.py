"""Bases of the agents that learn a policy by its gradient."""

from collections.abc import Sequence
from typing import Any

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.distributions import Distribution
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.protocols import Transition
from dlmodules.rl.base import Agent
from dlmodules.rl.features import StateFeatures
from dlmodules.rl.normalization import ObservationNormalizer, RewardNormalizer
from dlmodules.rl.orthogonal import OrthogonalMLP
from dlmodules.rl.policies import CategoricalPolicy, GaussianPolicy, Policy
from dlmodules.rl.rollouts import Rollout
from dlmodules.rl.spaces import check_outputs, example_observation, output_for
from dlmodules.sampling.examples import example_inputs
from dlmodules.training.finite import require_finite
from dlmodules.training.schedules import with_schedule
from dlmodules.validation.arguments import check_at_least, check_fractions, check_positive


class PolicyGradientAgent(Agent):
    """Explores by sampling from its policy, and acts by the policy's most probable action.

    A child defines ``learn``, which learns from ``take_rollout``, rewards ``scaled``. It computes probabilities again
    where it learns: observations are normalized within an iteration as they were when the action was sampled.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions, where they are numbered.
        action_dim: numbers in an action of ``Box``, for which the default policy is a ``GaussianPolicy``; None where
            actions are numbered, for which it is a ``CategoricalPolicy``.
        hidden_dims: units of the hidden layers of the default networks.
        activation: their activation, such as ``tanh`` or ``relu``.
        features: maps observations to what policy and critic are given, such as ``StateFeatures``; its weights stay as
            they are. None gives them the observations.
        policy: maps observations ``(B, ...)`` to distributions over actions; None builds the default one.
        optimizer: makes the optimizer.
        scheduler: makes a schedule of the learning rate, stepped after each iteration; None keeps it constant.
        gamma: discount of the next value, in [0, 1].
        steps_per_iteration: environment steps, over all environments, of an iteration.
        entropy_coefficient: weight, 0 or more, of the policy's entropy in the objective.
        max_grad_norm: largest norm of the gradient; None does not clip.
        normalize_observations: give the networks observations of mean 0 and deviation 1 (``ObservationNormalizer``).
        normalize_rewards: learn from rewards divided by the deviation of the return (``RewardNormalizer``).
        reward_scale: factor, above 0, of the rewards that are learnt from; the values have it too.
    """

    def __init__(
        self,
        observation_dim: int = 4,
        num_actions: int = 2,
        action_dim: int | None = None,
        hidden_dims: Sequence[int] = (64, 64),
        activation: str = "tanh",
        features: nn.Module | None = None,
        policy: Policy | None = None,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        scheduler: LRSchedulerCallable | None = None,
        gamma: float = 0.99,
        steps_per_iteration: int = 256,
        entropy_coefficient: float = 0.0,
        max_grad_norm: float | None = 0.5,
        normalize_observations: bool = False,
        normalize_rewards: bool = False,
        reward_scale: float = 1.0,
    ) -> None:
        super().__init__(steps_per_iteration, max_grad_norm)
        save_portable_hyperparameters(self)
        check_fractions(gamma=gamma)
        check_positive(reward_scale=reward_scale)
        check_at_least(0, entropy_coefficient=entropy_coefficient)
        if policy is None:
            if action_dim is None:
                policy = CategoricalPolicy(observation_dim, num_actions, hidden_dims, activation)
            else:
                policy = GaussianPolicy(observation_dim, action_dim, hidden_dims, activation)
        self.observation_dim, self.num_actions = observation_dim, num_actions
        self.hidden_dims, self.activation = tuple(hidden_dims), activation
        self.policy = policy
        normalizer = ObservationNormalizer((observation_dim,)) if normalize_observations else nn.Identity()
        self.observation_normalizer = normalizer
        self.state_features = nn.Identity() if features is None else features.requires_grad_(False)
        self.reward_normalizer = RewardNormalizer(gamma) if normalize_rewards else nn.Identity()
        self.optimizer, self.scheduler = optimizer, scheduler
        self.gamma, self.reward_scale, self.entropy_coefficient = gamma, reward_scale, entropy_coefficient
        self._steps: list[Transition] = []
        self._metrics: list[Tensor] = []  # of each update since the end of the last iteration

    def encode(self, observation: Tensor) -> Tensor:
        """Return observations ``(B, ...)`` as the networks receive them, on their device."""
        encoded: Tensor = self.state_features(self.observation_normalizer(observation.to(self.device)))
        return encoded

    def forward(self, observation: Tensor) -> Distribution:
        """Return the distribution of the actions for observations ``(B, ...)``."""
        distribution: Distribution = self.policy(self.encode(observation))
        return distribution

    @override
    def setup(self, stage: str) -> None:
        """Check that networks and environment fit. Raises UserError."""
        super().setup(stage)
        self._steps = []
        if stage == "fit" and isinstance(self.state_features, StateFeatures):
            self.state_features.require_learnt()
        observation = example_observation(self.environments)
        self.policy.fit_to(self.environments, output_for(self.observation_normalizer, self.encode, observation))

    @override
    def explore(self, observation: Tensor) -> Tensor:
        """Return actions sampled from the policy."""
        return self.policy.sample(self.encode(observation), self.generator)

    @override
    def to_env(self, action: Tensor) -> Tensor:
        return self.policy.to_env(action)

    @torch.no_grad()
    def act(self, observation: Tensor) -> Tensor:
        """Return the most probable actions ``(N, ...)``, within the bounds of the action space."""
        return self.policy.mode(self.encode(observation))

    @override
    def observe(self, transition: Transition) -> None:
        self._steps.append(transition)

    @property
    def kept_steps(self) -> int:
        """How many steps of all environments ``take_rollout`` would return."""
        return len(self._steps)

    def take_rollout(self) -> Rollout:
        """Return the steps that were observed since the last time."""
        steps, self._steps = self._steps, []
        return Rollout.of(steps, self.device)

    def scaled(self, reward: Tensor) -> Tensor:
        """Return rewards ``(...)`` as they are learnt from."""
        scaled: Tensor = self.reward_scale * self.reward_normalizer(reward)
        return scaled

    def take_means(self, *names: str) -> dict[str, Tensor]:
        """Return the means over the updates of an iteration, by name, and let the learning rate go on by a step."""
        means, self._metrics = torch.stack(self._metrics).mean(0), []
        self.step_schedule()
        return dict(zip(names, means, strict=True))

    def update(self, loss: Tensor) -> None:
        """Make one update of all that is learnt, down the gradient of ``loss``. Raises UserError where that is NaN."""
        require_finite(self, {"train/loss": loss}, self.env_steps, wait=False)  # before anything acts by it
        self.descend(loss, self, self.optimizer_at(0))

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = self.optimizer(parameter for parameter in self.parameters() if parameter.requires_grad)
        return with_schedule(optimizer, self.scheduler)

    def example_batch(self, n: int) -> Tensor:
        """Return ``n`` made-up observations ``(n, observation_dim)`` in [0, 1)."""
        return example_inputs(n, (self.observation_dim,), self.device)


class ValuesStates(PolicyGradientAgent):
    """Learns, beside the policy, what states are worth: a child calls ``add_critic`` in its constructor."""

    critic: nn.Module
    value_coefficient: float

    def add_critic(self, critic: nn.Module | None, value_coefficient: float) -> None:
        """Take a critic, or build the default one, and the weight of its error."""
        check_positive(value_coefficient=value_coefficient)
        if critic is None:
            critic = OrthogonalMLP(self.observation_dim, 1, self.hidden_dims, self.activation)
        self.critic = critic
        self.value_coefficient = value_coefficient

    @override
    def setup(self, stage: str) -> None:
        """Check that networks and environment fit. Raises UserError."""
        super().setup(stage)
        observation = self.encode(example_observation(self.environments))
        check_outputs(self.critic, observation, 1, who="the critic")

    def critic_values(self, encoded: Tensor) -> Tensor:
        """Return the values ``(B,)`` of observations as ``encode`` returns them."""
        values: Tensor = self.critic(encoded)
        return values.squeeze(1)


class ValueCriticAgent(ValuesStates):
    """Learns a policy and a critic from steps as they come.

    Args:
        critic: maps observations ``(B, ...)`` to values ``(B, 1)``; None builds an ``OrthogonalMLP``.
        value_coefficient: weight, above 0, of the critic's squared error in the loss.
        **kwargs: those of ``PolicyGradientAgent``.
    """

    def __init__(self, critic: nn.Module | None = None, value_coefficient: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_critic(critic, value_coefficient)
