"""Policy iteration."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.protocols import Dynamics
from dlmodules.rl.tabular.planner import Planner
from dlmodules.rl.tabular.planning import TIE, evaluation_sweep, greedy_policy
from dlmodules.validation.arguments import check_at_least_one


class PolicyIteration(Planner):
    """Evaluate a policy by sweeps, then take the best actions by these values, and so on until none is better.

    Paper: Howard 1960, Dynamic Programming and Markov Processes.
    Books: vasilev 8.5, vasilev 8.6.

    It begins with all actions alike; actions that are equally good share. With few ``evaluation_sweeps`` it improves a
    policy before it is known well, which is less work: with 1 it is nearly ``ValueIteration``.

    Logged besides what planning logs: ``train/improvements`` (policies so far after the first).

    Args:
        evaluation_sweeps: the most between two improvements; None sweeps until no value changes by ``theta``.
        kwargs: as ``Planner``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"theta": 0.0, "evaluation_sweeps": 4}

    policy: Tensor
    improvements: Tensor
    sweeps_of_policy: Tensor

    def __init__(self, evaluation_sweeps: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_at_least_one(evaluation_sweeps=evaluation_sweeps)
        self.evaluation_sweeps = evaluation_sweeps
        self.register_buffer("policy", torch.full_like(self.q, 1 / self.num_actions))
        self.register_buffer("improvements", torch.zeros((), dtype=torch.int64))
        self.register_buffer("sweeps_of_policy", torch.zeros((), dtype=torch.int64))

    @override
    def sweep(self, dynamics: Dynamics, v: Tensor) -> tuple[Tensor, float]:
        return evaluation_sweep(dynamics, self.policy.cpu(), v, self.gamma)

    @override
    def after_sweep(self) -> bool:
        """Improve the policy where it is known well enough; where no action is better, it is the best."""
        self.sweeps_of_policy += 1
        is_known = self.delta < self.theta
        if not is_known and self.sweeps_of_policy != self.evaluation_sweeps:
            return False
        # Values are known to a multiple of theta: actions that differ by less would take turns for ever.
        better = greedy_policy(self.q, tie=max(TIE, 100 * self.theta))
        is_best = bool((self.policy.bool() == better.bool()).all())
        if is_known and is_best:
            return True
        self.policy.copy_(better)
        self.improvements += int(not is_best)
        self.sweeps_of_policy.zero_()
        return False

    @override
    def measures(self) -> dict[str, Tensor]:
        return {**super().measures(), "improvements": self.improvements.double()}
