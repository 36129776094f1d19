"""Games that are played side by side, and what is remembered of them until they end."""

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from datamodules.games.positions import PositionReplay
from dlmodules.errors import UserError
from dlmodules.protocols.games import Boards, Flags, Floats, Game, Integers
from dlmodules.protocols.self_play import Positions
from dlmodules.sampling.openings import random_opening

WINDOW = 100
"""So many ended games ``recent_returns`` and ``recent_lengths`` look back."""


class GameStream:
    """N games of which another begins where one ends; an ended one goes to the replay with its outcome.

    Nothing here is drawn from a generator that has a state: the opening of a game hangs on ``seed`` and its number.

    Args:
        game: the rules.
        positions: takes the positions of ended games.
        num_games: how many are played side by side.
        opening_plies: a game begins with at most so many moves at random; how many is random, too.
        seed: of the openings.
    """

    def __init__(
        self, game: Game, positions: PositionReplay, num_games: int, opening_plies: int = 0, seed: int = 0
    ) -> None:
        self.game, self.positions = game, positions
        self.num_envs, self.opening_plies, self.seed = num_games, opening_plies, seed
        self.begun, self.episodes = 0, 0
        self.recent_returns: deque[float] = deque(maxlen=WINDOW)
        self.recent_lengths: deque[int] = deque(maxlen=WINDOW)
        plies, actions = game.max_plies, game.num_actions
        self.boards = game.start(num_games)
        self._own = np.zeros((num_games, plies), np.uint64)
        self._other = np.zeros((num_games, plies), np.uint64)
        self._ply = np.zeros((num_games, plies), np.int64)
        self._policy = np.zeros((num_games, plies, actions), np.float16)
        self._value = np.zeros((num_games, plies), np.float16)
        self._kept = np.zeros(num_games, np.int64)  # positions remembered of each running game
        self._begin(np.arange(num_games))

    @property
    def observation(self) -> Tensor:
        """``(N, C, H, W)`` the planes of the running games."""
        return torch.from_numpy(self.game.planes(self.boards))

    def step(self, action: Tensor, info: Any = None) -> Any:
        """Raise UserError: there is no reward and nobody else who moves."""
        raise UserError("games against oneself are learnt from by AlphaZero; this agent needs an EnvironmentDataModule")

    def play(self, action: Integers, policy: Floats, value: Floats, keep: Flags) -> None:
        """Make the moves ``(N,)``; begin other games where that ends one.

        Args:
            action: ``(N,)`` legal moves.
            policy: ``(N, A)`` what is to be learnt of the positions before them.
            value: ``(N,)`` what the search thought them worth for the player to move.
            keep: ``(N,)`` which of the positions are remembered.
        """
        rows = np.flatnonzero(keep)
        at = self._kept[rows]
        self._own[rows, at], self._other[rows, at], self._ply[rows, at] = self.boards.at(rows)
        self._policy[rows, at], self._value[rows, at] = policy[rows], value[rows]
        self._kept[rows] += 1
        self.boards = self.game.play(self.boards, action)
        ended, worth = self.game.outcome(self.boards)
        if ended.any():
            games = np.flatnonzero(ended)
            self._end(games, worth[games])
            self._begin(games)

    def _end(self, games: Integers, worth: Floats) -> None:
        """Hand ended games to the replay; ``worth`` is their outcome for the player who would be to move."""
        kept = np.arange(self.game.max_plies) < self._kept[games, None]
        row, at = np.nonzero(kept)
        game, ply = games[row], self.boards.ply[games]
        # The outcome is the player's who is to move at the end: another's where the number of moves between is odd.
        between = ply[row] - self._ply[game, at]
        outcome = np.where(between % 2 == 0, worth[row], -worth[row])
        boards = Boards(self._own[game, at], self._other[game, at], self._ply[game, at])
        self.positions.add(
            Positions(
                boards, self._policy[game, at].astype(np.float32), self._value[game, at].astype(np.float32), outcome
            )
        )
        of_first = np.where(ply % 2 == 0, worth, -worth)
        self.recent_returns.extend(of_first.tolist())
        self.recent_lengths.extend(ply.tolist())
        self.episodes += len(games)
        self._kept[games] = 0

    def _begin(self, games: Integers) -> None:
        """Begin anew in ``games``."""
        for game in games:
            board = opening(self.game, self.opening_plies, (self.seed, self.begun))
            for array, value in zip(self.boards, board, strict=True):
                array[game] = value[0]
            self.begun += 1

    def state_dict(self) -> dict[str, Any]:
        """Return where the games stand, as plain values and tensors."""
        own, other, ply = self.boards
        longest = int(self._kept.max())  # no game has remembered more
        arrays: dict[str, npt.NDArray[Any]] = {
            "own": own.view(np.int64),
            "other": other.view(np.int64),
            "ply": ply,
            "kept": self._kept,
            "positions_own": self._own[:, :longest].view(np.int64),
            "positions_other": self._other[:, :longest].view(np.int64),
            "positions_ply": self._ply[:, :longest],
            "positions_policy": self._policy[:, :longest],
            "positions_value": self._value[:, :longest],
        }
        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        counts = {"begun": self.begun, "episodes": self.episodes}
        recent = {"returns": list(self.recent_returns), "lengths": list(self.recent_lengths)}
        return {**counts, **recent, **tensors}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned. Raises UserError where it is of another number of games."""
        if len(state["own"]) != self.num_envs:
            found = len(state["own"])
            raise UserError(
                f"the checkpoint holds {found} running games, not {self.num_envs}: resume with num_games={found}"
            )
        array = {name: value.numpy().copy() for name, value in state.items() if isinstance(value, Tensor)}
        self.boards = Boards(array["own"].view(np.uint64), array["other"].view(np.uint64), array["ply"])
        self._kept = array["kept"]
        longest = array["positions_ply"].shape[1]
        self._own[:, :longest] = array["positions_own"].view(np.uint64)
        self._other[:, :longest] = array["positions_other"].view(np.uint64)
        for name in ("ply", "policy", "value"):
            getattr(self, f"_{name}")[:, :longest] = array[f"positions_{name}"]
        self.begun, self.episodes = state["begun"], state["episodes"]
        self.recent_returns = deque(state["returns"], WINDOW)
        self.recent_lengths = deque(state["lengths"], WINDOW)

    def close(self) -> None:
        """There is nothing to end."""


def opening(game: Game, most_plies: int, seed: tuple[int, ...]) -> Boards:
    """Return one game after 0 to ``most_plies`` moves at random, always the same for ``seed``; it goes on."""
    if not most_plies:
        return game.start(1)
    rng = np.random.default_rng(seed)
    return random_opening(game, int(rng.integers(most_plies + 1)), rng)
