"""Policies: networks whose output is a distribution over actions."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent, Normal
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.protocols import EnvironmentSource
from dlmodules.rl.action_bounds import KeepsBounds
from dlmodules.rl.orthogonal import OrthogonalMLP
from dlmodules.rl.policy_checks import check_box_actions, check_numbered_actions
from dlmodules.validation.arguments import check_fractions

MIN_DEVIATION = 1e-4
"""Added to a deviation that the network gives: a density over nothing would be infinite."""


class Policy(nn.Module):
    """Base of the policies: a child says which distribution it is, and how to sample from it fast."""

    def forward(self, observation: Tensor) -> Distribution:
        """Return the distribution of the actions ``(B, ...)`` for observations ``(B, ...)``.

        Its ``log_prob`` and ``entropy`` are ``(B,)``.
        """
        raise NotImplementedError

    def sample(self, observation: Tensor, generator: torch.Generator) -> Tensor:
        """Return actions ``(B, ...)`` on the CPU, sampled by a ``generator`` of the CPU; no gradient goes through."""
        raise NotImplementedError

    def mode(self, observation: Tensor) -> Tensor:
        """Return the most probable actions ``(B, ...)``, as the environment takes them."""
        raise NotImplementedError

    def to_env(self, action: Tensor) -> Tensor:
        """Return what the environment is given for sampled actions: the same."""
        return action

    def fit_to(self, source: EnvironmentSource, observation: Tensor) -> None:
        """Check that the policy suits an environment, and take over from it what it needs.

        Args:
            source: the environment.
            observation: ``(1, ...)`` as the policy receives it.

        Raises:
            UserError: it chooses among other actions than the environment has.
        """
        raise NotImplementedError


class CategoricalPolicy(Policy):
    """Chooses one of numbered actions, by the softmax of what a network gives for each.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        hidden_dims: units of the hidden layers of the default network.
        activation: its activation, such as ``tanh`` or ``relu``.
        network: maps observations ``(B, ...)`` to logits ``(B, num_actions)``; None builds an ``OrthogonalMLP``.
    """

    def __init__(
        self,
        observation_dim: int = 4,
        num_actions: int = 2,
        hidden_dims: Sequence[int] = (64, 64),
        activation: str = "tanh",
        network: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.observation_dim, self.num_actions = observation_dim, num_actions
        self.hidden_dims, self.activation = tuple(hidden_dims), activation
        if network is None:
            network = OrthogonalMLP(observation_dim, num_actions, hidden_dims, activation, gain=0.01)
        self.network = network

    @override
    def forward(self, observation: Tensor) -> Categorical:
        return Categorical(logits=self.network(observation), validate_args=False)

    @override
    @torch.no_grad()
    def sample(self, observation: Tensor, generator: torch.Generator) -> Tensor:
        logits: Tensor = self.network(observation).cpu()
        # The largest of logits with Gumbel noise: a third of the time that softmax and multinomial take.
        noise = torch.empty_like(logits).exponential_(generator=generator).log_()
        return (logits - noise).argmax(dim=1)

    @override
    @torch.no_grad()
    def mode(self, observation: Tensor) -> Tensor:
        logits: Tensor = self.network(observation)
        return logits.argmax(dim=1)

    @override
    def fit_to(self, source: EnvironmentSource, observation: Tensor) -> None:
        check_numbered_actions(self.network, observation, source)


class GaussianPolicy(Policy, KeepsBounds):
    """Chooses a row of numbers by a normal distribution: a network gives the means.

    The distribution is over all numbers. The environment is given what was sampled cut to its bounds, and the agent
    learns from what was sampled, whose probability is known (atienza 10.6.2 samples again where it learns).

    Args:
        observation_dim: numbers in an observation.
        action_dim: numbers in an action.
        hidden_dims: units of the hidden layers of the default network; none leaves one linear layer.
        activation: its activation, such as ``tanh`` or ``relu``.
        deviation: ``constant`` learns one deviation for each number of an action, whatever is observed; ``softplus``
            takes it from the network's further outputs (atienza 10.6.2).
        log_deviation: with ``constant``: the natural logarithm of the deviation at the beginning.
        noise_correlation: of the noise of two steps that follow each other, in [0, 1]. Each action alone has the same
            distribution; noise that goes one way for a while goes further than noise that does not.
        network: maps observations ``(B, ...)`` to means ``(B, action_dim)``, with ``softplus`` to those and as many
            numbers before the softplus, ``(B, 2 * action_dim)``; None builds an ``OrthogonalMLP``.
    """

    def __init__(
        self,
        observation_dim: int = 2,
        action_dim: int = 1,
        hidden_dims: Sequence[int] = (64, 64),
        activation: str = "tanh",
        deviation: Literal["constant", "softplus"] = "constant",
        log_deviation: float = 0.0,
        noise_correlation: float = 0.0,
        network: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.observation_dim, self.action_dim = observation_dim, action_dim
        self.hidden_dims, self.activation = tuple(hidden_dims), activation
        self.deviation, self.log_deviation = deviation, log_deviation
        check_fractions(noise_correlation=noise_correlation)
        self.noise_correlation = noise_correlation
        self.noise = torch.zeros(0)
        """That of the last step, ``(N, action_dim)`` in deviations: in the ``state_dict``, though N varies."""
        self.outputs = action_dim * (1 if deviation == "constant" else 2)
        if network is None:
            network = OrthogonalMLP(observation_dim, self.outputs, hidden_dims, activation, gain=0.01)
        self.network = network
        if deviation == "constant":
            self.log_deviations = nn.Parameter(torch.full((action_dim,), float(log_deviation)))
        self.add_bounds(action_dim, torch.inf)

    def parameters_of(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and deviations, each ``(B, action_dim)``, for observations ``(B, ...)``."""
        found: Tensor = self.network(observation)
        if self.deviation == "constant":
            return found, self.log_deviations.exp().expand_as(found)
        mean, raw = found.chunk(2, dim=1)
        return mean, F.softplus(raw) + MIN_DEVIATION

    @override
    def forward(self, observation: Tensor) -> Distribution:
        mean, deviation = self.parameters_of(observation)
        return Independent(Normal(mean, deviation, validate_args=False), 1, validate_args=False)

    @override
    @torch.no_grad()
    def sample(self, observation: Tensor, generator: torch.Generator) -> Tensor:
        mean, deviation = (part.cpu() for part in self.parameters_of(observation))
        action = mean + deviation * self._next_noise(mean.shape, generator)
        if not torch.isfinite(action.sum()):
            raise UserError(
                "the policy's actions are no finite numbers any more: lower the learning rate or clip gradients"
            )
        return action

    def _next_noise(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        noise = torch.randn(shape, generator=generator)
        if self.noise_correlation > 0:
            if self.noise.shape == shape:
                fresh = (1 - self.noise_correlation**2) ** 0.5
                noise = self.noise_correlation * self.noise + fresh * noise
            self.noise = noise
        return noise

    @override
    def get_extra_state(self) -> Tensor:
        return self.noise

    @override
    def set_extra_state(self, state: Tensor) -> None:
        self.noise = state.cpu().clone()

    @override
    @torch.no_grad()
    def mode(self, observation: Tensor) -> Tensor:
        return self.to_env(self.parameters_of(observation)[0])

    @override
    def to_env(self, action: Tensor) -> Tensor:
        """Return actions ``(B, action_dim)`` cut to the bounds of the environment."""
        return torch.minimum(torch.maximum(action, self.low.to(action.device)), self.high.to(action.device))

    @override
    def fit_to(self, source: EnvironmentSource, observation: Tensor) -> None:
        check_box_actions(self.network, observation, source, self.action_dim, self.outputs)
        self.take_bounds_of(source.action_space)
