"""The rows of semi-gradient agents."""

from benchmarks.row import Figure, Row
from benchmarks.rows.shared import EPISODES, final_return


def _mountain_car(method: str, system: str) -> Row:
    return Row(
        name=f"semi_gradient_{method}_mountain_car",
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/rl/semi_gradient_{method}_mountain_car.yaml",
        budget="100,000 environment steps",
        seeds=tuple(range(5)),
        figures=(final_return("mountain_car"),),
        protocol=EPISODES,
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
