"""The rows of agents that learn a table from steps."""

from typing import Any

from benchmarks.row import Figure, Row

_SEEDS = tuple(range(10))
_EXACT = (
    "expected return of the best known actions of the final table within the time limit, computed from the transitions"
)
_WALK = "root of the mean squared difference of the final values to the exact ones, over the 19 states"


_LAKE = "0.7402, the best of policies that do not know the time"
_CLIFF = "-13, the shortest way"


def _return(
    key: str, label: str, bar: float | None = None, anchor: str = "", digits: int = 1, book: str = ""
) -> Figure:
    return Figure(
        key,
        label,
        digits=digits,
        bar=bar,
        book=book,
        anchor=anchor,
        interquartile=True,
        baseline="baseline/return",
        guess="random actions",
    )


def _expected(bar: float | None, anchor: str, digits: int = 4, book: str = "") -> Figure:
    return _return("test/exact_return@last", "expected return", bar, anchor, digits, book)


# Values of actions lie nearer to each other than with 0.99, so smaller steps are needed to tell them apart.
_SHORT_SIGHTED = (
    *("--model.init_args.gamma", "0.9", "--model.init_args.learning_rate", "0.05"),
    *("--model.init_args.learning_rate_end", "0"),
)
_ONLINE = _return("train/return", "return while learning, last 100 episodes")


def _row(name: str, system: str, *figures: Figure, protocol: str = _EXACT, **arguments: Any) -> Row:
    defaults: dict[str, Any] = {"config": f"configs/rl/{name}.yaml", "cost": "seconds", "seeds": tuple(range(10))}
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        budget="that of the configuration",
        figures=figures,
        protocol=protocol,
        **{**defaults, "options": {"baseline": "random_actions"}, **arguments},
    )


def _cliff(name: str, system: str, bar: float | None) -> Row:
    return _row(
        f"{name}_cliff_walking",
        system,
        _expected(bar, _CLIFF, digits=1),
        _ONLINE,
        protocol=f"{_EXACT}; the return while learning, one action in ten at random, as it is logged last",
        options={"baseline": "random_actions", "logged": ["train/return"]},
    )


def _walk(name: str, system: str, bar: float) -> Row:
    error = Figure(
        "test/value_error@last",
        "error of the values",
        bar=bar,
        better="lower",
        interquartile=True,
        baseline="baseline/value_error",
        guess="values of 0",
    )
    return _row(name, system, error, protocol=_WALK, options={"baseline": "zero_values"})


ROWS = (
    _row("q_learning_frozen_lake", "QLearning", _expected(0.739, _LAKE), headline=True),
    _row(
        "q_learning_frozen_lake_short_sighted",
        "QLearning",
        _expected(0.7297, "0.72977, the best policy for gamma 0.9"),
        config="configs/rl/q_learning_frozen_lake.yaml",
        options={"baseline": "random_actions", "args": _SHORT_SIGHTED},
    ),
    _row(
        "q_learning_frozen_lake_book",
        "QLearning",
        _expected(None, "0.7298, the best policy for gamma 0.9", book="0.71"),
        cost="minutes",
        seeds=(0, 1, 2, 3, 4),
    ),
    _row("q_learning_frozen_lake_deterministic", "QLearning", _expected(1.0, "1, the shortest way", book="0.76")),
    _row("q_learning_taxi", "QLearning", _expected(7.92, "7.93, the optimum", digits=2)),
    _cliff("q_learning", "QLearning", -13.0),
    _cliff("sarsa", "Sarsa", None),
    _cliff("expected_sarsa", "ExpectedSarsa", None),
    _row("double_q_maximization_bias", "DoubleQLearning", _expected(None, "0, to the right", digits=2)),
    _row("monte_carlo_frozen_lake", "MonteCarloControl", _expected(None, _LAKE)),
    _row("monte_carlo_exploring_starts_frozen_lake", "MonteCarloControl", _expected(None, _LAKE)),
    _walk("mc_prediction_random_walk", "MonteCarloPrediction", 0.1),
    _walk("td_random_walk", "TDPrediction", 0.1),
    _row(
        "random_agent_cartpole",
        "RandomAgent",
        _return("test/return@last", "mean return"),
        protocol="100 test episodes, seeds apart from those of training; beside it random actions that are drawn apart",
        config="configs/rl/random_cartpole.yaml",
    ),
)
