"""What all tabular agents that learn from steps share: the table, acting by it, counting."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.protocols import StateStep, StateStream
from dlmodules.protocols.dynamics import Numbers
from dlmodules.rl.base import Agent
from dlmodules.rl.exploration import Epsilon, LinearEpsilon
from dlmodules.rl.requirements import known_dynamics, require_memory, require_table_size
from dlmodules.rl.tabular.planning import deterministic_policy, exact_return
from dlmodules.rl.tabular.updates import best, move_towards
from dlmodules.training.annealing import linear_annealing
from dlmodules.training.one_step import placeholder_optimizer
from dlmodules.validation.arguments import check_fractions, require_at_least


@dataclass
class Now:
    """What changes from step to step: kept apart from the module, where a new value costs as much as some arithmetic.

    Attributes:
        epsilon: the probability of a random action.
        rate: the learning rate.
        squared_error: sum of the squares of the errors in this iteration.
        updates: how many they are.
    """

    epsilon: float = 0.0
    rate: float = 0.0
    squared_error: float = 0.0
    updates: int = 0


class TabularAgent(Agent):
    """Learns a value for each action in each state, of environments whose states and actions are numbered.

    The table is a float64 buffer, so a checkpoint, an export and ``act`` need nothing more. A child defines
    ``next_value``, from which an update bootstraps, or ``update`` itself. Learning is on the CPU whatever the trainer's
    accelerator: a step is a few numbers.

    With several environments each of their steps is an update of its own entry; where some are of the same entry it
    moves as far as it would for one after another (``dlmodules.rl.tabular.updates``).

    Logged besides what every agent logs: ``train/td_error`` (root of the mean square of an iteration's errors),
    ``train/epsilon``, ``train/learning_rate``; ``test/exact_return`` (what is to be expected of the best known
    actions within the time limit) where the environment has both a limit and a table of its transitions.

    Args:
        num_states: rows of the table.
        num_actions: columns.
        gamma: discount of the next value, in [0, 1].
        learning_rate: how far an entry moves towards its target, in [0, 1].
        learning_rate_end: the last one; it falls along a line until the budget is used up. None keeps it.
        initial_value: what the table begins with; above what can be reached, it makes an agent try everything.
        exploration: the probability of a random action; None is a ``LinearEpsilon()``.
        steps_per_iteration: environment steps between two looks at the budget and the logger.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"steps_per_iteration": 64}

    table_names: ClassVar[tuple[str, ...]] = ("q",)
    """The buffers ``(S, A)`` that are learnt."""
    q: Tensor

    def __init__(
        self,
        num_states: int = 16,
        num_actions: int = 4,
        gamma: float = 0.9,
        learning_rate: float = 0.1,
        learning_rate_end: float | None = None,
        initial_value: float = 0.0,
        exploration: Epsilon | None = None,
        steps_per_iteration: int = 1_000,
    ) -> None:
        super().__init__(steps_per_iteration)
        save_portable_hyperparameters(self)
        require_at_least(1, num_states=num_states, num_actions=num_actions)
        require_memory(num_states, num_actions, len(self.table_names))
        check_fractions(gamma=gamma, learning_rate=learning_rate, learning_rate_end=learning_rate_end)
        self.num_states = num_states
        self.num_actions = num_actions
        self.gamma = gamma
        self.learning_rate = learning_rate
        self.learning_rate_end = learning_rate if learning_rate_end is None else learning_rate_end
        self.exploration = LinearEpsilon() if exploration is None else exploration
        self.rng = np.random.default_rng(int(torch.randint(2**62, (), generator=self.generator)))
        self.now = Now()
        for name in self.table_names:
            self.register_buffer(name, torch.full((num_states, num_actions), initial_value, dtype=torch.float64))

    def load_tables(self) -> None:
        """Take from the buffers what an iteration learns in."""
        self.table: Numbers = self.q.cpu().numpy()  # the same memory, where the module is on the CPU

    def store_tables(self) -> None:
        """Give the buffers what an iteration has learnt."""
        if self.q.device.type != "cpu":
            self.q.copy_(torch.from_numpy(self.table))

    def values(self, state: Any) -> Any:
        """Return the values by which the agent acts: ``(N, A)`` in states ``(N,)``, or ``(A,)`` in one."""
        return self.table.take(state, 0)

    def expected_value(self, state: Any) -> Any:
        """Return the mean values ``(N,)`` of what the behaviour does in states ``(N,)``, or one number.

        With probability epsilon it does each action alike, else the best one; where several are the best it does not
        matter how they share, since their values are equal.
        """
        values, epsilon = self.values(state), self.now.epsilon
        return (1 - epsilon) * best(values) + epsilon * values.mean(-1)

    @override
    def setup(self, stage: str) -> None:
        """Check that table and environment fit. Raises UserError."""
        super().setup(stage)
        require_table_size(self.environments, self.num_states, self.num_actions)

    @override
    @torch.no_grad()
    def collect(self) -> None:
        """Step the environments and learn from each step at once."""
        envs: Any = self.environments.train_envs
        total = self.environments.total_steps
        now, exploration = self.now, self.exploration
        now.squared_error, now.updates = 0.0, 0
        self.load_tables()
        count = self.env_steps  # apart from the module until the end, as what is in ``now``
        for _ in range(ceil(min(self.steps_per_iteration, total - count) / envs.num_envs)):
            episodes = envs.episodes
            now.epsilon = exploration.value(count, episodes)
            now.rate = linear_annealing(count, self.learning_rate, self.learning_rate_end, total)
            self.advance(envs)
            count += envs.num_envs
            if envs.episodes > episodes:
                exploration.end_episodes(list(envs.recent_returns)[episodes - envs.episodes :])
        self.env_steps = count
        self.store_tables()

    def advance(self, envs: StateStream) -> None:
        """Do one step of all environments and learn from it."""
        self.update(envs.step_states(self.choose(envs.state)))

    def update(self, step: StateStep) -> None:
        """Move the value of what was done towards the reward and the discounted ``next_value``."""
        target = step.reward + self.gamma * (1 - step.terminated) * self.next_value(step)
        self.move(step.state * self.num_actions + step.action, target)

    def next_value(self, step: StateStep) -> Any:
        """Return the estimates ``(N,)`` of what follows the next states, or one number."""
        raise NotImplementedError

    def move(self, place: Any, target: Any) -> None:
        """Move entries of the flat table towards ``target`` by the learning rate."""
        self.note(move_towards(self.table.reshape(-1), place, target, self.now.rate))

    def note(self, error: Any) -> None:
        """Count the errors ``(N,)`` of an update, or the one, for the log."""
        self.now.squared_error += error * error if isinstance(error, float) else np.dot(error, error)
        self.now.updates += 1 if isinstance(error, float) else len(error)

    def choose(self, state: Any) -> Any:
        """Return the actions of the behaviour: random with probability epsilon, else one of the best alike.

        Args:
            state: ``(N,)`` int64, or one number.
        """
        rng = self.rng
        if isinstance(state, int):
            if rng.random() < self.now.epsilon:
                return int(rng.random() * self.num_actions)
            row = self.values(state).tolist()
            largest = max(row)
            if row.count(largest) == 1:
                return row.index(largest)
            return int(rng.choice([action for action, value in enumerate(row) if value == largest]))
        values = self.values(state)
        candidates = values == best(values)[:, None]
        candidates |= (rng.random(len(state)) < self.now.epsilon)[:, None]
        return (candidates * rng.random(values.shape)).argmax(1)

    @override
    def learn(self) -> dict[str, Tensor]:
        """Return what is logged: each step was learnt from when it was done."""
        found = {"epsilon": self.now.epsilon, "learning_rate": self.now.rate}
        if self.now.updates:
            found["td_error"] = (self.now.squared_error / self.now.updates) ** 0.5
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in found.items()}

    def action_values(self) -> Tensor:
        """Return the values ``(S, A)`` of the actions."""
        return self.q

    def forward(self, observation: Tensor) -> Tensor:
        """Return the values ``(B, A)`` of the actions in states ``(B,)`` int64."""
        return self.action_values()[observation]

    @torch.no_grad()
    def act(self, observation: Tensor) -> Tensor:
        """Return the best known actions ``(N,)`` in states ``(N,)`` int64: the first of them where several are."""
        action: Tensor = self(observation.to(self.device)).argmax(dim=1)
        return action

    @override
    def test_step(self, seeds: list[int], batch_idx: int) -> None:
        """Play the test episodes; compute the return to be expected, too, where all that can happen is known."""
        super().test_step(seeds, batch_idx)
        dynamics = known_dynamics(self.environments)
        if dynamics is not None and dynamics.max_steps is not None:
            policy = deterministic_policy(self.act(torch.arange(self.num_states)).cpu(), self.num_actions)
            self.log("test/exact_return", exact_return(dynamics, policy), batch_size=1)

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        """There is nothing to optimize: iterations are counted by it."""
        return placeholder_optimizer()

    @override
    def agent_state(self) -> dict[str, Any]:
        """Add the generator of the table's agent."""
        return {**super().agent_state(), "rng": self.rng.bit_generator.state}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        """Take over what ``agent_state`` returned."""
        super().load_agent_state(state)
        self.rng.bit_generator.state = state["rng"]

    def example_batch(self, n: int) -> Tensor:
        """Return ``n`` states ``(n,)`` int64, drawn alike."""
        return torch.randint(self.num_states, (n,), device=self.device)
