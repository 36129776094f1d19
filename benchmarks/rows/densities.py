"""The rows of densities that are trained by counting."""

from benchmarks.row import Figure, Row

_MEAN = "mean over the test rows that the density holds possible, in nats; the fraction that it holds impossible"


def _row(
    name: str, system: str, config: str, budget: str, what: str, baseline: str, guess: str, impossible: bool = True
) -> Row:
    likelihood = Figure(
        "test/possible_log_likelihood@last",
        "log-likelihood of the possible, nats" if impossible else "log-likelihood, nats",
        digits=2,
        baseline="baseline/log_likelihood",
        guess=guess,
    )
    fraction = Figure("test/impossible@last", "fraction held impossible", digits=3, better="lower")
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/densities/{config}.yaml",
        budget=budget,
        seeds=(0, 1, 2),
        figures=(likelihood, fraction),
        protocol=f"{what}; {_MEAN}; nothing but the training rows that the seed chooses, if any, differs between seeds",
        options={"baseline": baseline},
        cost="seconds",
    )


_COMBINATIONS = "every combination equally probable"
ROWS = (
    _row(
        "box_land",
        "BoxDensity",
        "box_land",
        "one pass over 256 points",
        "80 test points",
        "uniform_map",
        "uniform over the map",
    ),
    _row(
        "multinomial_smoothed_wrodl",
        "Multinomial",
        "multinomial_smoothed_wrodl",
        "one pass over 50 rows, one added to every count",
        "200 test rows",
        "uniform_categories",
        _COMBINATIONS,
        impossible=False,
    ),
    _row(
        "multinomial_wrodl",
        "Multinomial",
        "multinomial_wrodl",
        "one pass over 50 rows",
        "200 test rows",
        "uniform_categories",
        _COMBINATIONS,
    ),
    _row(
        "naive_bayes_wrodl",
        "NaiveBayes",
        "naive_bayes_wrodl",
        "one pass over 50 rows",
        "200 test rows",
        "uniform_categories",
        _COMBINATIONS,
    ),
    _row(
        "pixel_naive_bayes_planet",
        "PixelNaiveBayes",
        "pixel_naive_bayes_planet",
        "one pass over the training pictures",
        "200 test pictures",
        "uniform_colours",
        "every colour equally probable",
    ),
)
