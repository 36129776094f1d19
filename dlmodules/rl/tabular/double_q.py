"""Double Q-learning."""

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.protocols import StateStep
from dlmodules.protocols.dynamics import Numbers
from dlmodules.rl.tabular.base import TabularAgent
from dlmodules.rl.tabular.updates import move_towards


class DoubleQLearning(TabularAgent):
    """Learn two tables, each from what the other thinks of its best actions, so that luck is not taken for value.

    The largest of several uncertain values is too large on average, and so are the targets of Q-learning. Here a coin
    chooses, for each environment and step, which table learns: it names the best next action, and the other one says
    what that is worth. The agent acts on the sum of both.

    Paper: van Hasselt 2010, Double Q-learning, NeurIPS.
    Books: vasilev 8.13.
    """

    table_names: ClassVar[tuple[str, ...]] = ("q", "q_other")
    q_other: Tensor

    @override
    def load_tables(self) -> None:
        self.tables: Numbers = np.stack([getattr(self, name).cpu().numpy() for name in self.table_names])

    @override
    def store_tables(self) -> None:
        for name, table in zip(self.table_names, self.tables, strict=True):
            getattr(self, name).copy_(torch.from_numpy(table))

    @override
    def values(self, state: Any) -> Any:
        return self.tables[0, state] + self.tables[1, state]

    @override
    def update(self, step: StateStep) -> None:
        """Move an entry of the table that the coin chooses towards what the other one thinks of its best action."""
        own = self.rng.integers(2, size=np.shape(step.state))
        best = self.tables[own, step.next_state].argmax(-1)
        value = self.tables[1 - own, step.next_state, best]
        target = step.reward + self.gamma * (1 - step.terminated) * value
        place = (own * self.num_states + step.state) * self.num_actions + step.action
        self.note(move_towards(self.tables.reshape(-1), place, target, self.now.rate))

    @override
    def action_values(self) -> Tensor:
        """Return the values ``(S, A)`` of the actions: the mean of both tables."""
        return (self.q + self.q_other) / 2
