"""Temporal differences with a network in place of a table, updated at every step: semi-gradient methods."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.errors import UserError
from dlmodules.protocols import Transition
from dlmodules.rl.base import Agent
from dlmodules.rl.exploration import Epsilon
from dlmodules.rl.networks import MLPQNetwork
from dlmodules.rl.returns import td_target
from dlmodules.rl.spaces import check_outputs, example_observation
from dlmodules.sampling.examples import example_inputs
from dlmodules.validation.arguments import check_fractions


class SemiGradientAgent(Agent):
    """Base: after each step of the environments, one step of descent on the squared errors of its N transitions.

    The target is held fixed while the gradient is taken, hence its name. There is no replay and no target network.

    Args:
        observation_dim: numbers in an observation.
        outputs: numbers that the network gives.
        network: maps observations ``(B, ...)`` to values ``(B, outputs)``; None builds an ``MLPQNetwork`` of 64 units.
        optimizer: makes the optimizer.
        gamma: discount of the next value, in [0, 1].
        exploration: the probability of a random action.
        steps_per_iteration: environment steps between two looks at the budget and the logger.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"steps_per_iteration": 32}

    def __init__(
        self,
        observation_dim: int,
        outputs: int,
        network: nn.Module | None,
        optimizer: OptimizerCallable,
        gamma: float,
        exploration: Epsilon | None,
        steps_per_iteration: int,
    ) -> None:
        super().__init__(steps_per_iteration)
        save_portable_hyperparameters(self)
        check_fractions(gamma=gamma)
        self.outputs = self.num_actions = outputs
        self.network = MLPQNetwork(observation_dim, outputs, (64,)) if network is None else network
        self.optimizer = optimizer
        self.gamma = gamma
        self.exploration = Epsilon() if exploration is None else exploration
        self._losses: list[Tensor] = []

    @override
    def setup(self, stage: str) -> None:
        """Check that network and environment fit. Raises UserError."""
        super().setup(stage)
        if self.num_actions != self.environments.num_actions:
            raise UserError(
                f"the agent chooses among {self.num_actions} actions: set num_actions={self.environments.num_actions}"
            )
        check_outputs(self.network, example_observation(self.environments).to(self.device), self.outputs)

    def forward(self, observation: Tensor) -> Tensor:
        """Return the values ``(B, outputs)`` of observations ``(B, ...)``."""
        values: Tensor = self.network(observation)
        return values

    @property
    def epsilon(self) -> float:
        """The probability of a random action now."""
        return self.exploration.value(self.env_steps, self.environments.train_envs.episodes)

    def value(self, transition: Transition) -> Tensor:
        """Return the values ``(N,)`` that are to move, with their gradient."""
        raise NotImplementedError

    def next_value(self, transition: Transition) -> Tensor:
        """Return the values ``(N,)`` after the steps, without gradient."""
        raise NotImplementedError

    @override
    def observe(self, transition: Transition) -> None:
        """Learn from a step of all environments at once."""
        step = transition.to(self.device)
        target = td_target(step.reward, step.terminated, self.next_value(step), self.gamma)
        with torch.enable_grad():
            # Half of the squared error, whose gradient is the error: the step of the textbooks.
            loss = 0.5 * (target - self.value(step)).square().mean()
            self.descend(loss, self.network, self.optimizer_at(0))
        self._losses.append(loss.detach())

    @override
    def learn(self) -> dict[str, Tensor]:
        """Return what is logged: each step was learnt from when it was done."""
        loss, self._losses = torch.stack(self._losses).mean(), []
        return {"td_loss": loss, "epsilon": torch.tensor(self.epsilon)}

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.optimizer(self.network.parameters())

    def example_batch(self, n: int) -> Tensor:
        """Return ``n`` made-up observations ``(n, observation_dim)`` in [0, 1)."""
        return example_inputs(n, (self.hparams["observation_dim"],), self.device)


class SemiGradientQLearning(SemiGradientAgent):
    """Q-learning with a network, linear or not: the value of an action moves towards that of the best next one.

    Off-policy, bootstrapping and approximating at once, it can diverge; DQN adds replay and a target network for that.

    Paper: Watkins and Dayan 1992, Q-learning, doi:10.1007/BF00992698.
    Books: vasilev 8.14, vasilev 8.15.

    Logged besides what every agent logs: ``train/td_loss`` (half of the mean squared error), ``train/epsilon``.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        network: maps observations ``(B, ...)`` to values ``(B, num_actions)``, such as ``TileCodedValues``; None builds
            an ``MLPQNetwork`` of 64 units.
        optimizer: makes the optimizer.
        gamma: discount of the next value, in [0, 1].
        exploration: the probability of a random action; None is an ``Epsilon()``.
        steps_per_iteration: environment steps between two looks at the budget and the logger.
    """

    def __init__(
        self,
        observation_dim: int = 4,
        num_actions: int = 2,
        network: nn.Module | None = None,
        optimizer: OptimizerCallable = lambda p: torch.optim.SGD(p, lr=1e-2),
        gamma: float = 0.99,
        exploration: Epsilon | None = None,
        steps_per_iteration: int = 256,
    ) -> None:
        super().__init__(observation_dim, num_actions, network, optimizer, gamma, exploration, steps_per_iteration)

    @override
    @torch.no_grad()
    def explore(self, observation: Tensor) -> Tensor:
        """Return random actions with probability ``epsilon``, else one of the best known, each of these alike."""
        values = self(observation.to(self.device)).cpu()
        size = values.shape
        best = torch.where(values == values.amax(1, keepdim=True), torch.rand(size, generator=self.generator), -1.0)
        random = torch.randint(self.outputs, (len(observation),), generator=self.generator)
        greedy = torch.rand(len(observation), generator=self.generator) >= self.epsilon
        return torch.where(greedy, best.argmax(1), random)

    @torch.no_grad()
    def act(self, observation: Tensor) -> Tensor:
        """Return the actions ``(N,)`` of highest value."""
        values: Tensor = self.network(observation.to(self.device))
        return values.argmax(dim=1)

    @override
    def value(self, transition: Transition) -> Tensor:
        """Return the values ``(N,)`` of what was done."""
        values: Tensor = self.network(transition.observation)
        return values.gather(1, transition.action[:, None]).squeeze(1)

    @override
    def next_value(self, transition: Transition) -> Tensor:
        """Return the values ``(N,)`` of the best next actions."""
        values: Tensor = self.network(transition.next_observation)
        return values.amax(dim=1)


class SemiGradientSarsa(SemiGradientQLearning):
    """Sarsa with a network: the value of an action moves towards that of the next one, which is then done.

    Paper: Rummery and Niranjan 1994, On-line Q-learning using connectionist systems.
    Books: vasilev 8.15.

    Logged and arguments: those of ``SemiGradientQLearning``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._next_action: Tensor | None = None

    @override
    def explore(self, observation: Tensor) -> Tensor:
        """Return the actions that the last update reckoned with; others where an episode begins."""
        fresh = super().explore(observation)
        return fresh if self._next_action is None else torch.where(self._next_action >= 0, self._next_action, fresh)

    @override
    def next_value(self, transition: Transition) -> Tensor:
        """Return the values ``(N,)`` of the next actions, and keep these to be done."""
        action = super().explore(transition.next_observation.cpu())
        self._next_action = torch.where(transition.ended.cpu(), -1, action)
        values: Tensor = self.network(transition.next_observation)
        return values.gather(1, action.to(values.device)[:, None]).squeeze(1)

    @override
    def agent_state(self) -> dict[str, Any]:
        """Add the actions to be done next."""
        return {**super().agent_state(), "next_action": self._next_action}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        """Take over what ``agent_state`` returned."""
        super().load_agent_state(state)
        self._next_action = state["next_action"]
