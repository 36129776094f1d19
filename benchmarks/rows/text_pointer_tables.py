"""The rows of pointer networks, which sort numbers."""

from typing import Any

from benchmarks.row import Figure, Row

_PROTOCOL = (
    "2,000 sequences of random numbers between 0 and 1, the whole order found, each place following on those found"
    " before; final weights; by chance one of 3,628,800 orders of ten"
)


def _exact(length: int, bar: float | None = None, **more: Any) -> Figure:
    return Figure(f"exact_of_{length}", f"{length} numbers", digits=4, bar=bar, **more)


def _row(name: str, budget: str, protocol: str, figures: tuple[Figure, ...], *args: str, **more: Any) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.sorting",
        system="PointerNetwork",
        config="configs/text/pointer_sorting.yaml",
        budget=budget,
        protocol=f"{_PROTOCOL}; {protocol}",
        seeds=(0, 1, 2),
        figures=figures,
        options={"args": args},
        **more,
    )


ROWS = (
    _row(
        *("pointer_sorting", "10 epochs of 100,000 sequences of 5 to 10 numbers", "no mask"),
        (_exact(5), _exact(10, 0.98, anchor="about .57 (the paper)"), _exact(15), _exact(20)),
        headline=True,
    ),
    _row(
        *("pointer_sorting_15", "10 epochs of 100,000 sequences of 5 to 15 numbers", "no mask"),
        (_exact(5), _exact(10), _exact(15, 0.9), _exact(20)),
        *("--data.longest", "15"),
    ),
    _row(
        *("pointer_sorting_masked", "2 epochs of 100,000 sequences of 5 to 10 numbers"),
        "nothing is pointed at twice, with which a score that falls with the number sorts any sequence",
        (_exact(5), _exact(10), _exact(15), _exact(20)),
        *("--model.mask_chosen", "true", "--trainer.max_epochs", "2", "--model.scheduler.total_steps", "1564"),
    ),
)
