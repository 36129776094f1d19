"""QWorld: the trace, the table and the number of episodes of atienza 9.3."""

from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from callbacks import StopAfterEpisodes
from datamodules.environments.environment import EnvironmentDataModule
from datamodules.environments.grids import QWorld
from dlmodules.rl.exploration import DecayingEpsilon
from dlmodules.rl.tabular.q_learning import QLearning
from tests.dlmodules.rl.agent_runs import trainer

# As printed: the values of left, down, right and up in each of the six states.
TABLE = [
    [81, 72.9, 90, 81],
    [81, 81, 100, 90],
    [0, 0, 0, 0],
    [72.9, 72.9, 81, 81],
    [72.9, 81, -100, 90],
    [0, 0, 0, 0],
]


def world() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each action leads (6, 4), what it gives, and whether it ends the episode."""
    outcomes = [[QWorld().P[state][action][0] for action in range(4)] for state in range(6)]
    return tuple(np.array([[outcome[part] for outcome in row] for row in outcomes]) for part in (1, 2, 3))


def play_until(wins: int, seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """The book's program for many seeds side by side: episodes until so many wins, and the tables."""
    after, reward, ends = world()
    rng, lanes = np.random.default_rng(0), np.arange(seeds)
    q, state = np.zeros((seeds, 6, 4)), np.zeros(seeds, dtype=int)
    epsilon, won, episodes = np.full(seeds, 0.9), np.zeros(seeds, dtype=int), np.zeros(seeds, dtype=int)
    while (runs := won < wins).any():
        values = q[lanes, state]
        best = ((values == values.max(1, keepdims=True)) * rng.random((seeds, 4))).argmax(1)
        action = np.where(rng.random(seeds) < epsilon, rng.integers(4, size=seeds), best)
        follows, ended = after[state, action], ends[state, action]
        target = reward[state, action] + 0.9 * np.where(ended, 0, q[lanes, follows].max(1))
        q[lanes[runs], state[runs], action[runs]] = target[runs]
        over = ended & runs
        episodes += over
        won += over & (reward[state, action] > 0)
        epsilon = np.where(over & (epsilon > 0.1), 0.9 * epsilon, epsilon)
        state = np.where(ended, 0, follows)
    return episodes, q


def test_the_book_needs_between_twelve_and_thirteen_episodes_for_eleven_wins() -> None:
    episodes, _ = play_until(wins=11, seeds=1_000)
    assert episodes.mean() == pytest.approx(12.6, abs=1)
    assert episodes.min() == 11


def test_the_books_table_is_what_long_training_comes_to() -> None:
    _, q = play_until(wins=4_000, seeds=20)
    np.testing.assert_allclose(np.median(q, axis=0), TABLE, rtol=1e-12)


def agent(seed: int, callback: StopAfterEpisodes, **arguments: Any) -> tuple[QLearning, int]:
    pl.seed_everything(seed, verbose=False)
    data = EnvironmentDataModule("dlmodules/QWorld-v0", num_envs=1, total_steps=40_000, seed=seed)
    settings = {"gamma": 0.9, "learning_rate": 1.0, "exploration": DecayingEpsilon(), "steps_per_iteration": 1}
    module = QLearning(6, 4, **{**settings, **arguments})
    run = trainer(callbacks=[callback], limit_val_batches=0)
    run.fit(module, data)
    return module, callback.seen


def test_the_agent_needs_as_many() -> None:
    episodes = [agent(seed, StopAfterEpisodes(11, good_return=100.0))[1] for seed in range(12)]
    assert min(episodes) >= 11
    assert np.mean(episodes) == pytest.approx(12.6, abs=1)


def test_the_agent_comes_to_the_books_table() -> None:
    module, _ = agent(0, StopAfterEpisodes(10**9), exploration=DecayingEpsilon(end=0.3), steps_per_iteration=1_000)
    torch.testing.assert_close(module.q, torch.tensor(TABLE, dtype=torch.float64), rtol=1e-12, atol=0)
    assert module.act(torch.tensor([0, 1, 4])).tolist() == [2, 2, 3]


def follow(q: np.ndarray, actions: list[int]) -> list[tuple[int, int, float]]:
    """Play an episode of given actions, each value replaced by its target; what changed in the table."""
    after, reward, ends = world()
    state, changes = 0, []
    for action in actions:
        follows = after[state, action]
        q[state, action] = reward[state, action] + 0.9 * (0 if ends[state, action] else q[follows].max())
        changes.append((state, action, float(q[state, action])))
        state = follows
    return changes


def test_the_books_trace() -> None:
    """Atienza 9.3.0: three episodes by hand."""
    q = np.zeros((6, 4))
    right, down = 2, 1
    assert follow(q, [right, down, right]) == [(0, right, 0), (1, down, 0), (4, right, -100)]
    assert follow(q, [right, right]) == [(0, right, 0), (1, right, 100)]
    assert follow(q, [right]) == [(0, right, 90)]
