"""Frames of CarRacing in a second of the processor, drawn from a map and drawn by Gymnasium."""

import time
from typing import Any

import gymnasium as gym
import numpy as np

from benchmarks.context import Context, in_turn, speed_record
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules.environments.making import make_env

STEPS = 1_000
"""Frames of a measurement: a whole episode with its start."""


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare them, at 64 and 96 pixels, in the same episode of wandering actions."""
    begin = time.perf_counter()
    ours, theirs = make_env("dlmodules/CarRacing-v0", {}, ()), gym.make("CarRacing-v3")
    actions = np.random.default_rng(seed).uniform([-1, 0, 0], [1, 0.5, 0.2], (STEPS // 5, 3)).astype(np.float32)
    actions = actions.repeat(5, axis=0)
    frames_per_second(ours, actions, seed)  # what is drawn once for all
    pairs = in_turn(
        context,
        lambda: frames_per_second(ours, actions, seed),
        lambda: frames_per_second(theirs, actions[:50] if context.quick else actions, seed),
    )
    return speed_record(row, seed, begin, pairs, judged=row.options["judged"], steps=STEPS)


def frames_per_second(env: Any, actions: Any, seed: int) -> float:
    """Return the frames that an episode has in a second of the processor, its start included."""
    begin = time.process_time()
    env.reset(seed=seed)
    frames = 0
    for action in actions:
        *_, terminated, truncated, _ = env.step(action)
        frames += 1
        if terminated or truncated:
            env.reset(seed=seed + frames)
    return frames / (time.process_time() - begin)
