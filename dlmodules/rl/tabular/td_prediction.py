"""Prediction by temporal differences: TD(0), n-step TD, TD(lambda)."""

from typing import Any

import numpy as np
import torch
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.protocols import StateStep
from dlmodules.protocols.dynamics import Numbers, States
from dlmodules.rl.tabular.prediction import Prediction
from dlmodules.rl.tabular.returns import lambda_return, n_step_return
from dlmodules.rl.tabular.trajectories import Trajectories
from dlmodules.rl.tabular.updates import move_towards
from dlmodules.training.annealing import linear_annealing
from dlmodules.validation.arguments import check_fractions, require_at_least


class TDPrediction(Prediction):
    """Learn what a policy is worth from what it is said to be worth some steps later.

    A state moves towards the rewards of the next ``n`` steps and the value of where they lead: TD(0) with one step.
    The last n - 1 states of an episode move when it ends. With ``trace_decay`` each moves, when the episode has ended,
    towards the mean of all these returns, TD(lambda); the values that they bootstrap from are those before the episode.
    The last state of a truncated episode is worth what the table says.

    Paper: Sutton 1988, Learning to predict by the methods of temporal differences, doi:10.1007/BF00115009.
    Books: vasilev 8.10, atienza 9.4.

    Logged besides: ``train/learning_rate``.

    Args:
        n: steps until it bootstraps.
        trace_decay: lambda, in [0, 1]: the weight of each further step; None for ``n`` steps instead.
        learning_rate: how far a value moves towards its target, in [0, 1].
        learning_rate_end: the last one; it falls along a line until the budget is used up. None keeps it.
        **kwargs: those of ``Prediction``.
    """

    def __init__(
        self,
        n: int = 1,
        trace_decay: float | None = None,
        learning_rate: float = 0.1,
        learning_rate_end: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_at_least(1, n=n)
        check_fractions(trace_decay=trace_decay, learning_rate=learning_rate, learning_rate_end=learning_rate_end)
        if trace_decay is not None and n > 1:
            raise UserError(
                f"trace_decay is {trace_decay} and n is {n}; set one of them: lambda weights all numbers of steps"
            )
        self.n = n
        self.trace_decay = trace_decay
        self.learning_rate = learning_rate
        self.learning_rate_end = learning_rate if learning_rate_end is None else learning_rate_end
        self._begin_episodes(1)

    def _begin_episodes(self, num_envs: int) -> None:
        self.trajectories = Trajectories(num_envs)
        # The last n steps of each environment, the latest last, and how many there are.
        self.states: States = np.zeros((self.n, num_envs), dtype=np.int64)
        self.rewards: Numbers = np.zeros((self.n, num_envs))
        self.filled: States = np.zeros(num_envs, dtype=np.int64)

    @override
    def setup(self, stage: str) -> None:
        super().setup(stage)
        if stage == "fit":  # a new run; when it resumes one, load_agent_state comes next
            self._begin_episodes(self.environments.train_envs.num_envs)

    @property
    def rate(self) -> float:
        """The learning rate now."""
        total = self.environments.total_steps
        return linear_annealing(self.env_steps, self.learning_rate, self.learning_rate_end, total)

    @override
    def update(self, step: StateStep) -> None:
        """Move what ``n`` steps, or the end of an episode, have told of."""
        if self.trace_decay is None:
            self.learn_from_steps(step)
        else:
            self.learn_from_episodes(step, self.trace_decay)

    def learn_from_steps(self, step: StateStep) -> None:
        """Move the state of n steps ago; where an episode ended, those after it, too, by the steps that are left."""
        self.states[:-1], self.rewards[:-1] = self.states[1:].copy(), self.rewards[1:].copy()
        self.states[-1], self.rewards[-1] = step.state, step.reward
        self.filled = np.minimum(self.filled + 1, self.n)
        ended = step.terminated | step.truncated
        for steps in range(self.n, 0 if ended.any() else self.n - 1, -1):
            lanes = np.flatnonzero((self.filled >= steps) & (ended | (steps == self.n)))
            if len(lanes):
                last = np.where(step.terminated[lanes], 0.0, self.table[step.next_state[lanes]])
                target = n_step_return(self.rewards[-steps:, lanes], self.gamma, last)
                self.note(move_towards(self.table, self.states[-steps, lanes], target, self.rate))
        self.filled[ended] = 0

    def learn_from_episodes(self, step: StateStep, trace_decay: float) -> None:
        """Keep the step, and move all states of the episodes that it ends."""
        self.trajectories.append(step.state, step.reward)
        for lane in np.flatnonzero(step.terminated | step.truncated).tolist():
            state, reward = self.trajectories.end(lane)
            last = 0.0 if step.terminated[lane] else self.table[step.next_state[lane]]
            next_value = np.append(self.table[state[1:]], last)
            target = lambda_return(reward, next_value, self.gamma, trace_decay)
            self.note(move_towards(self.table, state, target, self.rate))

    @override
    def learn(self) -> dict[str, torch.Tensor]:
        return {**super().learn(), "learning_rate": torch.tensor(self.rate)}

    @override
    def agent_state(self) -> dict[str, Any]:
        """Add the running episodes, or their last steps."""
        last = {name: torch.from_numpy(getattr(self, name).copy()) for name in ("states", "rewards", "filled")}
        return {**super().agent_state(), "trajectories": self.trajectories.state_dict(), "last_steps": last}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        super().load_agent_state(state)
        self.trajectories = Trajectories.restored(state["trajectories"])
        for name, tensor in state["last_steps"].items():
            setattr(self, name, tensor.cpu().numpy().copy())
