"""The rows of agents."""

from typing import Any

from benchmarks.row import Figure, Row

_EPISODES = "100 test episodes, deterministic policy, seeds apart from those of training and validation"


def _random(environment: str) -> dict[str, Any]:
    return {"baseline": "baseline/return", "guess": "random actions", "guess_row": f"random_{environment}"}


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
            Figure(
                "test/return@last",
                "mean return, final policy",
                digits=1,
                bar=495,
                worst=450,
                interquartile=True,
                anchor="stable-baselines3, its tuned settings: 19, 500, 500",
                **_random("cartpole"),
            ),
        ),
        protocol=_EPISODES,
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
            Figure(
                "test/return@last",
                "mean return, final policy",
                digits=1,
                interquartile=True,
                **_random("cartpole_book"),
            ),
        ),
        protocol=f"{_EPISODES}; episodes until the mean training return of the last 100 is 195 or more, read at the"
        " steps that are logged; none where a run ended before",
        options={"episodes_until": 195.0},
    ),
)
