"""Matches between two players, many games at once."""

import math
from dataclasses import dataclass

import numpy as np

from dlmodules.errors import UserError
from dlmodules.protocols.games import Boards, Flags, Floats, Game, Integers, Player
from dlmodules.rl.search.random_player import random_actions
from dlmodules.validation.arguments import check_at_least, check_at_least_one

NORMAL_95 = 1.959964
"""95 % of a normal distribution lie within so many deviations."""


@dataclass(frozen=True)
class Match:
    """How a match ended, from the side of the first-named player.

    Attributes:
        wins, draws, losses: games.
        wins_first, wins_second: of the wins, those where this player had the first move, and the others.
    """

    wins: int
    draws: int
    losses: int
    wins_first: int
    wins_second: int

    @property
    def games(self) -> int:
        """How many games were played."""
        return self.wins + self.draws + self.losses

    @property
    def score(self) -> float:
        """The fraction of points: a win counts one, a draw a half."""
        return (self.wins + self.draws / 2) / self.games

    def interval(self) -> tuple[float, float]:
        """Return between which fractions of wins the truth lies with 95 % confidence, by Wilson's formula."""
        return wilson_interval(self.wins, self.games)


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a probability, from independent trials (Wilson, 1927)."""
    rate, z2 = successes / trials, NORMAL_95**2
    centre = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
    half = NORMAL_95 / (1 + z2 / trials) * math.sqrt(rate * (1 - rate) / trials + z2 / (4 * trials**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def play_out(game: Game, boards: Boards, players: tuple[Player, Player], first: Integers) -> Floats:
    """Play running games to their ends.

    Args:
        game: the rules.
        boards: N positions.
        players: who play.
        first: ``(N,)``, 0 or 1: which of the players moves at even plies.

    Returns:
        What each game was worth to ``players[0]``, ``(N,)``.

    Raises:
        UserError: a player chose an action that is not legal.
    """
    value = np.zeros(len(first), np.float32)
    playing = np.arange(len(first))
    while len(playing):
        mover = (first[playing] + boards.ply) % 2
        action = np.zeros(len(playing), np.int64)
        for index, player in enumerate(players):
            turn = np.flatnonzero(mover == index)
            if len(turn):
                action[turn] = _legal_choice(game, player, boards.at(turn))
        boards = game.play(boards, action)
        ended, outcome = game.outcome(boards)
        # The side to move is now the one that did not move.
        value[playing[ended]] = np.where(mover[ended] == 0, -outcome[ended], outcome[ended])
        playing, boards = playing[~ended], boards.at(~ended)
    return value


def arena(
    game: Game, player: Player, opponent: Player, games: int = 200, seed: int = 0, opening_plies: int = 2
) -> Match:
    """Let two players play ``games`` games, side by side.

    Every opening is played twice, so that each player has both sides of it. Two players who choose without chance
    would else play one game over and over.

    Args:
        game: the rules.
        player: whose wins are counted.
        opponent: the other player.
        games: how many, an even number.
        seed: of the openings.
        opening_plies: moves at random before the players' own; openings that end a game are drawn anew.
    """
    check_at_least_one(games=games)
    check_at_least(0, opening_plies=opening_plies)
    if games % 2:
        raise UserError(f"games is {games}; it must be even: every opening is played from both sides")
    boards = openings(game, games // 2, opening_plies, np.random.default_rng(seed))
    both = Boards.joined((boards, boards))
    first = np.repeat([0, 1], games // 2)
    value = play_out(game, both, (player, opponent), first)
    return _counted(value, begins=(first + both.ply) % 2 == 0)


def every_line(game: Game, player: Player) -> Match:
    """Let a player meet every sequence of moves that an opponent may choose, from both sides; for small games.

    TicTacToe has some hundred lines; a player who loses none of them cannot be beaten.
    """
    value, begins = [], []
    for has_first_move in (True, False):
        boards, is_on_move = game.start(1), has_first_move
        while len(boards.ply):
            if is_on_move:
                boards = game.play(boards, _legal_choice(game, player, boards))
            else:
                line, action = np.nonzero(game.legal(boards))
                boards = game.play(boards.at(line), action)
            ended, outcome = game.outcome(boards)
            value.append(-outcome[ended] if is_on_move else outcome[ended])
            begins.append(np.full(len(value[-1]), has_first_move))
            boards, is_on_move = boards.at(~ended), not is_on_move
    return _counted(np.concatenate(value), np.concatenate(begins))


def openings(game: Game, n: int, plies: int, rng: np.random.Generator) -> Boards:
    """Return ``n`` running games after ``plies`` moves at random."""
    # Moves are chosen for all games at once and openings that end are replaced, so the numbers that a seed gives differ
    # from those of ``random_opening``, by which one game begins.
    found: list[Boards] = []
    while sum(len(boards.ply) for boards in found) < n:
        boards = game.start(n)
        for _ in range(plies):
            boards = game.play(boards, random_actions(game.legal(boards), rng))
            boards = boards.at(~game.outcome(boards)[0])
        if plies and not len(boards.ply):
            raise UserError(f"no game of {game.name} runs after {plies} plies at random: take fewer")
        found.append(boards)
    return Boards.joined(found).at(slice(n))


def _counted(value: Floats, begins: Flags) -> Match:
    return Match(
        wins=int((value > 0).sum()),
        draws=int((value == 0).sum()),
        losses=int((value < 0).sum()),
        wins_first=int(((value > 0) & begins).sum()),
        wins_second=int(((value > 0) & ~begins).sum()),
    )


def _legal_choice(game: Game, player: Player, boards: Boards) -> Integers:
    action = player.choose(game, boards)
    legal = game.legal(boards)[np.arange(len(action)), action]
    if not legal.all():
        wrong = int(action[~legal][0])
        raise UserError(f"{player.name} chose action {wrong} in {game.name}, where it is not legal")
    return action
