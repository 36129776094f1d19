"""Positions of Connect Four, made by moves at random, and what there is to see in them at once."""

import numpy as np

from datamodules.games import ConnectFour
from dlmodules.protocols import Boards
from dlmodules.rl.search.random_player import random_actions

GAME = ConnectFour()


def after(*columns):
    """Return the position after moves in the columns, counted from 0."""
    boards = GAME.start(1)
    for column in columns:
        boards = GAME.play(boards, np.array([column]))
    return boards


def at_random(games, seed, first=4, last=36):
    """Return the running positions of games at random, from ply ``first`` to ply ``last``."""
    rng = np.random.default_rng(seed)
    boards, found = GAME.start(games), []
    for ply in range(1, last + 1):
        boards = GAME.play(boards, random_actions(GAME.legal(boards), rng))
        boards = boards.at(~GAME.outcome(boards)[0])
        if ply >= first:
            found.append(boards)
    return Boards.joined(found)


def wins_at_once(boards):
    """Return which columns win the game with the next disc, ``(N, 7)``."""
    won = np.zeros((len(boards.ply), 7), bool)
    for column in range(7):
        ended, value = GAME.outcome(GAME.play(boards, np.full(len(boards.ply), column)))
        won[:, column] = ended & (value < 0)
    return won & GAME.legal(boards)


def blocks(boards):
    """Return which columns stop the only win that the opponent threatens, without giving another, ``(N, 7)``."""
    threats = wins_at_once(Boards(boards.other, boards.own, boards.ply))
    single = ~wins_at_once(boards).any(1) & (threats.sum(1) == 1)
    answered = GAME.play(boards, threats.argmax(1))
    holds = single & ~GAME.outcome(answered)[0] & ~wins_at_once(answered).any(1)
    return threats & holds[:, None]
