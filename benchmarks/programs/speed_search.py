"""Simulations per second of a search with games at random, in many games at once and in one game alone."""

import time

import numpy as np

from benchmarks.context import Context, in_turn, speed_record
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules.games import make_game
from dlmodules.rl.search.mcts import search


def measure(row: Row, seed: int, context: Context) -> Record:
    """Measure simulations per processor second from the start of the game: many games are judged, one stands beside."""
    begin = time.perf_counter()
    game, rng = make_game(row.options["game"]), np.random.default_rng(seed)
    simulations = 20 if context.quick else row.options["simulations"]

    def speed(games: int) -> float:
        start = time.process_time()
        search(game, game.start(games), simulations, 2.0, rng)
        return games * simulations / (time.process_time() - start)

    speed(1)
    pairs = in_turn(context, lambda: speed(row.options["games"]), lambda: speed(1))
    return speed_record(row, seed, begin, pairs, judged="ours", steps=simulations)
