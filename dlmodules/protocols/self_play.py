"""What a module that learns from its own games asks of the data module that keeps them."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch

from dlmodules.protocols.games import Boards, Flags, Floats, Game, Integers

EVERY_LINE = "every_line"
"""The opponent that makes every sequence of moves there is, in a small game."""


class Positions(NamedTuple):
    """Positions of games that have ended.

    Attributes:
        boards: N positions.
        policy: ``(N, A)``, what is to be learnt of the actions; its rows sum to 1.
        value: ``(N,)``, what the search thought the positions worth to the player to move.
        outcome: ``(N,)``, how the games ended for the player to move: -1, 0 or 1.
    """

    boards: Boards
    policy: Floats
    value: Floats
    outcome: Floats


class HeldOutGames(NamedTuple):
    """Games by which a player is measured.

    Attributes:
        opponent: whom they are played against, as ``random``, ``minimax:2`` or ``uct:100``; ``every_line`` is all
            sequences of moves that an opponent may choose, each once, whatever the number of games.
        games: how many, an even number: every opening is played from both sides.
        opening_plies: moves at random that begin them.
        seed: of the openings and of the opponent.
    """

    opponent: str
    games: int
    opening_plies: int
    seed: int


class PositionStore(Protocol):
    """The last positions of ended games."""

    nbytes: int

    def __len__(self) -> int: ...

    def sample(self, n: int, generator: torch.Generator) -> Positions:
        """Return ``n`` of them, drawn uniformly with replacement."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return all of it."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned, or what lies in segments beside a checkpoint."""
        ...


class RunningGames(Protocol):
    """N games that are played side by side; where one ends, another begins."""

    num_envs: int
    boards: Boards
    episodes: int

    def play(self, action: Integers, policy: Floats, value: Floats, keep: Flags) -> None:
        """Make the moves ``(N,)``, and remember the positions before them where ``keep`` ``(N,)`` says so.

        Args:
            action: legal moves.
            policy: ``(N, A)``, what is to be learnt of the positions.
            value: ``(N,)``, what the search thinks them worth.
            keep: which of them are remembered.
        """
        ...


@runtime_checkable
class KeepsPositions(Protocol):
    """Data for a module that learns from its own games: they remember the positions."""

    positions: PositionStore


class SelfPlaySource(KeepsPositions, Protocol):
    """What such a module asks of its data module."""

    total_steps: int
    game: Game
    game_name: str

    @property
    def train_envs(self) -> RunningGames:
        """The running games."""
        ...
