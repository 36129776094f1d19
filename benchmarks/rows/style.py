"""The rows of what gives pictures a style."""

from typing import Any

from benchmarks.row import Figure, Row

_JUDGED = "errors in parts of what the targets are, as a VGG-16 sees them, trained on ImageNet and tuned for edges"
_PICTURE = f"a photograph of a castle in the style of Hokusai's wave, both 256 pixels; {_JUDGED}"
_PHOTOS = "30 photographs that were not trained on, 128 pixels"


def _gatys(name: str, **options: Any) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.neural_style",
        system="NeuralStyle",
        config="configs/style/neural_style.yaml",
        budget="200 evaluations of the loss",
        seeds=(0,),
        figures=(
            Figure(
                *("judged/style_of_content", "style error, of that of the photograph"),
                digits=3,
                better="lower",
                bar=None if options else 0.04,
            ),
            Figure(
                *("judged/content_error", "content error"),
                digits=3,
                better="lower",
                bar=None if options else 0.46,
            ),
        ),
        protocol=_PICTURE,
        options={"data": "castle_and_wave", **options},
        headline=not options,
        elsewhere="one core, three minutes",
    )


def _johnson(name: str, budget: str, **more: Any) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.fast_style",
        system="FastStyle",
        config="configs/style/fast_style.yaml",
        budget=budget,
        protocol=f"{_PHOTOS}, in the style of Hokusai's wave; loss and errors as the network is trained by them",
        **more,
    )


_BFLOAT16 = ("--trainer.precision", "bf16-mixed")
_ERRORS = (
    Figure("test/loss@last", "loss", digits=3, better="lower"),
    Figure("test/style_error@last", "style error", digits=3, better="lower"),
    Figure("test/content_error@last", "content error", digits=3, better="lower"),
)
_SHORT = (
    *("--trainer.max_steps", "600", "--model.init_args.scheduler.init_args.total_steps", "600"),
    *("--model.init_args.scheduler.init_args.decay_steps", "300"),
)

ROWS = (
    _gatys("neural_style"),
    _gatys("neural_style_untrained", args=("--model.init_args.feature_network", "untrained")),
    _johnson(
        "fast_style",
        "4,000 updates of 4 photographs in bfloat16, an hour of a core",
        seeds=(0,),
        figures=(
            *_ERRORS,
            Figure(
                *("loss_ratio", "loss, of that of 200 evaluations of L-BFGS"),
                digits=2,
                better="lower",
                bar=1.15,
            ),
            Figure("times_faster", "times faster than these", digits=0, bar=300.0),
        ),
        options={"data": "photos_and_wave", "pictures": 6, "args": _BFLOAT16},
        headline=True,
        cost="hours",
        elsewhere="one core, an hour",
    ),
    *(
        _johnson(
            f"fast_style_{norm}",
            "600 updates of 4 photographs in bfloat16, ten minutes of a core",
            seeds=(0,),
            figures=_ERRORS,
            options={"data": "photos_and_wave", "args": ("--model.init_args.norm", norm, *_SHORT, *_BFLOAT16)},
            elsewhere="one core, ten minutes",
        )
        for norm in ("instance", "batch", "layer", "group")
    ),
)
