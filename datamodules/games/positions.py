"""The replay of positions, as bitboards: a few dozen bytes each."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlmodules.checkpoints.replay_segments import Segment, read_segments
from dlmodules.errors import UserError
from dlmodules.protocols.games import Boards
from dlmodules.protocols.self_play import Positions


class PositionReplay:
    """The last ``capacity`` positions of ended games; the oldest are overwritten.

    Bitboards are kept in the bits of int64, policies in half precision. Planes are made when they are needed.

    Args:
        capacity: how many positions it holds.
        num_actions: of the game.
    """

    def __init__(self, capacity: int, num_actions: int) -> None:
        self.capacity = capacity
        self.total = 0
        """How many were ever added; position k is, or was, at place ``k % capacity``."""
        self.written: dict[Path, list[Segment]] = {}
        self._columns = {
            "own": torch.zeros(capacity, dtype=torch.int64),
            "other": torch.zeros(capacity, dtype=torch.int64),
            "ply": torch.zeros(capacity, dtype=torch.int16),
            "policy": torch.zeros(capacity, num_actions, dtype=torch.float16),
            "value": torch.zeros(capacity, dtype=torch.float16),
            "outcome": torch.zeros(capacity, dtype=torch.int8),
        }

    def __len__(self) -> int:
        return min(self.total, self.capacity)

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return sum(column.nbytes for column in self._columns.values())

    def add(self, positions: Positions) -> None:
        """Store N positions at once; of more than ``capacity`` the last ones stay."""
        n = len(positions.value)
        places = torch.arange(self.total, self.total + n)[-self.capacity :] % self.capacity
        boards = positions.boards
        rows = {
            "own": boards.own.view(np.int64),
            "other": boards.other.view(np.int64),
            "ply": boards.ply,
            "policy": positions.policy,
            "value": positions.value,
            "outcome": positions.outcome,
        }
        for name, column in self._columns.items():
            column[places] = torch.from_numpy(np.ascontiguousarray(rows[name]))[-self.capacity :].to(column.dtype)
        self.total += n

    def sample(self, n: int, generator: torch.Generator) -> Positions:
        """Return ``n`` stored positions, drawn uniformly with replacement."""
        return self.get(torch.randint(len(self), (n,), generator=generator))

    def get(self, places: Tensor) -> Positions:
        """Return the positions at ``places`` ``(n,)``."""
        rows = {name: column[places].numpy() for name, column in self._columns.items()}
        own, other = rows["own"].view(np.uint64), rows["other"].view(np.uint64)
        policy, value, outcome = (rows[name].astype(np.float32) for name in ("policy", "value", "outcome"))
        return Positions(Boards(own, other, rows["ply"].astype(np.int64)), policy, value, outcome)

    def summary(self) -> dict[str, Any]:
        """Return the numbers in its state."""
        return {"capacity": self.capacity, "total": self.total}

    def state_dict(self) -> dict[str, Any]:
        """Return the filled part, and how many were ever added."""
        return {**self.summary(), **{name: column[: len(self)].clone() for name, column in self._columns.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned, or what lies in segments beside a checkpoint.

        Raises:
            UserError: it is of another capacity, or a segment cannot be read.
        """
        if state["capacity"] != self.capacity:
            raise UserError(
                f"the checkpoint's replay has a capacity of {state['capacity']} positions, not {self.capacity}:"
                f" resume with replay_capacity={state['capacity']}"
            )
        if "segments" in state:
            self._load_segments(state["folder"], state["segments"])
            return
        self.total, self.written = state["total"], {}
        for name, column in self._columns.items():
            column[: len(self)] = state[name]

    def record(self, first: int, last: int) -> dict[str, Tensor]:
        """Return the positions ``first`` to ``last - 1``, for a segment."""
        places = torch.arange(first, last) % self.capacity
        return {name: column[places] for name, column in self._columns.items()}

    def _load_segments(self, folder: Path, segments: list[Segment]) -> None:
        self.total, self.written = segments[-1].last if segments else 0, {folder: segments}
        for segment, record in read_segments(folder, segments):
            places = torch.arange(max(segment.first, self.total - self.capacity), segment.last) % self.capacity
            for name, column in self._columns.items():
                column[places] = record[name][-len(places) :]
