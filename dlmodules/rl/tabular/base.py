"""What all tabular agents that learn from steps share: the table, acting by it, counting."""

from collections.abc import Mapping
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
from dlmodules.rl.requirements import require_table_size
from dlmodules.training.annealing import linear_annealing
from dlmodules.validation.arguments import check_fractions, require_at_least


class TabularAgent(Agent):
    """Learns a value for each action in each state, of environments whose states and actions are numbered.

    The table is a float64 buffer, so a checkpoint, an export and ``act`` need nothing more. A child defines ``update``.
    Learning is on the CPU whatever the trainer's accelerator: a step is a few numbers.

    With several environments each of their steps is an update of its own entry; where some are of the same entry it
    moves as far as it would for one after another (``dlmodules.rl.tabular.updates``).

    Logged besides what every agent logs: ``train/td_error`` (mean size of the errors of an iteration),
    ``train/epsilon``, ``train/learning_rate``.

    Args:
        num_states: rows of the table.
        num_actions: columns.
        gamma: discount of the next value, in [0, 1].
        learning_rate: how far an entry moves towards its target, in (0, 1].
        learning_rate_end: the last one; it falls along a line until the budget is used up. None keeps it.
        initial_value: what the table begins with; above what can be reached, it makes an agent try everything.
        exploration: the probability of a random action; None is a ``LinearEpsilon()``.
        steps_per_iteration: environment steps between two looks at the budget and the logger.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"steps_per_iteration": 64}

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
        check_fractions(gamma=gamma, learning_rate=learning_rate)
        self.num_states = num_states
        self.num_actions = num_actions
        self.gamma = gamma
        self.learning_rate = learning_rate
        self.learning_rate_end = learning_rate if learning_rate_end is None else learning_rate_end
        self.exploration = LinearEpsilon() if exploration is None else exploration
        self.register_buffer("q", torch.full((num_states, num_actions), initial_value, dtype=torch.float64))
        self.rng = np.random.default_rng(int(torch.randint(2**62, (), generator=self.generator)))
        self._errors = self._epsilon = self._rate = 0.0
        self._table: Numbers = self.q.numpy()

    @property
    def values(self) -> Numbers:
        """The values ``(S, A)`` by which the agent acts."""
        return self._table

    @override
    def setup(self, stage: str) -> None:
        """Check that table and environment fit. Raises UserError."""
        super().setup(stage)
        require_table_size(self.environments, self.num_states, self.num_actions)

    @property
    def rate(self) -> float:
        """The learning rate now."""
        total = self.environments.total_steps
        return linear_annealing(self.env_steps, self.learning_rate, self.learning_rate_end, total)

    @property
    def epsilon(self) -> float:
        """The probability of a random action now."""
        return self.exploration.value(self.env_steps, self.environments.train_envs.episodes)

    @override
    @torch.no_grad()
    def collect(self) -> None:
        """Step the environments and learn from each step at once."""
        envs: Any = self.environments.train_envs
        self._table = self.q.cpu().numpy()  # the same memory, where the module is on the CPU
        self._errors = 0.0
        wanted = min(self.steps_per_iteration, self.environments.total_steps - self.env_steps)
        steps = ceil(wanted / envs.num_envs)
        for _ in range(steps):
            self._epsilon, self._rate = self.epsilon, self.rate
            episodes = envs.episodes
            self.advance(envs)
            self.env_steps += envs.num_envs
            if envs.episodes > episodes:
                self.exploration.end_episodes(list(envs.recent_returns)[episodes - envs.episodes :])
        self._errors /= max(1, steps)
        if self.q.device.type != "cpu":
            self.q.copy_(torch.from_numpy(self._table))

    def advance(self, envs: StateStream) -> None:
        """Do one step of all environments and learn from it."""
        self.update(envs.step_states(self.choose(envs.state)))

    def update(self, step: StateStep) -> None:
        """Learn from one step of all environments."""
        raise NotImplementedError

    def note(self, error: Any) -> None:
        """Count the size of an update's errors, for the log."""
        self._errors += abs(error) if isinstance(error, float) else float(np.abs(error).mean())

    def choose(self, state: Any) -> Any:
        """Return the actions of the behaviour: random with probability ``epsilon``, else one of the best alike.

        Args:
            state: ``(N,)`` int64, or one number.
        """
        if isinstance(state, int):
            if self.rng.random() < self._epsilon:
                return int(self.rng.integers(self.num_actions))
            row = self.values[state].tolist()
            best = max(row)
            if row.count(best) == 1:
                return row.index(best)
            return int(self.rng.choice([action for action, value in enumerate(row) if value == best]))
        values = self.values[state]
        action = ((values == values.max(1, keepdims=True)) * self.rng.random(values.shape)).argmax(1)
        exploring = self.rng.random(len(state)) < self._epsilon
        return np.where(exploring, self.rng.integers(self.num_actions, size=len(state)), action)

    @override
    def learn(self) -> dict[str, Tensor]:
        """Return what is logged: each step was learnt from when it was done."""
        found = {"td_error": self._errors, "epsilon": self.epsilon, "learning_rate": self.rate}
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in found.items()}

    def forward(self, observation: Tensor) -> Tensor:
        """Return the values ``(B, A)`` of the states ``(B,)`` int64."""
        return self.q[observation]

    @torch.no_grad()
    def act(self, observation: Tensor) -> Tensor:
        """Return the best known actions ``(N,)`` in states ``(N,)`` int64: the first of them where there are several."""
        return self(observation.to(self.device)).argmax(dim=1)

    @override
    def configure_optimizers(self) -> None:
        """There is none: an entry moves towards its target."""

    @override
    def agent_state(self) -> dict[str, Any]:
        """Add the generator of the table's agent."""
        return {**super().agent_state(), "rng": self.rng.bit_generator.state}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        """Take over what ``agent_state`` returned."""
        super().load_agent_state(state)
        self.rng.bit_generator.state = state["rng"]

    def action_values(self) -> Tensor:
        """Return the whole table ``(S, A)``."""
        values: Tensor = self(torch.arange(self.num_states, device=self.device))
        return values

    def example_batch(self, n: int) -> Tensor:
        """Return ``n`` states ``(n,)`` int64, drawn alike."""
        return torch.randint(self.num_states, (n,), device=self.device)
