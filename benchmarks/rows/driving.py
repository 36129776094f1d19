"""The rows of what drives."""

from benchmarks.row import Figure, Row

_RIDGE = {"baseline": "baseline/mae", "guess": "ridge regression on 32 x 16 grey values"}

ROWS = (
    Row(
        name="pilotnet_tub",
        kind="score",
        program="programs.scores",
        system="PilotNet",
        config="configs/driving/pilotnet_tub.yaml",
        budget="30 epochs of 700 frames, three minutes of a core",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                "test/mae@last", "mean absolute error of the steering", digits=3, bar=0.15, better="lower", **_RIDGE
            ),
            Figure(
                *("test/r2@last", "explained variance"),
                digits=3,
                bar=0.75,
                **{**_RIDGE, "baseline": "baseline/r2"},
            ),
        ),
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
        figures=(
            Figure("test/mae@last", "mean absolute error of the steering", digits=3, better="lower", **_RIDGE),
            Figure("test/r2@last", "explained variance", digits=3, **{**_RIDGE, "baseline": "baseline/r2"}),
        ),
        protocol="200 drawn roads that were not trained on; the ridge regression sees all others below their top third;"
        " final weights",
        options={"baseline": "ridge_of_frames"},
    ),
)
