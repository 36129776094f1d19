"""Prediction by Monte Carlo: values are means of the returns of whole episodes."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.protocols import StateStep
from dlmodules.rl.tabular.prediction import Prediction
from dlmodules.rl.tabular.returns import discounted_returns
from dlmodules.rl.tabular.trajectories import Trajectories
from dlmodules.rl.tabular.updates import average_in, first_visits


class MonteCarloPrediction(Prediction):
    """Learn what a policy is worth as the mean of the returns that followed each state.

    Nothing is learnt before an episode ends. One that was truncated is worth what it paid and what the table says of
    its last state.

    Paper: Singh and Sutton 1996, Reinforcement learning with replacing eligibility traces, doi:10.1007/BF00114726.
    Books: vasilev 8.7.

    Args:
        first_visit: count a state once an episode, from its first time on; else each time.
        **kwargs: those of ``Prediction``.
    """

    visits: Tensor

    def __init__(self, first_visit: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first_visit = first_visit
        self.register_buffer("visits", torch.zeros(self.num_states, dtype=torch.int64))
        self.trajectories = Trajectories(1)

    @override
    def setup(self, stage: str) -> None:
        super().setup(stage)
        if stage == "fit":
            # A new run; when it resumes one, load_agent_state comes next.
            self.trajectories = Trajectories(self.environments.train_envs.num_envs)

    @override
    def update(self, step: StateStep) -> None:
        """Keep the step, and learn from the episodes that it ends."""
        self.trajectories.append(step.state, step.reward)
        for lane in np.flatnonzero(step.terminated | step.truncated).tolist():
            state, reward = self.trajectories.end(lane)
            last = 0.0 if step.terminated[lane] else self.table[step.next_state[lane]]
            returns = discounted_returns(reward, self.gamma, last)
            if self.first_visit:
                first = first_visits(state)
                state, returns = state[first], returns[first]
            visits = self.visits.cpu()  # the same memory, where the module is on the CPU
            self.note(average_in(self.table, visits.numpy(), state, returns))
            self.visits.copy_(visits)

    @override
    def agent_state(self) -> dict[str, Any]:
        """Add the running episodes."""
        return {**super().agent_state(), "trajectories": self.trajectories.state_dict()}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        super().load_agent_state(state)
        self.trajectories = Trajectories.restored(state["trajectories"])
