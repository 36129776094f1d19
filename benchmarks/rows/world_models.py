"""The rows of what predicts what comes next: a world model's memory, and handwriting."""

from benchmarks.row import Figure, Row

_WANDERING = "wandering actions"
_SHORT = "40 epochs of 160 episodes, two minutes of a core"


def _memory(
    name: str, *args: str, who: str, config: str, budget: str, auc: float | None = None, read: float | None = None
) -> Row:
    return Row(
        name=f"mdn_rnn_car_racing{name}",
        kind="score",
        program="programs.world_memory",
        system="MDNRNN",
        config=f"configs/world_models/{config}_mdn_rnn.yaml",
        budget=budget,
        seeds=(0, 1, 2),
        figures=(
            Figure(
                *("test/z_loss@last", "nats a number of the next code"),
                digits=3,
                better="lower",
                baseline="copy",
                guess="a Gaussian around the last code",
            ),
            Figure(
                *("test/reward_auc@last", "area under the ROC curve of the reward"),
                digits=3,
                bar=auc,
                of_mean=True,
                baseline="before_auc",
                guess="whether the step before paid",
            ),
            *(
                Figure(f"r2_{key}", f"R2 of {title}, read from code and memory", digits=2, bar=read, of_mean=True)
                for key, title in (
                    ("speed", "the speed"),
                    ("distance", "the distance to the road"),
                    ("turn", "the road's turn ahead"),
                )
            ),
        ),
        protocol=f"episodes of {who} on tracks that were not trained on; readings by ridge regression on 40"
        " episodes more, the last ten of which are the test; final weights",
        options={"vision": f"configs/world_models/{config}_vae.yaml", "args": args},
        elsewhere="one core, five minutes" if who == _WANDERING else "one core, half an hour",
        headline=who != _WANDERING,
    )


def _foreseen(bar: float | None) -> tuple[Figure, ...]:
    return (
        Figure("margin", "nats a point better than one Gaussian", digits=2, bar=bar),
        Figure(
            *("test/loss@last", "nats a point"),
            digits=2,
            better="lower",
            baseline="baseline/loss",
            guess="one Gaussian of the training's offsets, and how often its pens are lifted",
        ),
        Figure(
            *("test/pen_accuracy@last", "pens foreseen"),
            digits=3,
            baseline="baseline/pen_accuracy",
            guess="a pen that is never lifted",
        ),
    )


_NATS = (
    "; the density of a point's offset, in units of the training's standard deviation, and the probability of its pen,"
    " each after all true points before it; final weights"
)


ROWS = (
    _memory(
        "_expert",
        who="a driver who is pushed off his line a little",
        config="car_racing_expert",
        budget="60 epochs of 640 episodes, ten minutes of a core",
        auc=0.9,
        read=0.9,
    ),
    _memory("", who=_WANDERING, config="car_racing", budget=_SHORT, auc=0.9, read=0.9),
    _memory(
        *("_one_gaussian", "--model.components", "1"),
        who=_WANDERING,
        config="car_racing",
        budget=f"{_SHORT}, with one Gaussian in place of five",
    ),
    Row(
        name="handwriting_omniglot",
        kind="score",
        program="programs.handwriting",
        system="HandwritingMDN",
        config="configs/world_models/handwriting_omniglot.yaml",
        budget="100 epochs of 728 lines, six minutes of a core",
        seeds=(0, 1, 2),
        figures=_foreseen(0.5),
        protocol="lines of five characters of Omniglot by four writers of each alphabet who are not trained on" + _NATS,
        options={"baseline": "one_gaussian"},
        headline=True,
        elsewhere="one core, 20 minutes",
    ),
    Row(
        name="handwriting_letters",
        kind="score",
        program="programs.handwriting",
        system="HandwritingSynthesis",
        config="configs/world_models/handwriting_letters.yaml",
        budget="80 epochs of 6,400 lines, a quarter of an hour of a core",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                *("read", "written letters read"),
                digits=3,
                bar=0.85,
                baseline="baseline/read",
                guess="one of 36 letters",
            ),
            Figure("read_in_words", "letters of written words read", digits=3),
            Figure("read_real", "the same of real letters", digits=3),
            *_foreseen(None),
        ),
        protocol="made-up letters; 720 that are written alone, and 720 in words of four, a stroke being of the letter"
        " that had most weight in the window when it was begun, read by a convolutional network that has seen the"
        " training's writers; the real ones, and the lines whose points are foreseen, are by 16 writers who are not"
        " trained on" + _NATS,
        options={"baseline": "one_gaussian"},
        headline=True,
        elsewhere="one core, 20 minutes",
    ),
)
