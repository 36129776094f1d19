"""The rows of planning."""

from benchmarks.row import Figure, Row

_PROTOCOL = "computed from the environment's table of transitions; nothing is drawn, so one seed stands for all"


def _row(name: str, system: str, *figures: Figure) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/rl/{name}.yaml",
        budget="until no value changes by theta",
        seeds=(0,),
        figures=(*figures, Figure("test/sweeps@last", "sweeps", digits=0, better="lower")),
        protocol=_PROTOCOL,
    )


def _return(bar: float, anchor: str, digits: int = 1) -> Figure:
    return Figure("test/exact_return@last", "expected return", digits=digits, bar=bar, anchor=anchor)


_LAKE = _return(0.7401, "0.7402, the best of policies that do not know the time", digits=4)

ROWS = (
    _row(
        "policy_evaluation_gridworld",
        "PolicyEvaluation",
        Figure("test/value@last", "mean value of the first states", digits=2, book="-18.29 (mean of its table)"),
    ),
    _row("policy_iteration_gridworld", "PolicyIteration", _return(-2.001, "-2.0, the mean way to a corner")),
    _row("policy_iteration_frozen_lake", "PolicyIteration", _LAKE),
    _row("value_iteration_maze", "ValueIteration", _return(4.999, "5.0, the best way")),
    _row("value_iteration_frozen_lake", "ValueIteration", _LAKE),
    _row("value_iteration_taxi", "ValueIteration", _return(7.929, "7.93, the optimum", digits=2)),
)
