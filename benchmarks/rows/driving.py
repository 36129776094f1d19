"""The rows of what drives."""

from benchmarks.row import Figure, Row


def _figures(mae: float | None = None, r2: float | None = None) -> tuple[Figure, ...]:
    """Return the figures of a steering that is to have an error of ``mae`` at most, and to explain ``r2`` at least."""
    guess = "ridge regression on 32 x 16 grey values"
    return (
        Figure(
            "test/mae@last",
            "mean absolute error of the steering",
            digits=3,
            bar=mae,
            better="lower",
            baseline="baseline/mae",
            guess=guess,
        ),
        Figure("test/r2@last", "explained variance", digits=3, bar=r2, baseline="baseline/r2", guess=guess),
    )


ROWS = (
    Row(
        name="pilotnet_tub",
        kind="score",
        program="programs.scores",
        system="PilotNet",
        config="configs/driving/pilotnet_tub.yaml",
        budget="30 epochs of 700 frames, three minutes of a core",
        seeds=(0, 1, 2),
        figures=_figures(0.15, 0.75),
        protocol="the last 200 of 1,000 frames of a donkeycar's drive, steering in [-1, 1]; settings chosen on frames"
        " before them; the ridge regression sees all 800 of these below their top third; final weights",
        options={"baseline": "ridge_of_frames"},
        headline=True,
    ),
    Row(
        name="pilotnet_roads",
        kind="score",
        program="programs.scores",
        system="PilotNet",
        config="configs/driving/pilotnet_roads.yaml",
        budget="10 epochs of 1,000 drawn frames, a minute of a core",
        figures=_figures(),
        protocol="200 drawn roads that were not trained on; the ridge regression sees all others below their top third;"
        " final weights",
        options={"baseline": "ridge_of_frames"},
    ),
)
