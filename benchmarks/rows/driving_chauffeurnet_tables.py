"""The rows of ChauffeurNet, and of the paper's table of what it is without some of its parts."""

from typing import Any

from benchmarks.row import Figure, Row

_PROTOCOL = (
    "240 scenes that were not trained on, ten seconds each by the network's own plans, a sixth of them each with a free"
    " way and with a car that is slow, brakes, stands, is parked or crosses; and 240 free roads on which the car has"
    " left its lane by 0.3 to 0.6 metres and 0.1 to 0.25 radians and has five seconds to be back; final weights"
)
_BUDGET = "5 epochs of 13,600 moments of 800 scenes, seven minutes of a core"


def _figures(collisions: float | None = None, recovered: float | None = None, paper: str = "") -> tuple[Figure, ...]:
    """Return the figures, with the largest part of ``collisions`` and the least that is ``recovered``."""
    return (
        Figure(
            *("test/collisions@last", "scenes with a collision"),
            digits=3,
            bar=collisions,
            better="lower",
            baseline="baseline/collisions",
            guess="the driver without eyes for cars",
        ),
        Figure("test/recovered@last", "roads recovered on", digits=3, bar=recovered, anchor=paper),
        Figure("test/off_road@last", "scenes off the road", digits=3, better="lower"),
        Figure("test/progress@last", "progress, of the driver's", digits=3),
    )


def _paper(recovered: int) -> str:
    return f"{recovered} % (the paper, 20 of its own)"


def _row(name: str, args: tuple[str, ...] = (), **more: Any) -> Row:
    return Row(
        name=name,
        program="programs.scores",
        system="ChauffeurNet",
        config="configs/driving/chauffeurnet.yaml",
        budget=_BUDGET,
        protocol=_PROTOCOL,
        seeds=(0, 1, 2),
        options={"baseline": "sees_no_cars", "args": args},
        **more,
    )


_NO_ENVIRONMENT = ("--model.init_args.environment_weight", "0.0")
_NO_DROPOUT = ("--model.init_args.imitation_dropout", "0.0")
# What each is, what it is trained with, and how many of the paper's 20 cars recovered. M4, which is M2 with imitation
# dropout, is the configuration.
_MODELS = (
    ("M0: imitation, the past dropped out", ("--data.init_args.perturbed", "0.0", *_NO_ENVIRONMENT, *_NO_DROPOUT), 0),
    ("M1: M0 and perturbed trajectories", (*_NO_ENVIRONMENT, *_NO_DROPOUT), 50),
    ("M2: M1 and losses of the environment", _NO_DROPOUT, 50),
    ("M3: M2 with half of the imitation", ("--model.init_args.imitation_weight", "0.5", *_NO_DROPOUT), 100),
)

ROWS = (
    _row("chauffeurnet", kind="score", figures=_figures(0.05, 0.9, _paper(100)), headline=True),
    *(
        _row(
            f"chauffeurnet_m{number}",
            kind="table",
            table="chauffeurnet_table",
            title=title,
            elsewhere="one core, seven minutes a seed",
            figures=_figures(paper=_paper(recovered)),
            args=args,
        )
        for number, (title, args, recovered) in enumerate(_MODELS)
    ),
)
TABLES = {"chauffeurnet_table": "ChauffeurNet without its parts: vasilev 10.8, table 3 and figure 7 of the paper"}
