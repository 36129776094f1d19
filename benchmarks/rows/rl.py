"""The rows of agents."""

from benchmarks.row import Figure, Row
from benchmarks.rows.shared import EPISODES, final_return

ROWS = (
    Row(
        name="dqn_cartpole",
        kind="score",
        program="programs.scores",
        system="DQN",
        config="configs/rl/dqn_cartpole.yaml",
        budget="50,000 environment steps",
        seeds=tuple(range(10)),
        figures=(
            final_return("cartpole", bar=495, worst=450, anchor="stable-baselines3, its tuned settings: 19, 500, 500"),
        ),
        protocol=EPISODES,
    ),
    Row(
        name="dqn_cartpole_book",
        kind="score",
        program="programs.scores",
        system="DQN",
        config="configs/rl/dqn_cartpole_book.yaml",
        budget="that of the configuration",
        seeds=tuple(range(10)),
        figures=(
            Figure(
                "episodes_until_195",
                "episodes until the mean of 100 is 195",
                digits=0,
                better="lower",
                interquartile=True,
                book="822 (mean of 10 runs)",
            ),
            final_return("cartpole_book"),
        ),
        protocol=f"{EPISODES}; episodes until the mean training return of the last 100 is 195 or more, read at the"
        " steps that are logged; none where a run ended before",
        options={"episodes_until": 195.0},
    ),
)
