"""The rows of regressions."""

from benchmarks.row import Figure, Row


def _row(name: str, system: str, budget: str, bar: float, what: str) -> Row:
    guess = "the training targets' mean"
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/regression/{name}.yaml",
        budget=budget,
        seeds=(0, 1, 2),
        figures=(
            Figure("test/r2@last", "explained variance", digits=3, bar=bar, baseline="baseline/r2", guess=guess),
            Figure(
                "test/rmse@last",
                "root mean squared error",
                digits=3,
                better="lower",
                baseline="baseline/rmse",
                guess=guess,
            ),
        ),
        protocol=f"{what}, the same for every seed; last epoch; the bar is that of the learning test",
        options={"baseline": "mean_target"},
        cost="seconds",
    )


ROWS = (
    _row("linear_regression_diabetes", "LinearRegression", "50 epochs of batches of 32", 0.4, "test rows of the study"),
    _row("mlp_regression_boxcar", "MLPRegression", "60 epochs of batches of 64", 0.9, "200 test points"),
)
