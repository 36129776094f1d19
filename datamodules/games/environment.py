"""A game against a player of random moves as a Gymnasium environment, to look at and to film."""

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete
from typing_extensions import override

from datamodules.games.frame import board_frame
from dlmodules.errors import UserError
from dlmodules.protocols.games import Game
from dlmodules.sampling.openings import random_move


class GameEnv(gym.Env[npt.NDArray[np.float32], np.int64]):
    """One side of a game, the other of which moves at random; who begins is drawn with the seed.

    An observation ``(C * H * W + A,)`` has the planes of the position and then 1 for each legal action, else 0. The
    reward of the last move is 1 for a win, -1 for a loss, and 0 for a draw.

    Args:
        game: the rules.
        render_mode: ``rgb_array`` for pictures; None draws nothing.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 2}  # noqa: RUF012  # Gymnasium has an instance variable here

    def __init__(self, game: Game, render_mode: str | None = None) -> None:
        self.game, self.render_mode = game, render_mode
        self.boards = game.start(1)
        rows, columns = game.board_shape
        length = game.num_planes * rows * columns + game.num_actions
        self.observation_space = Box(0.0, 1.0, (length,), np.float32)
        self.action_space = Discrete(game.num_actions)

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Begin a game, in which the other side has moved already where it is first."""
        super().reset(seed=seed)
        self.boards = self.game.start(1)
        if self.np_random.random() < 0.5:
            self.boards = random_move(self.game, self.boards, self.np_random)
        return self._observation(), {}

    @override
    def step(self, action: np.int64) -> tuple[npt.NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Move, and let the other side move. Raises UserError for a move that is not legal."""
        if not self.game.legal(self.boards)[0, action]:
            raise UserError(f"action {action} is not legal in {self.game.name}")
        self.boards = self.game.play(self.boards, np.array([action]))
        ended, value = self.game.outcome(self.boards)
        if ended[0]:
            return self._observation(), -float(value[0]), True, False, {}
        self.boards = random_move(self.game, self.boards, self.np_random)
        ended, value = self.game.outcome(self.boards)
        return self._observation(), float(value[0]), bool(ended[0]), False, {}

    def _observation(self) -> npt.NDArray[np.float32]:
        planes, legal = self.game.planes(self.boards)[0], self.game.legal(self.boards)[0]
        return np.concatenate((planes.reshape(-1), legal.astype(np.float32)))

    @override
    def render(self) -> npt.NDArray[np.uint8]:
        """Return a picture of the board, ``(H, W, 3)``."""
        return board_frame(self.game, self.boards)
