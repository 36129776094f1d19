"""Games against oneself as the data of a module that learns to play: its running games, and the replay of positions."""

from collections.abc import Mapping
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pytorch_lightning import LightningDataModule
from typing_extensions import override

from datamodules.base.iterations import iteration_loader
from datamodules.base.tryable import Tryable
from datamodules.games import make_game
from datamodules.games.positions import PositionReplay
from datamodules.games.stream import GameStream
from dlmodules.errors import UserError
from dlmodules.protocols.games import Game
from dlmodules.protocols.self_play import HeldOutGames
from dlmodules.validation.arguments import require_at_least

if TYPE_CHECKING:
    import gymnasium as gym
    from torch.utils.data import DataLoader

SPLITS = {"val": 1, "test": 2}
"""What keeps the openings of a test apart from those of validations."""


class SelfPlayDataModule(Tryable, LightningDataModule):
    """A game as the data of ``AlphaZero``: the games that it plays against itself, and the positions it learns from.

    It holds ``train_envs``, the games that are played side by side, and ``positions``, the replay of those that have
    ended. Both are in every checkpoint, down to the move inside a game; a search begins anew with each move, so that
    no tree need be kept. The train loader yields the numbers of an epoch's iterations. Held-out games are played
    against ``opponent`` from openings of random moves, each of them once from either side.

    Args:
        game: ``tic_tac_toe``, ``connect_four`` or ``othello6``, or the import path of a class with the methods of
            ``dlmodules.protocols.games.Game``.
        num_games: games that are played side by side, at least 1. One call of the network is for all of them.
        total_steps: training ends after so many moves, counted over all games.
        steps_per_epoch: moves between two validations.
        replay_capacity: positions that are remembered; the oldest are forgotten.
        opening_plies: a game begins with 0 to so many moves at random, which nobody learns: more positions are seen.
        opponent: whom held-out games are played against, such as ``random``, ``minimax:2`` or ``uct:100``;
            ``every_line`` is all sequences of moves that an opponent may choose, for TicTacToe.
        test_opponent: whom the games of a test are played against; None is the same.
        eval_games: games of a validation, an even number.
        test_games: games of a test, an even number.
        eval_plies: random moves of an opening of held-out games.
        seed: of openings; equal seeds give equal games for equal moves.

    Raises:
        UserError: there is no such game, or a number is too small.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {
        "num_games": 8,
        "total_steps": 100_000,
        "steps_per_epoch": 512,
        "replay_capacity": 1_000,
        "opponent": "random",
        "eval_games": 2,
        "test_games": 2,
    }

    def __init__(
        self,
        game: str = "tic_tac_toe",
        num_games: int = 64,
        total_steps: int = 50_000,
        steps_per_epoch: int = 5_000,
        replay_capacity: int = 50_000,
        opening_plies: int = 0,
        opponent: str = "random",
        test_opponent: str | None = None,
        eval_games: int = 40,
        test_games: int = 200,
        eval_plies: int = 2,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        require_at_least(1, num_games=num_games, total_steps=total_steps, steps_per_epoch=steps_per_epoch)
        require_at_least(1, replay_capacity=replay_capacity)
        require_at_least(2, eval_games=eval_games, test_games=test_games)
        require_at_least(0, opening_plies=opening_plies, eval_plies=eval_plies, seed=seed)
        self.game: Game = make_game(game)
        self.game_name = game
        self.num_games = num_games
        self.total_steps = total_steps
        self.steps_per_epoch = steps_per_epoch
        self.replay_capacity = replay_capacity
        self.opening_plies = opening_plies
        self.opponents = {"val": opponent, "test": test_opponent or opponent}
        self.games = {"val": eval_games, "test": test_games}
        self.eval_plies = eval_plies
        self.seed = seed
        self._stream: GameStream | None = None
        self._stream_state: dict[str, Any] | None = None
        self._new_games()

    def _new_games(self) -> None:
        self.positions = PositionReplay(self.replay_capacity, self.game.num_actions)
        self._stream, self._stream_state = None, None

    @property
    def board_shape(self) -> tuple[int, int]:
        """Rows and columns of the board."""
        return self.game.board_shape

    @property
    def num_planes(self) -> int:
        """How many maps describe a position."""
        return self.game.num_planes

    @property
    def num_actions(self) -> int:
        """How many actions there are, numbered from 0."""
        return self.game.num_actions

    @cached_property
    def observation_space(self) -> "gym.Space[Any]":
        """What ``make_env`` shows: the planes ``(C * H * W,)``, and 1 for each legal action ``(A,)``, else 0."""
        from gymnasium.spaces import Box

        return Box(0.0, 1.0, (self.num_planes * prod(self.board_shape) + self.num_actions,), np.float32)

    @cached_property
    def action_space(self) -> "gym.Space[Any]":
        """The actions of the game."""
        from gymnasium.spaces import Discrete

        return Discrete(self.num_actions)

    def make_env(self, render_mode: str | None = None) -> "gym.Env[Any, Any]":
        """Return a game against a player of random moves as a Gymnasium environment, to look at.

        Args:
            render_mode: ``rgb_array`` for pictures; None draws nothing.
        """
        from datamodules.games.environment import GameEnv

        return GameEnv(self.game, render_mode)

    @property
    def train_envs(self) -> GameStream:
        """The running games."""
        if self._stream is None:
            self._stream = GameStream(self.game, self.positions, self.num_games, self.opening_plies, self.seed)
            if self._stream_state is not None:
                self._stream.load_state_dict(self._stream_state)
        return self._stream

    def held_out(self, split: Literal["val", "test"]) -> HeldOutGames:
        """Return which games a player is measured by, the same in every evaluation."""
        seed = int(np.random.SeedSequence((self.seed, SPLITS[split])).generate_state(1)[0])
        return HeldOutGames(self.opponents[split], self.games[split], self.eval_plies, seed)

    @override
    def setup(self, stage: str) -> None:
        """Begin new games."""
        if stage == "fit":  # a new run; when it resumes one, load_state_dict comes next
            self._new_games()

    @override
    def train_dataloader(self) -> "DataLoader[int]":
        """Yield the numbers of one epoch's iterations; a resumed run goes on with the next one."""
        return iteration_loader(self.trainer, self.num_games, self.steps_per_epoch)

    @override
    def val_dataloader(self) -> "DataLoader[HeldOutGames]":
        """Yield the games of a validation."""
        return self._split_loader("val")

    @override
    def test_dataloader(self) -> "DataLoader[HeldOutGames]":
        """Yield the games of a test."""
        return self._split_loader("test")

    def _split_loader(self, split: Literal["val", "test"]) -> "DataLoader[HeldOutGames]":
        from torch.utils.data import DataLoader

        return DataLoader([self.held_out(split)], batch_size=None)  # type: ignore[arg-type]  # a list will do

    @override
    def state_dict(self) -> dict[str, Any]:
        """Return where the running games stand; the replay is with the module, which knows where it is written."""
        state = self._stream.state_dict() if self._stream is not None else self._stream_state
        return {"game": self.game_name, "train_envs": state}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue where a checkpoint left off. Raises UserError for one of another game."""
        if state_dict["game"] != self.game_name:
            raise UserError(
                f"the checkpoint is of {state_dict['game']}, not of {self.game_name}: resume with that game"
            )
        self._stream, self._stream_state = None, state_dict["train_envs"]
