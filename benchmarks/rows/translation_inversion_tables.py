"""The rows of what decides whether a CycleGAN inverts light and dark."""

from benchmarks.row import Figure, Row

_SMALL = (
    *("--data.init_args.a.init_args.image_size", "32", "--data.init_args.b.init_args.image_size", "32"),
    *("--model.init_args.source_shape", "[3,32,32]", "--model.init_args.image_shape", "[3,32,32]"),
    *("--model.init_args.width", "16", "--model.init_args.blocks", "2", "--model.init_args.layers", "2"),
    *("--model.init_args.scheduler", "null", "--trainer.max_steps", "600"),
)
_FREE = (*_SMALL, "--model.init_args.residual", "false", "--model.init_args.identity", "0")
_MODELS = (
    ("as the paper: weights of 0.02, cycle 10", _FREE),
    ("cycle 1", (*_FREE, "--model.init_args.cycle", "1")),
    ("cycle 50", (*_FREE, "--model.init_args.cycle", "50")),
    ("weights of 0.1", (*_FREE, "--model.init_args.weight_std", "0.1")),
    ("weights of 0.1, cycle 1", (*_FREE, "--model.init_args.weight_std", "0.1", "--model.init_args.cycle", "1")),
    ("identity 5", (*_SMALL, "--model.init_args.residual", "false")),
    ("residual", (*_SMALL, "--model.init_args.identity", "0")),
)
ROWS = tuple(
    Row(
        name=f"cyclegan_inversion_{number}",
        kind="table",
        table="cyclegan_inversion",
        title=title,
        elsewhere="one core, a minute a seed",
        program="programs.lightness",
        system="CycleGAN",
        config="configs/translation/cyclegan_fruit.yaml",
        budget="600 updates of 4 images of each domain, one minute of a core",
        seeds=(0, 1, 2, 3, 4),
        figures=(
            Figure("lightness", "correlation of lightness, before and after", digits=3),
            Figure("inverted", "images with a negative one", digits=3, better="lower"),
            Figure("test/cycle_a@last", "error of a pixel, there and back", digits=4, better="lower"),
        ),
        protocol="500 apples and 500 oranges stamped on photographs that were not trained on, 32 pixels; networks of"
        " two residual blocks; a correlation over the pixels of an image, its mean over both ways; final weights",
        options={"data": "fruit", "args": args},
    )
    for number, (title, args) in enumerate(_MODELS, start=1)
)
TABLES = {"cyclegan_inversion": "What decides whether a CycleGAN inverts light and dark"}
