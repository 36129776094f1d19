"""Policy evaluation."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from typing_extensions import override

from dlmodules.protocols import Dynamics
from dlmodules.rl.tabular.planner import Planner
from dlmodules.rl.tabular.planning import evaluation_sweep, policy_rows


class PolicyEvaluation(Planner):
    """Compute the values of a policy, by sweeps over all states.

    Paper: Bellman 1957, Dynamic Programming.
    Books: vasilev 8.3, vasilev 8.4, vasilev 8.5.

    Acting is by the improved policy (vasilev 8.5): the best actions, given these values of what comes after them.

    Args:
        policy: the probabilities of the actions in each state, ``(S, A)``; None takes all actions alike.
        kwargs: as ``Planner``.
    """

    policy: Tensor

    def __init__(self, policy: Sequence[Sequence[float]] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.register_buffer("policy", policy_rows(policy, self.num_states, self.num_actions))

    @override
    def sweep(self, dynamics: Dynamics, v: Tensor) -> tuple[Tensor, float]:
        return evaluation_sweep(dynamics, self.policy.cpu(), v, self.gamma)
