"""Control by Monte Carlo: values are means of the returns of whole episodes."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.protocols import StateStep
from dlmodules.protocols.dynamics import States
from dlmodules.rl.tabular.base import TabularAgent
from dlmodules.rl.tabular.returns import discounted_returns
from dlmodules.rl.tabular.trajectories import Trajectories
from dlmodules.rl.tabular.updates import average_in, first_visits


class MonteCarloControl(TabularAgent):
    """Learn the values of the actions from whole episodes: the return that followed, on average.

    Nothing is learnt before an episode ends. One that was truncated is worth what it paid and what the table says of
    its last state: the mean of the next actions as the agent chooses them. Where the data module has
    ``exploring_starts``, episodes begin anywhere and with any action, and no other exploration is needed.

    Paper: Michie and Chambers 1968, BOXES: an experiment in adaptive control, Machine Intelligence 2.
    Books: vasilev 8.8, vasilev 8.9.

    Args:
        first_visit: count an action in a state once an episode, from its first time on; else each time.
        average: a value is the mean of all returns seen; else it moves towards each by ``learning_rate``, so that what
            was done long ago, by a worse policy, is forgotten.
        **kwargs: those of ``TabularAgent``.
    """

    visits: Tensor

    def __init__(self, first_visit: bool = True, average: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first_visit = first_visit
        self.average = average
        self.register_buffer("visits", torch.zeros(self.num_states, self.num_actions, dtype=torch.int64))
        self.trajectories = Trajectories(1)

    @override
    def setup(self, stage: str) -> None:
        super().setup(stage)
        if stage == "fit":
            # A new run; when it resumes one, load_agent_state comes next.
            self.trajectories = Trajectories(self.environments.train_envs.num_envs)

    @override
    def load_tables(self) -> None:
        super().load_tables()
        self.counts: States = self.visits.cpu().numpy()

    @override
    def store_tables(self) -> None:
        super().store_tables()
        if self.visits.device.type != "cpu":
            self.visits.copy_(torch.from_numpy(self.counts))

    @override
    def choose(self, state: Any) -> Any:
        """Return the actions of the behaviour; where starts are to explore, any first action."""
        action = super().choose(state)
        if not self.environments.exploring_starts:
            return action
        begins = self.trajectories.lengths == 0
        return np.where(begins, self.rng.integers(self.num_actions, size=len(begins)), action)

    @override
    def update(self, step: StateStep) -> None:
        """Keep the step, and learn from the episodes that it ends."""
        self.trajectories.append(step.state * self.num_actions + step.action, step.reward)
        for lane in np.flatnonzero(step.terminated | step.truncated).tolist():
            place, reward = self.trajectories.end(lane)
            is_terminal = np.atleast_1d(step.terminated)[lane]
            last = 0.0 if is_terminal else self.expected_value(np.atleast_1d(step.next_state)[lane])
            self.learn_episode(place, discounted_returns(reward, self.gamma, last))

    def learn_episode(self, place: Any, returns: Any) -> None:
        """Learn from what was done in an episode, places ``(T,)`` in the flat table, and the returns ``(T,)``."""
        if self.first_visit:
            first = first_visits(place)
            place, returns = place[first], returns[first]
        if self.average:
            self.note(average_in(self.table.reshape(-1), self.counts.reshape(-1), place, returns))
        else:
            self.move(place, returns)

    @override
    def agent_state(self) -> dict[str, Any]:
        """Add the running episodes."""
        return {**super().agent_state(), "trajectories": self.trajectories.state_dict()}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        super().load_agent_state(state)
        self.trajectories = Trajectories.restored(state["trajectories"])
