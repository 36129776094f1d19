"""The rows of CarRacing by a world model."""

from typing import Any

from benchmarks.row import Row
from benchmarks.rows.shared import return_on_tracks

_TRACKS = (
    "undiscounted return of 100 tracks that were not trained on, the first second of each included, 1,000 frames at"
    " most; the mean of the search, which acts without noise"
)
_STAGES: dict[str, Any] = {
    "vision": "configs/world_models/car_racing_vae.yaml",
    "memory": "configs/world_models/car_racing_mdn_rnn.yaml",
}


def _controller(name: str, what: str, anchor: str, bar: float | None, *args: str, **options: Any) -> Row:
    dreams = options.get("dreams", False)
    learnt = "10,000,000 dreamt actions" if dreams else "4,000,000 actions"
    return Row(
        name=f"car_racing_controller{name}",
        kind="score",
        program="programs.world_controller",
        system="EvolvedController",
        config=f"configs/world_models/car_racing_{'dream' if dreams else 'controller'}.yaml",
        budget=f"{learnt} of two frames, half an hour of a core with vision and memory{what}",
        seeds=(0, 1, 2),
        figures=(return_on_tracks(bar, anchor),),
        protocol=_TRACKS,
        options={**_STAGES, "baseline": "random_actions", "args": args, **options},
        cost="hours",
        elsewhere="one core, half an hour",
        headline=not name,
    )


def _speed(name: str, title: str, bar: float, judged: str, unit: str) -> Row:
    return Row(
        name=f"speed_car_racing{name}",
        kind="speed",
        program="programs.speed_car_racing",
        system="EvolvedController",
        protocol="episodes of 1,000 frames of 64 pixels by wandering actions, their start included, against Gymnasium's"
        " CarRacing-v3, whose frames have 96 pixels; ten pairs in turn, one thread, seconds of the processor; the"
        " median with its 95 % confidence interval (bootstrap), which decides",
        title=title,
        unit=unit,
        bar=(">=", bar),
        ours="{:,.0f} frames/s",
        other="Gymnasium {:,.0f} frames/s",
        options={"judged": judged},
    )


ROWS = (
    _controller("", "", "906 (the paper), 827 (its log after 200 generations, 115 hours of 64 cores)", 800.0),
    _controller("_v_only", ", without memory", "632 (the paper)", None, "--model.memory", "false"),
    _controller(
        *("_v_hidden", ", without memory, with a hidden layer", "788 (the paper)", None),
        *("--model.memory", "false", "--model.hidden_dims", "[40]"),
    ),
    _controller(
        *("_untrained_m", ", which stays untrained", "870 (a replication with an untrained memory)", None),
        untrained=True,
    ),
    _controller("_dream", ", in dreams alone", "587, then 364 (the book)", 600.0, dreams=True),
    _speed("", "CarRacing: frames drawn from a map against Gymnasium's", 40.0, "ratio", "times"),
    _speed("_frames", "CarRacing: frames of 64 pixels in a second", 6_000.0, "ours", "frames/s"),
)
