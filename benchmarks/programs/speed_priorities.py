"""Drawing a round of batches by priority, all at once, against a sum tree in numpy, batch by batch."""

import time
from collections.abc import Callable

import numpy as np
import torch

from benchmarks.context import Context, in_turn, speed_record
from benchmarks.instruments.sum_tree import SumTree
from benchmarks.record import Record
from benchmarks.row import Row
from dlmodules.rl.priorities import Priorities

CAPACITY, BATCHES, BATCH_SIZE = 100_000, 16, 64


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare batches per second."""
    begin = time.perf_counter()
    values = torch.rand(CAPACITY, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    priorities, tree = Priorities(CAPACITY, alpha=1.0), SumTree(CAPACITY)
    priorities.update(torch.arange(CAPACITY), values)
    tree.update(np.arange(CAPACITY), values.numpy())
    generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)

    def at_once() -> None:
        priorities.sample(BATCHES * BATCH_SIZE, generator)

    def batch_by_batch() -> None:
        for _ in range(BATCHES):
            tree.sample(BATCH_SIZE, rng)

    rounds = 20 if context.quick else 2_000
    pairs = in_turn(
        context, lambda: batches_per_second(at_once, rounds), lambda: batches_per_second(batch_by_batch, rounds)
    )
    return speed_record(row, seed, begin, pairs)


def batches_per_second(draw_round: Callable[[], None], rounds: int) -> float:
    """Return the batches that so many rounds draw in a second of the processor."""
    begin = time.process_time()
    for _ in range(rounds):
        draw_round()
    return BATCHES * rounds / (time.process_time() - begin)
