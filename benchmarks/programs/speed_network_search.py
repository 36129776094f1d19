"""Simulations per second of a search that a network leads, in many games at once and in one game alone."""

import time

import numpy as np
import torch

from benchmarks.context import Context, in_turn, speed_record
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules.games import make_game
from dlmodules import AlphaZero
from dlmodules.rl.search.arena import openings
from dlmodules.rl.search.inference import Memory
from dlmodules.rl.search.puct import search


def measure(row: Row, seed: int, context: Context) -> Record:
    """Measure simulations per processor second of several moves in a row: many games are judged, one stands beside."""
    begin = time.perf_counter()
    torch.manual_seed(seed)
    game, rng = make_game(row.options["game"]), np.random.default_rng(seed)
    shape = {name: getattr(game, name) for name in ("board_shape", "num_planes", "num_actions")}
    module = AlphaZero(**shape, precision="bfloat16").eval()
    simulations = 8 if context.quick else row.options["simulations"]

    def speed(games: int) -> float:
        boards = openings(game, games, 6, rng)
        memory = Memory(module.inference(), game)
        done, start = 0, time.process_time()
        for _ in range(row.options["moves"]):
            found = search(game, boards, memory, simulations, module.score)
            done += int(found.visits.sum())
            boards = game.play(boards, found.visits.argmax(axis=1))
            running = ~game.outcome(boards)[0]
            boards = boards.at(running) if running.any() else openings(game, games, 6, rng)
        return done / (time.process_time() - start)

    speed(row.options["games"])
    pairs = in_turn(context, lambda: speed(row.options["games"]), lambda: speed(1))
    return speed_record(row, seed, begin, pairs, judged="ours", steps=simulations)
