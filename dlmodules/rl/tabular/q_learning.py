"""Q-learning."""

from typing import Any

from typing_extensions import override

from dlmodules.protocols import StateStep
from dlmodules.rl.tabular.base import TabularAgent
from dlmodules.rl.tabular.updates import move_towards


class QLearning(TabularAgent):
    """Learn the values of the best actions while doing others.

    Paper: Watkins and Dayan 1992, Q-learning, doi:10.1007/BF00992698. Books: vasilev 8.12, 1.10; atienza 9.3.0, 9.3.1,
    9.4, 9.5.1; lab L2, L3.

    Variants override ``next_value``, the estimate from which an update bootstraps.
    """

    def next_value(self, step: StateStep) -> Any:
        """Return the value ``(N,)`` of the best action in the next states."""
        return self.values[step.next_state].max(-1)

    @override
    def update(self, step: StateStep) -> None:
        """Move the value of what was done towards reward and discounted value of the best next action."""
        target = step.reward + self.gamma * (1 - step.terminated) * self.next_value(step)
        place = step.state * self.num_actions + step.action
        self.note(move_towards(self.values.reshape(-1), place, target, self._rate))
