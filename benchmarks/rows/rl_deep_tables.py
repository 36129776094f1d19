"""The rows of the agents that learn values by a network: the family of DQN, and PQN."""

from benchmarks.row import Figure, Row
from benchmarks.rows.shared import EPISODES, final_return

_UNTIL = (
    "; episodes until the mean training return of the last 100 is {0:.0f} or more, read at the steps that are logged;"
    " none where a run ended before"
)


def _row(
    name: str,
    system: str,
    environment: str = "cartpole",
    steps: str = "50,000",
    bar: float | None = None,
    anchor: str = "",
    seeds: int = 5,
) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/rl/{name}.yaml",
        budget=f"{steps} environment steps",
        seeds=tuple(range(seeds)),
        figures=(final_return(environment, bar=bar, anchor=anchor),),
        protocol=EPISODES,
    )


def _book(name: str, environment: str, until: float, book: str, system: str = "DQN") -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/rl/{name}.yaml",
        budget="that of the configuration",
        seeds=tuple(range(10)),
        figures=(
            Figure(
                f"episodes_until_{until:.0f}",
                f"episodes until the mean of 100 is {until:.0f}",
                digits=0,
                better="lower",
                interquartile=True,
                book=book,
            ),
            final_return(environment),
        ),
        protocol=EPISODES + _UNTIL.format(until),
        options={"episodes_until": until},
    )


ROWS = (
    _row("double_dqn_cartpole", "DoubleDQN", bar=475),
    _row("dueling_dqn_cartpole", "DuelingDQN", bar=475),
    _row("prioritized_dqn_cartpole", "PrioritizedDQN", bar=475),
    _row("n_step_dqn_cartpole", "NStepDQN", bar=475),
    _row("noisy_dqn_cartpole", "NoisyDQN", bar=475),
    _row("c51_cartpole", "C51", bar=475),
    _row("rainbow_cartpole", "Rainbow", steps="30,000", bar=500),
    _row("pqn_cartpole", "PQN", steps="100,000", bar=495, seeds=10),
    _row("dqn_acrobot", "DQN", "acrobot", "100,000", -80, "stable-baselines3: -76.6"),
    _row("dqn_mountain_car", "DQN", "mountain_car", "120,000", -110, "stable-baselines3: -101"),
    _book("q_network_cartpole_book", "cartpole_time_limit", 190.0, "about 400 (200 steps an episode reached)"),
    _book("double_dqn_cartpole_book", "cartpole_book", 195.0, "971 (mean of 10 runs)", "DoubleDQN"),
    _book("dqn_cartpole_lab", "cartpole", 195.0, "127"),
)
