"""The tables of ``docs/tabular-worked-examples.md``, by running the code: ``python -m benchmarks.worked_examples``.

They stand between marks in the page; a test fails where they are out of date.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks import worked_page
from benchmarks.record import ROOT
from benchmarks.worked_page import table
from datamodules import EnvironmentDataModule
from datamodules.environments.grids import QWorld
from dlmodules.protocols import Dynamics
from dlmodules.rl.tabular.planning import action_values, evaluation_sweep, greedy_policy, solve
from dlmodules.rl.tabular.updates import move_towards

PAGE = ROOT / "docs" / "tabular-worked-examples.md"
ACTIONS = ("left", "down", "right", "up")
ARROWS = "←↓→↑"
EPISODES = (("right", "down", "right"), ("right", "right"), ("right", "right"))


def trace() -> str:
    """Return each step of the three episodes of atienza 9.3.0, and the table of values after each episode."""
    q, parts = np.zeros((6, 4)), []
    for number, words in enumerate(EPISODES, 1):
        lines, changed = [], set()
        for state, action, reward, after, ends in _episode(words):
            best = 0.0 if ends else q[after].max()
            target = reward + 0.9 * best
            move_towards(q.reshape(-1), state * 4 + action, target, 1.0)
            follows = "the episode ends" if ends else f"the best of state {after} is {best:g}"
            value = f"{target:g}" if ends else f"{reward:g} + 0.9 · {best:g} = {target:g}"
            lines.append((f"{state}", ACTIONS[action], f"{reward:g}", follows, value))
            changed.add((state, action))
        parts += [
            f"Episode {number}:",
            "",
            table(("state", "move", "reward", "what follows", "new value"), lines),
            table(
                ("state", *ACTIONS),
                [(f"{state}", *(_number(q, (state, a), changed) for a in range(4))) for state in (0, 1, 3, 4)],
            ),
        ]
    return "\n".join(parts)


def _episode(words: Sequence[str]) -> Iterator[tuple[int, int, float, int, bool]]:
    env = QWorld()
    state, _ = env.reset(seed=0)
    for word in words:
        action = ACTIONS.index(word)
        after, reward, ends, _, _ = env.step(action)
        yield state, action, reward, after, ends
        state = after


def _number(q: np.ndarray, place: tuple[int, int], changed: set[tuple[int, int]]) -> str:
    text = f"{q[place]:g}"
    return f"**{text}**" if place in changed else text


def sweeps() -> str:
    """Return the values of the grid world of vasilev 8.4 after some of its sweeps."""
    grid, policy = _grid()
    v, delta, parts, number = torch.zeros(16, dtype=torch.float64), 1.0, [], 0
    while delta >= 1e-4:
        v, delta = evaluation_sweep(grid, policy, v, 1.0)
        number += 1
        if number in (1, 2, 3, 10, 50) or delta < 1e-4:
            change = f"{delta:.4g}" if delta >= 1e-4 else "less than 0.0001"
            parts += [f"After sweep {number} (largest change {change}):", "", _cells([f"{x:.4g}" for x in v.tolist()])]
    return "\n".join(parts)


def first_row() -> str:
    """Return how the first sweep comes by its first values."""
    grid, policy = _grid()
    v, _ = evaluation_sweep(grid, policy, torch.zeros(16, dtype=torch.float64), 1.0)
    lines = []
    for state in range(1, 5):
        # What a sweep in place sees: the new values of the states before, 0 behind.
        seen = torch.where(torch.arange(16) < state, v, 0.0)
        terms = [f"(-1 + {_signed(seen[after])})" for after in grid.next_state[state, :, 0].tolist()]
        lines.append((f"{state + 1}", f"¼ · [{' + '.join(terms)}]", f"{v[state]:g}"))
    return table(("cell", "left, down, right, up", "value"), lines)


def improvement() -> str:
    """Return the values of the moves in some cells, and the policy of the best ones (vasilev 8.5)."""
    grid, policy = _grid()
    q = action_values(grid, solve(grid, policy, 1.0), 1.0)
    better = greedy_policy(q)
    lines = []
    for cell in (2, 4, 6, 7, 8):
        chances = [f"{p:g} {a}" for p, a in zip(better[cell - 1].tolist(), ACTIONS, strict=True) if p]
        lines.append(
            (f"{cell}", *(f"{value:g}" for value in q[cell - 1].round(decimals=9).tolist()), ", ".join(chances))
        )
    return table(("cell", *ACTIONS, "new policy"), lines) + "\n" + _cells(_arrows(grid, better))


def iteration() -> str:
    """Return the values and the policy of each step of policy iteration in the grid world (vasilev 8.6)."""
    grid, policy = _grid()
    parts = []
    for number in range(1, 10):
        v = solve(grid, policy, 1.0)
        parts += [f"Policy {number}, its values and what is better:", ""]
        better = greedy_policy(action_values(grid, v, 1.0))
        both = [f"{value:.4g} {arrow}" for value, arrow in zip(v.tolist(), _arrows(grid, better), strict=True)]
        parts.append(_cells(both))
        if bool((better == policy).all()):
            break
        policy = better
    return "\n".join([*parts, f"Policy {number} cannot be improved.", ""])


def _grid() -> tuple[Dynamics, Tensor]:
    """Return the grid world and the policy that does all moves alike."""
    return EnvironmentDataModule("dlmodules/GridWorld-v0").transitions, torch.full((16, 4), 0.25, dtype=torch.float64)


def _arrows(grid: Dynamics, policy: Tensor) -> list[str]:
    chosen = ["".join(a for a, p in zip(ARROWS, row, strict=True) if p) for row in policy.tolist()]
    return ["" if ends else arrows for arrows, ends in zip(chosen, grid.terminal.tolist(), strict=True)]


def _signed(value: Tensor) -> str:
    return f"{value:g}" if value >= 0 else f"({value:g})"


def _cells(texts: Sequence[str]) -> str:
    rows = [texts[start : start + 4] for start in range(0, 16, 4)]
    return table(("",) * 4, rows)


PARTS: dict[str, Callable[[], str]] = {
    "trace": trace,
    "first row": first_row,
    "sweeps": sweeps,
    "improvement": improvement,
    "iteration": iteration,
}
"""What the page shows, each between two marks."""


def written_anew(page: str) -> str:
    """Return the page with every part as it is now."""
    return worked_page.written_anew(page, PARTS, "benchmarks.worked_examples")


def main(path: Path = PAGE) -> None:
    """Write the parts of the page."""
    path.write_text(written_anew(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
