"""Plot how fast n-step TD and TD(lambda) learn a random walk: ``python -m benchmarks.programs.random_walk_figure``.

It has 19 states. As in Sutton and Barto, 2nd ed., figures 7.2 and 12.3: root of the mean squared error over the states
after each of the first 10 episodes, the mean over these and 100 runs, against the learning rate. All settings see the
same episodes.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from benchmarks.record import ROOT
from datamodules.environments.environment import EnvironmentDataModule
from dlmodules.rl.tabular.planning import policy_rows, solve
from dlmodules.rl.tabular.returns import lambda_return

FOLDER = ROOT / "docs" / "images" / "td_prediction"
RUNS, EPISODES = 100, 10
STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
DECAYS = (0.0, 0.4, 0.8, 0.9, 0.95, 0.975, 0.99, 1.0)
RATES = np.concatenate([np.linspace(0, 0.1, 8)[:-1], np.linspace(0.1, 1, 19)])

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Update = Callable[[Floats, Ints, Floats, Ints], None]
"""Learns one episode of each run into values ``(rates, runs, S)``: states ``(T + 1, runs)``, rewards and starts."""


def episodes(runs: int, count: int, seed: int = 0) -> list[tuple[Ints, Floats, Ints]]:
    """Return states ``(T + 1, runs)``, rewards ``(T, runs)`` and first steps ``(runs,)`` of each of ``count`` episodes.

    The runs' episodes end together, at T; each begins at its first step.
    """
    rng = np.random.default_rng(seed)
    data = EnvironmentDataModule("dlmodules/RandomWalk-v0").transitions
    after, reward = data.next_state[:, :, 0].numpy(), data.reward[:, :, 0].numpy()
    ends = data.terminal.numpy()
    found = []
    for _ in range(count):
        states, rewards = [np.full(runs, int(data.initial.argmax()))], []
        while not ends[states[-1]].all():
            action = rng.integers(2, size=runs)
            # An end leads to itself for nothing, so who has ended waits for the others.
            rewards.append(reward[states[-1], action])
            states.append(after[states[-1], action])
        lengths = (~ends[np.stack(states)]).sum(0)
        total = len(rewards)
        # Moved, so that all end at the last step.
        place = (np.arange(total + 1)[:, None] + lengths - total).clip(0)
        paid = np.take_along_axis(np.stack(rewards), place[:-1], 0)
        found.append((np.take_along_axis(np.stack(states), place, 0), paid, total - lengths))
    return found


def n_steps(n: int, values: Floats, states: Ints, rewards: Floats, starts: Ints) -> None:
    """Learn an episode by n-step TD, without discount: only the last step pays."""
    total, lanes = len(rewards), np.arange(states.shape[1])
    for t in range(total):
        running = lanes[starts <= t]
        end = min(t + n, total)
        target = values[:, running, states[end, running]] + rewards[t:end, running].sum(0)
        _move(values, running, states[t, running], target)


def all_steps(trace_decay: float, values: Floats, states: Ints, rewards: Floats, starts: Ints) -> None:
    """Learn an episode by TD(lambda), offline, without discount."""
    total, lanes = len(rewards), np.arange(states.shape[1])
    following = values[:, lanes, states[1:]].transpose(1, 0, 2)
    target = lambda_return(rewards[:, None], following, 1.0, trace_decay)
    for t in range(total):
        running = lanes[starts <= t]
        _move(values, running, states[t, running], target[t][:, running])


def _move(values: Floats, lanes: Ints, states: Ints, target: Floats) -> None:
    with np.errstate(over="ignore", invalid="ignore"):  # with a large learning rate values run away
        values[:, lanes, states] += RATES[:, None] * (target - values[:, lanes, states])


def errors(update: Update, played: Sequence[tuple[Ints, Floats, Ints]]) -> Floats:
    """Return the error ``(rates,)`` of a method, over the episodes and runs."""
    dynamics = EnvironmentDataModule("dlmodules/RandomWalk-v0").transitions
    inner = ~dynamics.terminal.numpy()
    exact = solve(dynamics, policy_rows(None, 21, 2), 1.0).numpy()[inner]
    values = np.zeros((len(RATES), played[0][0].shape[1], len(inner)))
    found = []
    for states, rewards, starts in played:
        update(values, states, rewards, starts)
        found.append(np.sqrt(np.square(values[:, :, inner] - exact).mean(2)).mean(1))
    return np.mean(found, 0)


def plot(curves: dict[str, Floats], title: str, path: Path) -> None:
    """Plot a curve of errors over the learning rate for each setting."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, error in curves.items():
        axes.plot(RATES, error, label=name)
    axes.set(xlabel="learning rate", ylabel="RMS error over the first 10 episodes", ylim=(0.25, 0.55), title=title)
    axes.grid(visible=True, alpha=0.3)
    figure.legend(loc="outside right upper")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def draw(folder: Path, runs: int = RUNS) -> None:
    """Plot both figures into ``folder``."""
    played = episodes(runs, EPISODES)
    by_steps = {f"n = {n}": errors(partial(n_steps, n), played) for n in STEPS}
    plot(by_steps, "n-step TD", folder / "n_step.png")
    by_decay = {f"λ = {decay}": errors(partial(all_steps, decay), played) for decay in DECAYS}
    plot(by_decay, "TD(λ), offline", folder / "lambda.png")


if __name__ == "__main__":
    draw(FOLDER)
    print(FOLDER)
