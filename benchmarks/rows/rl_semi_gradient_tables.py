"""The rows of semi-gradient agents."""

from typing import Any

from benchmarks.row import Figure, Row

_EPISODES = "100 test episodes, deterministic policy, seeds apart from those of training and validation"


def _mountain_car(method: str, system: str) -> Row:
    random: dict[str, Any] = {
        "baseline": "baseline/return",
        "guess": "random actions",
        "guess_row": "random_mountain_car",
    }
    return Row(
        name=f"semi_gradient_{method}_mountain_car",
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/rl/semi_gradient_{method}_mountain_car.yaml",
        budget="100,000 environment steps",
        seeds=tuple(range(5)),
        figures=(Figure("test/return@last", "mean return, final policy", digits=1, interquartile=True, **random),),
        protocol=_EPISODES,
    )


ROWS = (
    _mountain_car("sarsa", "SemiGradientSarsa"),
    _mountain_car("q_learning", "SemiGradientQLearning"),
    Row(
        name="semi_gradient_td_cartpole",
        kind="score",
        program="programs.scores",
        system="SemiGradientTD",
        config="configs/rl/semi_gradient_td_cartpole.yaml",
        budget="100,000 environment steps of random actions",
        seeds=tuple(range(10)),
        figures=(
            Figure("test/value@last", "mean value of the first observations", digits=1, interquartile=True),
            Figure("test/policy_return@last", "mean return of the policy from there", digits=1, interquartile=True),
        ),
        protocol="100 test episodes of random actions, seeds apart from those of training and validation; discount 1",
    ),
)
