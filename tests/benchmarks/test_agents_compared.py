"""The table that sets agents side by side."""

from dataclasses import replace

from benchmarks.report.agents import agents_compared
from benchmarks.report.standing import by_row
from benchmarks.rows import ROWS
from tests.benchmarks.records import record


def test_agents_stand_below_their_environment_where_they_were_measured():
    row = ROWS["dqn_cartpole"]
    other = replace(row, name="other_mountain_car", system="Other")
    never = replace(row, name="never_cartpole")
    rows = [row, other, never]
    metrics = {"test/return@last": 480.0}
    records = [
        record(name=name, seed=seed, metrics=metrics, details={"processor_seconds": 30.0})
        for name in (row.name, other.name)
        for seed in range(3)
    ]
    found = agents_compared(rows, by_row(records, rows))
    cartpole, mountain_car = found.split("### ")[1:]
    assert cartpole.startswith("CartPole-v1")
    assert "| DQN | `dqn_cartpole` | 3 | mean return, final policy | 480.0 [480.0, 480.0], worst 480.0 |" in cartpole
    assert "| Other |" in mountain_car
    assert "never" not in found
    assert agents_compared([never], by_row([], [never])) == "Not yet run.\n"
