"""The rows of the lessons about recurrent networks."""

from typing import Any

from benchmarks.row import Figure, Row

_HALF = {"guess": "half the number of bits"}
_NONE = {"baseline": "baseline/train_loss", "guess": "an output of 0"}
_TEST = "1,000 random test sequences of 40 bits, the same for every seed; last epoch"


def _row(name: str, budget: str, protocol: str, bars: dict[str, float], **more: Any) -> Row:
    figures = (
        Figure(
            "test/rmse@last",
            "root mean squared error",
            better="lower",
            bar=bars.get("rmse"),
            baseline="baseline/rmse",
            **_HALF,
        ),
        Figure(
            "test/accuracy@last",
            "counted rightly",
            bar=bars.get("accuracy"),
            baseline="baseline/accuracy",
            **_HALF,
        ),
        Figure("train/loss", "squared error of the last training step", digits=4, better="lower", **_NONE),
        Figure("train/U", "U in the last training step"),
        Figure("train/W", "W in the last training step"),
    )
    options = {"baseline": "half_the_bits", "logged": ("train/loss", "train/U", "train/W"), **more.pop("options", {})}
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system="CountingRNN",
        budget=budget,
        figures=figures,
        protocol=protocol,
        options=options,
        cost="seconds",
        **more,
    )


_ONE = f"{_TEST}; trained on one sequence, so that it has no reason to count; nothing in the training is random"
ROWS = (
    _row(
        "counting_ones",
        "150 steps on the book's sequence of 10 bits",
        _ONE,
        {},
        config="configs/text/counting_ones.yaml",
    ),
    _row(
        "counting_ones_clipped",
        "150 steps on the 40 bits that blow up without clipping",
        f"{_ONE}; gradients of length 25 at most",
        {},
        config="configs/text/counting_ones_clipped.yaml",
    ),
    _row(
        "counting_ones_random",
        "100 epochs of 1,000 random sequences of 10 bits, from (0, 0)",
        f"{_TEST}; the bars are those of the learning test",
        {"rmse": 0.3, "accuracy": 0.95},
        config="configs/text/counting_ones_random.yaml",
        seeds=tuple(range(10)),
        headline=True,
    ),
    _row(
        "counting_ones_random_book_start",
        "100 epochs of 1,000 random sequences of 10 bits, from the book's (-2, 0)",
        _TEST,
        {},
        config="configs/text/counting_ones_random.yaml",
        seeds=(0, 1, 2),
        options={"args": ("--model.init_args.start", "[-2.0, 0.0]")},
    ),
)
