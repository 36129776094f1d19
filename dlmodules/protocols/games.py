"""Games of two players who move in turn and see all, as functions of arrays: N games at once."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


class Boards(NamedTuple):
    """Positions of N games, each from the side of the player to move.

    Attributes:
        own: ``(N,)`` uint64, the squares of the player to move as bits.
        other: ``(N,)`` uint64, those of the opponent.
        ply: ``(N,)`` int64, the moves made so far; a pass is a move. The first player moves where it is even.
    """

    own: Bits
    other: Bits
    ply: Integers

    def at(self, index: Any) -> "Boards":
        """Return the positions at ``index``: integers, flags or a slice."""
        return Boards(self.own[index], self.other[index], self.ply[index])

    def split(self, size: int) -> list["Boards"]:
        """Return them in groups of ``size``; the last one may be smaller."""
        return [self.at(slice(start, start + size)) for start in range(0, len(self.ply), size)]

    @classmethod
    def joined(cls, parts: Sequence["Boards"]) -> "Boards":
        """Return the positions of all ``parts``, one after another."""
        own, other, ply = zip(*parts, strict=True)
        return cls(np.concatenate(own), np.concatenate(other), np.concatenate(ply))


class Symmetry(NamedTuple):
    """A rotation or reflection that turns a position into one of equal value.

    ``planes.reshape(N, C, -1)[..., squares]`` are the planes of the positions turned, and ``policy[:, actions]`` are
    the policies turned.

    Attributes:
        squares: ``(H * W,)`` int64.
        actions: ``(A,)`` int64.
    """

    squares: Integers
    actions: Integers


@runtime_checkable
class Game(Protocol):
    """The rules of a game with A actions on a board of H rows and W columns.

    ``legal``, ``play`` and ``outcome`` are for many positions at once. What ``legal`` answers for a game that has
    ended has no meaning, and ``play`` with an action that is not legal gives positions without meaning.
    """

    name: str
    num_actions: int
    board_shape: tuple[int, int]
    num_planes: int
    max_plies: int
    """No game is longer."""

    def start(self, n: int) -> Boards:
        """Return ``n`` games before the first move."""
        ...

    def legal(self, boards: Boards) -> Flags:
        """Return which actions the rules allow, ``(N, A)``."""
        ...

    def play(self, boards: Boards, action: Integers) -> Boards:
        """Return the positions after the actions ``(N,)``: the other player is to move."""
        ...

    def outcome(self, boards: Boards) -> tuple[Flags, Floats]:
        """Return which games have ended, ``(N,)``, and what that is worth to the player to move: -1, 0 or 1, ``(N,)``.

        The value of a running game is 0.
        """
        ...

    def planes(self, boards: Boards) -> Floats:
        """Return the input of a network, ``(N, C, H, W)``: the own squares, the other's, and what the game adds."""
        ...

    @property
    def symmetries(self) -> Sequence[Symmetry]:
        """The symmetries of the game, the identity first."""
        ...

    def text(self, boards: Boards, index: int) -> str:
        """Return the position of one game in lines of text, X for the first player and O for the second."""
        ...

    def action_name(self, action: int) -> str:
        """Return how a player calls an action, without spaces."""
        ...


@runtime_checkable
class Estimates(Protocol):
    """A game with a rule of thumb for who is ahead, for searches that do not look to the end."""

    def estimate(self, boards: Boards) -> Floats:
        """Return what running games may be worth to the player to move, ``(N,)`` in (-0.5, 0.5)."""
        ...


@runtime_checkable
class Player(Protocol):
    """Moves in games."""

    @property
    def name(self) -> str:
        """What it is called in tables and in the terminal."""
        ...

    def choose(self, game: Game, boards: Boards) -> Integers:
        """Return a legal action ``(N,)`` in each of N games, none of which has ended."""
        ...


class Analysis(NamedTuple):
    """What a search, or a network, thinks of N positions.

    Attributes:
        policy: ``(N, A)``, 1 in the sum over A: how often a search chose each action, or a network's probabilities.
        value: ``(N,)``: what the game is worth to the player to move, in [-1, 1].
        lines: for each game the moves that are expected, the next one first.
    """

    policy: Floats
    value: Floats
    lines: Sequence[Sequence[int]]


@runtime_checkable
class Analyses(Protocol):
    """A player who shows what it thinks."""

    def analyse(self, game: Game, boards: Boards) -> Analysis:
        """Return what it thinks of N positions, none of which has ended."""
        ...


@runtime_checkable
class PlaysGames(Protocol):
    """A module that has learned a game."""

    @property
    def game_name(self) -> str:
        """The game: a name in ``datamodules.games.GAMES``, or the import path of a class."""
        ...

    def player(self, simulations: int = 100) -> Player:
        """Return a player who searches with ``simulations`` for each move; 0 plays the policy alone."""
        ...
