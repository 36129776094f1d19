"""The rows of the agents that look at pictures: MinAtar and Atari."""

from typing import Any

from benchmarks.row import Figure, Row
from benchmarks.rows.shared import EPISODES, final_return


def _minatar(name: str, system: str, **figure: Any) -> Row:
    rise = Figure("rise/val/return", "rise of the return of validation", digits=1, bar=1.0, interquartile=True)
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/rl/{name}.yaml",
        budget="1,000,000 environment steps",
        seeds=tuple(range(5)),
        figures=(final_return("minatar_breakout", **figure), rise),
        protocol=EPISODES
        + "; sticky actions; the rise is from the mean of the first quarter of the validations to that of the last",
        options={"rise": "val/return"},
    )


def _atari(name: str, system: str, game: str, seeds: int, budget: str, **figure: Any) -> Row:
    long = budget.startswith("10,")
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/rl/{name}.yaml",
        budget=f"{budget} environment steps of 4 frames",
        seeds=tuple(range(seeds)),
        figures=(final_return(game, **figure),),
        protocol=(EPISODES if long else EPISODES.replace("100", "30")) + "; true rewards, no sticky actions",
        elsewhere="a GPU, hours" if long else "",
    )


ROWS = (
    _minatar("pqn_minatar_breakout", "PQN", bar=10, worst=5),
    _minatar("dqn_minatar_breakout", "DQN", bar=10, worst=5),
    _atari("dqn_breakout", "DQN", "breakout", 3, "50,000"),
    _atari("double_dqn_breakout", "DoubleDQN", "breakout", 3, "50,000"),
    _atari("dqn_breakout_10m", "DQN", "breakout", 1, "10,000,000", book="up to 25", anchor="CleanRL: 366.9"),
    _atari("pqn_pong", "PQN", "pong", 1, "10,000,000", anchor="CleanRL: 20.5"),
)
