"""Value iteration."""

from torch import Tensor
from typing_extensions import override

from dlmodules.protocols import Dynamics
from dlmodules.rl.tabular.planner import Planner
from dlmodules.rl.tabular.planning import optimality_sweep


class ValueIteration(Planner):
    """Compute the values of the best policy: a sweep gives each state the value of its best action.

    Paper: Bellman 1957, Dynamic Programming.
    Books: vasilev 8.1, vasilev 8.2, vasilev 8.3, vasilev 8.6.
    """

    @override
    def sweep(self, dynamics: Dynamics, v: Tensor) -> tuple[Tensor, float]:
        return optimality_sweep(dynamics, v, self.gamma)
