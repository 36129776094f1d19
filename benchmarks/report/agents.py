"""The agents side by side, one table for each environment that several of them learn."""

from collections.abc import Sequence

from benchmarks.report.cells import budget_of, guess_of, seconds_of, spread, table
from benchmarks.report.standing import Found, headline
from benchmarks.row import Row

# Rows by the end of their names, and the environment and its limit in words.
ENVIRONMENTS = {
    "cartpole": "CartPole-v1: a step pays 1, an episode has 500 at most",
    "acrobot": "Acrobot-v1: a step costs 1, an episode has 500 at most",
    "mountain_car": "MountainCar-v0: a step costs 1, an episode has 200 at most",
    "mountain_car_continuous": "MountainCarContinuous-v0: 100 for the flag, less a tenth of each squared action, within"
    " 999 steps",
    "minatar_breakout": "MinAtar's Breakout with sticky actions: a brick pays 1",
    "frozen_lake": "FrozenLake-v1, slippery: 1 for the goal, within 100 steps",
    "cliff_walking": "CliffWalking-v1: a step costs 1, the cliff 100",
}
HEAD = ("agent", "row", "seeds", "figure", "measured", "without learning", "budget", "processor / wall seconds")


def agents_compared(rows: Sequence[Row], found: Found) -> str:
    """Return the tables of the score ``rows`` of agents that have records; a sentence where none has."""
    parts = []
    for ending, title in ENVIRONMENTS.items():
        measured = [row for row in rows if row.name.endswith(f"_{ending}") and row.kind == "score" and found[row.name]]
        if measured:
            parts.append(f"### {title}\n\n{table(HEAD, [_line(row, found) for row in measured])}")
    return "\n".join(parts) or "Not yet run.\n"


def _line(row: Row, found: Found) -> tuple[str, ...]:
    records, figure = found[row.name], headline(row)
    return (
        row.system,
        f"`{row.name}`",
        str(len(records)),
        figure.label,
        spread(figure, records),
        guess_of(figure, row, found),
        budget_of(row, records),
        seconds_of(records),
    )
