"""Sarsa, and expected Sarsa."""

from typing import Any

import torch
from typing_extensions import override

from dlmodules.protocols import StateStep, StateStream
from dlmodules.rl.tabular.base import TabularAgent


class Sarsa(TabularAgent):
    """Learn the values of the actions as the agent does them, exploration included.

    The next action is chosen before the update, and then done: state, action, reward, state, action. An episode that
    was truncated bootstraps from an action chosen in its last state.

    Paper: Rummery and Niranjan 1994, On-line Q-learning using connectionist systems, CUED/F-INFENG/TR 166.
    Books: vasilev 8.11, atienza 9.4.
    """

    pending: Any = None
    """``(N,)`` int64, or one number: chosen and not yet done. None before the first step."""

    @override
    def setup(self, stage: str) -> None:
        super().setup(stage)
        if stage == "fit":
            self.pending = None  # a new run; when it resumes one, load_agent_state comes next

    @override
    def advance(self, envs: StateStream) -> None:
        action = self.choose(envs.state) if self.pending is None else self.pending
        step = envs.step_states(action)
        self.pending = self.choose(step.next_state)
        self.update(step)
        self.choose_first_actions(envs, step)

    def choose_first_actions(self, envs: StateStream, step: StateStep) -> None:
        """Choose anew where another episode begins: not in the state where the last one ended."""
        ended = step.terminated | step.truncated
        if isinstance(envs.state, int):
            self.pending = self.choose(envs.state) if ended else self.pending
        elif ended.any():
            self.pending[ended] = self.choose(envs.state[ended])

    @override
    def next_value(self, step: StateStep) -> Any:
        """Return the values ``(N,)`` of the actions that come next."""
        return self.table[step.next_state, self.pending]

    @override
    def agent_state(self) -> dict[str, Any]:
        """Add the action that comes next."""
        pending = None if self.pending is None else torch.tensor(self.pending)
        return {**super().agent_state(), "pending": pending}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        super().load_agent_state(state)
        pending = state["pending"]
        if pending is None:
            self.pending = None
        else:
            self.pending = pending.cpu().numpy().copy() if pending.ndim else int(pending)


class ExpectedSarsa(TabularAgent):
    """Learn as Sarsa does, from the mean over the behaviour's next actions instead of the one that is done.

    Without exploration it is Q-learning.

    Paper: van Seijen et al. 2009, A theoretical and empirical analysis of expected Sarsa,
    doi:10.1109/ADPRL.2009.4927542.
    Books: vasilev 8.11.
    """

    @override
    def next_value(self, step: StateStep) -> Any:
        """Return the mean values ``(N,)`` of the behaviour's next actions."""
        return self.expected_value(step.next_state)
