"""Q-learning."""

from typing import Any

from typing_extensions import override

from dlmodules.protocols import StateStep
from dlmodules.rl.tabular.base import TabularAgent
from dlmodules.rl.tabular.updates import best


class QLearning(TabularAgent):
    """Learn the values of the best actions while doing others.

    The value of what was done moves towards the reward and the discounted value of the best next action, whatever is
    done next.

    Paper: Watkins and Dayan 1992, Q-learning, doi:10.1007/BF00992698.
    Books: vasilev 8.12, vasilev 1.10, atienza 9.3.0, atienza 9.3.1, atienza 9.4, atienza 9.5.1, lab L2, lab L3.

    Variants override ``next_value``, the estimate from which an update bootstraps.
    """

    @override
    def next_value(self, step: StateStep) -> Any:
        """Return the values ``(N,)`` of the best actions in the next states."""
        return best(self.values(step.next_state))
