"""Whole episodes out of the steps of environments that go on side by side."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from dlmodules.protocols import Transition
from dlmodules.rl.rollouts import Rollout


class Episodes:
    """Keeps the steps of the running episodes, and gives out those that have ended.

    Attributes:
        ended: the episodes that ended since ``take``, each a ``Rollout`` of one environment.
    """

    def __init__(self) -> None:
        self.ended: list[Rollout] = []
        self._steps: list[Transition] = []
        self._begun: list[int] = []  # for each environment, which of the kept steps began its running episode

    def add(self, step: Transition) -> None:
        """Take in one step of all environments."""
        self._begun = self._begun or [0] * len(step)
        self._steps.append(step)
        lanes = step.ended.nonzero().flatten().tolist()
        for lane in lanes:
            self.ended.append(_of_lane(self._steps[self._begun[lane] :], lane))
            self._begun[lane] = len(self._steps)
        if lanes:
            forgotten = min(self._begun)
            self._steps = self._steps[forgotten:]
            self._begun = [begun - forgotten for begun in self._begun]

    def take(self) -> list[Rollout]:
        """Return the episodes that have ended, and forget them."""
        ended, self.ended = self.ended, []
        return ended

    def state_dict(self) -> dict[str, Any]:
        """Return the running episodes, and those that ended and were not taken, as plain values and tensors."""
        kept = {
            name: torch.stack([getattr(step, name) for step in self._steps]) for name in Rollout._fields if self._steps
        }
        return {"begun": self._begun, "steps": kept, "ended": [episode._asdict() for episode in self.ended]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        kept: Mapping[str, Tensor] = state["steps"]
        count = len(kept["reward"]) if kept else 0
        fields: list[dict[str, Any]] = [{name: part[t] for name, part in kept.items()} for t in range(count)]
        self._steps = [Transition(**each) for each in fields]
        self._begun = list(state["begun"])
        self.ended = [Rollout(**episode) for episode in state["ended"]]


def _of_lane(steps: list[Transition], lane: int) -> Rollout:
    columns = (torch.stack([getattr(step, name)[lane] for step in steps]) for name in Rollout._fields)
    return Rollout(*(column if place < 3 else column[:, None] for place, column in enumerate(columns)))
