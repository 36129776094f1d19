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


def _roads(within_2: float | None = None, anchor: str = "") -> tuple[Figure, ...]:
    """Return the figures of a network that reads roads, of which it is to know ``within_2`` at least, and drives."""
    guess = "straight on"
    return (
        Figure(
            *("test/within_2@last", "within two units of what is right"),
            digits=3,
            bar=within_2,
            anchor=anchor,
            baseline="straight/within_2",
            guess=guess,
        ),
        Figure("loops/around", "loops driven around", digits=2, baseline="straight/around", guess=guess),
        Figure("loops/part", "part of a loop driven", digits=3, baseline="straight/part", guess=guess),
    )


_LOOPS = (
    "1,000 drawn roads that were not trained on, seen from beside their middle too, without a frame before; 20 closed"
    " loops of 250 to 400 metres, a frame each metre, ended where the middle of the car leaves the road; final weights"
)
_UNMOVED = (
    *("--data.init_args.shift", "0", "--data.init_args.turn", "0"),
    *("--data.init_args.mirror", "false"),
)

ROWS = (
    Row(
        name="alvinn",
        kind="score",
        program="programs.driving",
        system="ALVINN",
        config="configs/driving/alvinn.yaml",
        budget="40 epochs of 1,200 drawn roads",
        seeds=(0, 1, 2),
        figures=_roads(0.9, "about 0.90 (Pomerleau 1989, roads of his own)"),
        protocol=_LOOPS,
        headline=True,
    ),
    *(
        Row(
            name=name,
            kind="score",
            program="programs.driving",
            system="ALVINN",
            config="configs/driving/alvinn_driver.yaml",
            budget=f"40 epochs of 1,200 frames of a driver in the middle of the road, {how}",
            seeds=(0, 1, 2),
            figures=_roads(),
            protocol=_LOOPS,
            options={"args": args} if args else {},
        )
        for name, how, args in (
            ("alvinn_driver", "shifted, turned and mirrored", ()),
            ("alvinn_driver_unmoved", "as they are", _UNMOVED),
        )
    ),
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
