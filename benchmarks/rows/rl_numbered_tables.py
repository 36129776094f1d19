"""The rows of Q-learning in QWorld, and on cart-pole cut into numbered states."""

from benchmarks.row import Figure, Row
from benchmarks.rows.shared import final_return, random_actions

_EPISODES = "100 test episodes, best known actions, seeds apart from those of training and validation"


def _cartpole(name: str, budget: str, *figures: Figure) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system="QLearning",
        config=f"configs/rl/{name}.yaml",
        budget=budget,
        seeds=(0, 1, 2, 3, 4),
        figures=figures,
        protocol=f"{_EPISODES}; the last 1,000 episodes of the training, which has a few random actions in them",
        options={"last_episodes": 1_000},
    )


ROWS = (
    Row(
        name="q_learning_qworld",
        kind="score",
        program="programs.scores",
        system="QLearning",
        config="configs/rl/q_learning_qworld.yaml",
        budget="until the eleventh win, about 12.6 episodes",
        seeds=tuple(range(10)),
        figures=(Figure("test/exact_return@last", "expected return", digits=0, bar=100, anchor="100, the goal"),),
        protocol="best known actions, computed from the environment's table of transitions",
    ),
    _cartpole(
        "q_learning_cartpole",
        "2,000,000 environment steps",
        Figure(
            "train/return_of_last_episodes",
            "mean return of the last 1,000 episodes of the training",
            digits=1,
            bar=480,
            interquartile=True,
            **random_actions("cartpole"),
        ),
        final_return("cartpole"),
    ),
    _cartpole(
        "q_learning_cartpole_lab",
        "10,000 episodes",
        Figure(
            "train/return_of_last_episodes",
            "mean return of the last 1,000 episodes of the training",
            digits=1,
            interquartile=True,
            book="36 to 201, with random actions (the last 1,000 episodes of six runs)",
            **random_actions("cartpole"),
        ),
        final_return("cartpole"),
    ),
)
