"""The rows of CarRacing by an expert's example."""

from benchmarks.row import Row
from benchmarks.rows.shared import return_on_tracks

_TRACKS = (
    "undiscounted return of 100 tracks that were not trained on, the first second of each included, 1,000 frames at"
    " most; the expert, a driver by rules who knows the track, does not help there"
)
_CALM, _EXPERT = "895 (the calm expert)", "917 (the expert)"


def _row(name: str, system: str, budget: str, bar: float | None, *args: str, config: str, anchor: str = _CALM) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/rl/{config}.yaml",
        budget=budget,
        seeds=(0, 1, 2),
        figures=(return_on_tracks(bar, anchor),),
        protocol=_TRACKS,
        options={"baseline": "random_actions", "args": args},
        headline=name in ("cloning_car_racing", "dagger_car_racing"),
    )


def _laps(laps: int, steps: int) -> Row:
    return _row(
        f"cloning_car_racing_{laps}",
        "BehaviouralCloning",
        f"{laps} laps of the expert, five minutes of a core",
        None,
        *("--model.expert_steps", str(steps), "--data.total_steps", str(steps + 8_000)),
        config="cloning_car_racing",
    )


ROWS = (
    _row(
        "cloning_car_racing",
        "BehaviouralCloning",
        "20 laps of the expert, five minutes of a core",
        600.0,
        config="cloning_car_racing",
    ),
    _laps(10, 8_320),
    _laps(5, 4_160),
    _row(
        "cloning_car_racing_book",
        "BehaviouralCloning",
        "20 laps of the expert, ten minutes of a core",
        None,
        config="cloning_car_racing_book",
        anchor="869 (the expert by keys)",
    ),
    _row(
        "dagger_car_racing",
        "DAgger",
        "83,200 frames with the expert's answers, half an hour of a core",
        880.0,
        config="dagger_car_racing",
        anchor=_EXPERT,
    ),
)
