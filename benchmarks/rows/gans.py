"""The rows of the generative adversarial networks: all variants side by side, and long runs at the books' width."""

from typing import Any

from benchmarks.row import Figure, Gpu, Row
from benchmarks.rows.shared import GAN_PROTOCOL, GENERATIVE_FIGURES

UPDATES = 2000
WIDTH = "a quarter of the book's width"

# The bound of FID: half the way, in logarithms, from an untrained generator (896) to real images (6.0), the rows
# reference_untrained_mnist and reference_real_mnist.
FID_BOUND = 73.0

# System, configuration, what it is, what its bars are for, and what else its measurement needs to know.
_VARIANTS: tuple[tuple[str, str, str, tuple[str, ...], dict[str, Any]], ...] = (
    ("GAN", "gan_mnist", "GAN of dense layers, not narrowed, batches of 128", (), {}),
    ("DCGAN", "dcgan_mnist_cpu", "DCGAN", ("fid", "classes"), {}),
    ("LSGAN", "lsgan_mnist_cpu", "LSGAN", ("fid", "classes"), {}),
    ("WGAN", "wgan_mnist_cpu", "WGAN, clipped weights", (), {"n_critic": 5}),
    ("WGANGP", "wgan_gp_mnist_cpu", "WGAN-GP", ("fid", "classes"), {"n_critic": 5}),
    ("SNGAN", "sngan_mnist_cpu", "SN-GAN", ("fid", "classes"), {}),
    ("CGAN", "cgan_mnist_cpu", "CGAN, given the class", ("conditional",), {}),
    ("ACGAN", "acgan_mnist_cpu", "ACGAN, given the class", ("conditional",), {}),
    ("InfoGAN", "infogan_augmented_mnist_cpu", "InfoGAN, finds the classes", ("matched",), {}),
    (
        "StackedGAN",
        "stackedgan_mnist_cpu",
        "StackedGAN, given the class",
        ("conditional",),
        # Four short epochs of the encoder are one long one. All 50 numbers of a code change by one SD: as far from
        # 0 as a code that is drawn.
        {"args": ("--model.init_args.encoder_epochs", "4"), "warmup": 1000, "span": 0.5},
    ),
)


def _figures(bars: tuple[str, ...]) -> tuple[Figure, ...]:
    least = 0.95 if "conditional" in bars else 0.90 if "matched" in bars else None
    return (
        Figure("test/fid@last", "FID", digits=1, better="lower", bar=FID_BOUND if "fid" in bars else None),
        Figure("test/kid@last", "KID", better="lower"),
        Figure("test/precision@last", "precision, %"),
        Figure("test/recall@last", "recall, %"),
        Figure("test/coverage@last", "coverage, %"),
        Figure("test/class_coverage@last", "classes present, %", bar=1.0 if "classes" in bars else None),
        Figure("conditional_accuracy", "conditional accuracy, %", bar=least),
        Figure("loss_correlation", "rank correlation of loss and FID", digits=2),
        Figure("update_ms", "ms an update", digits=0),
        Figure("peak_gib", "peak GiB", digits=2),
    )


def _row(
    table: str,
    number: int,
    system: str,
    config: str,
    title: str,
    figures: tuple[Figure, ...],
    options: dict[str, Any],
    seeds: tuple[int, ...] = (0, 1, 2),
    updates: int = UPDATES,
) -> Row:
    return Row(
        name=f"{table}_{number:02}",
        table=table,
        kind="table",
        program="programs.gans",
        system=system,
        config=f"configs/gans/{config}.yaml",
        title=title,
        budget=f"{updates:,} updates of the generator{_WIDTHS.get(system, f', {WIDTH}')}",
        seeds=seeds,
        figures=figures,
        protocol=_PROTOCOL,
        options={"generative": True, "n_critic": 1, "updates": updates, "every": 250} | options,
        elsewhere="two cores, 5 to 20 minutes a seed",
    )


# Where it is not WIDTH.
_WIDTHS = {"GAN": "", "InfoGAN": ", half the width of its paper's networks"}

_PROTOCOL = (
    f"{GAN_PROTOCOL}; an update is one of the generator with the discriminator's turns before it, in processor time of"
    " one thread; the rank correlation is Spearman's, between FID (2,000 samples against 5,000 validation images) at"
    " each validation and the mean of the generator's loss since the last, or of the critic's estimate where there is"
    " one; it is of levels, where the number of the step alone has -1"
)


_CODES_PROTOCOL = (
    f"{GAN_PROTOCOL}; slant, width and ink: by how many standard deviations over the samples of a class the mean moves"
    " when a code goes from -1 to 1; class kept: the fraction of images in which both ends are read as the same digit"
)


def _network(role: str, name: str) -> tuple[str, ...]:
    path = f"--model.init_args.{role}"
    return (path, f"dlmodules.gans.dcgan_ablations.{name}", f"{path}.init_args.width", "0.25")


def _adam(role: str, lr: float, beta1: float = 0.5) -> tuple[str, ...]:
    path = f"--model.init_args.optimizer_{role}.init_args"
    return (f"{path}.lr", str(lr), f"{path}.betas", f"[{beta1}, 0.999]")


def _score_row(
    name: str,
    system: str,
    budget: str,
    figures: tuple[Figure, ...] = (),
    config: str | None = None,
    args: tuple[str, ...] = (),
    **more: Any,
) -> Row:
    return Row(
        name=name,
        kind="score",
        program="programs.scores",
        system=system,
        config=f"configs/gans/{config or name}.yaml",
        budget=budget,
        figures=(*GENERATIVE_FIGURES, *figures),
        protocol=GAN_PROTOCOL,
        options={"generative": True, **({"args": args} if args else {})},
        **more,
    )


def _long_row(config: str, system: str, figures: tuple[Figure, ...] = ()) -> Row:
    return _score_row(
        f"{config}_5000",
        system,
        "5,000 of the book's 40,000 steps of 64 images, at its width, bf16-mixed",
        figures,
        config,
        ("--trainer.max_steps", "5000", "--trainer.precision", "bf16-mixed"),
        cost="hours",
        elsewhere="two cores, an hour",
    )


def _narrow_row(config: str, system: str, rate: float, n_critic: int = 1) -> Row:
    rates = [word for role in "dg" for word in (f"--model.init_args.optimizer_{role}.init_args.lr", str(rate))]
    return _score_row(
        f"{config}_10000",
        system,
        f"10,000 updates of the generator, {WIDTH}",
        config=config,
        args=("--trainer.max_steps", str(10_000 * n_critic), *rates),
        elsewhere="one core, 10 to 30 minutes",
    )


def _infogan_row(name: str, config: str, budget: str, args: tuple[str, ...] = (), updates: int = UPDATES) -> Row:
    codes = tuple(
        Figure(f"code{code}/{what}", f"code {code}: {what.replace('_', ' ')}", digits=2)
        for code in (1, 2)
        for what in ("slant", "width", "ink", "class_kept")
    )
    return Row(
        name=name,
        kind="score",
        program="programs.gans",
        system="InfoGAN",
        config=config,
        budget=budget,
        seeds=(0, 1, 2),
        figures=(
            *(GENERATIVE_FIGURES[0], GENERATIVE_FIGURES[-1]),
            Figure("conditional_accuracy", "conditional accuracy", digits=4, bar=0.90),
            *codes,
        ),
        protocol=_CODES_PROTOCOL,
        options={"generative": True, "args": args, "n_critic": 1, "updates": updates, "every": 250},
    )


_ALARM = ("--trainer.callbacks+=callbacks.CollapseAlarm", "--trainer.callbacks.every_n_steps=250")

# Configuration, what is changed, and the arguments that change it.
_ABLATIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("dcgan", "DCGAN, nothing changed", ()),
    ("dcgan", "no average of the generator's weights", ("--trainer.callbacks=callbacks.SampleGrid",)),
    ("dcgan", "batch normalization in the discriminator", _network("discriminator", "NormalizedDiscriminator")),
    ("wgan", "batch normalization in the critic of WGAN", _network("discriminator", "NormalizedDiscriminator")),
    (
        "dcgan",
        "the last two convolutions of the generator double the size",
        _network("generator", "LateStridesGenerator"),
    ),
    ("dcgan", "images in [-1, 1], by a hyperbolic tangent", _network("generator", "TanhGenerator")),
    ("dcgan", "the generator at half the discriminator's rate", _adam("g", 5e-4)),
    ("dcgan", "the discriminator starved: a hundredth of its rate", (*_adam("d", 1e-5), *_ALARM)),
    (
        "dcgan",
        "momentum of 0.9 and five times the rate",
        (*_adam("d", 5e-3, 0.9), *_adam("g", 5e-3, 0.9), *_ALARM),
    ),
    (
        "dcgan",
        "Wasserstein's loss with nothing that bounds the slope, momentum of 0.9: the losses spiral",
        ("--model.init_args.loss", "wasserstein", *_adam("d", 1e-3, 0.9), *_adam("g", 1e-3, 0.9), *_ALARM),
    ),
    ("wgan", "WGAN, nothing changed", ()),
)
_TABLE = tuple(
    _row("gan_table", number, system, config, title, _figures(bars), options)
    for number, (system, config, title, bars, options) in enumerate(_VARIANTS, 1)
)
_ABLATION_ROWS = tuple(
    _row(
        "gan_ablations",
        number,
        "WGAN" if config == "wgan" else "DCGAN",
        f"{config}_mnist_cpu",
        title,
        (
            Figure("test/fid@last", "FID", digits=1, better="lower"),
            Figure("test/precision@last", "precision, %"),
            Figure("test/recall@last", "recall, %"),
            Figure("test/class_coverage@last", "classes present, %"),
            Figure("loss_swing", "standard deviation of the discriminator's loss"),
            Figure("collapse_distance", "distance of two samples"),
            Figure("loss_correlation", "rank correlation of loss and FID", digits=2),
        ),
        {"args": args, "every": 125, "n_critic": 5 if config == "wgan" else 1},
        seeds=(0,),
        updates=1000,
    )
    for number, (config, title, args) in enumerate(_ABLATIONS, 1)
)
_CONDITIONAL = Figure("test/conditional_accuracy@last", "conditional accuracy", digits=4, bar=0.95)
_SCORES = (
    Row(
        name="dcgan_mnist_cpu",
        kind="score",
        program="programs.scores",
        system="DCGAN",
        config="configs/gans/dcgan_mnist_cpu.yaml",
        budget="4,000 steps of 64 images, a quarter of the book's width",
        seeds=(0, 1, 2),
        figures=GENERATIVE_FIGURES,
        protocol=GAN_PROTOCOL,
        options={"generative": True},
    ),
    Row(
        name="dcgan_mnist",
        kind="score",
        program="programs.scores",
        system="DCGAN",
        config="configs/gans/dcgan_mnist.yaml",
        budget="40,000 steps of 64 images",
        figures=GENERATIVE_FIGURES,
        protocol=GAN_PROTOCOL,
        options={"generative": True},
        cost="hours",
        elsewhere="a GPU (--gpu); hours on two cores",
        gpu=Gpu(3, 5.0),
    ),
    Row(
        name="dcgan_lab_mnist",
        kind="score",
        program="programs.scores",
        system="DCGAN",
        config="configs/gans/dcgan_lab_mnist.yaml",
        budget="50 epochs of 55,000 images",
        figures=GENERATIVE_FIGURES,
        protocol=GAN_PROTOCOL,
        options={"generative": True},
        cost="hours",
        elsewhere="a GPU; hours on two cores",
    ),
    _score_row("gan_mnist", "GAN", "15,000 steps of 128 images", seeds=(0, 1, 2)),
    _score_row("cgan_mnist_cpu", "CGAN", f"4,000 steps of 64 images, {WIDTH}", (_CONDITIONAL,), seeds=(0, 1, 2)),
    _infogan_row(
        "infogan_mnist_cpu",
        "configs/gans/infogan_mnist_cpu.yaml",
        f"2,000 steps of 64 images, {WIDTH}, no labels",
    ),
    _infogan_row(
        "infogan_labels_mnist",
        "configs/gans/infogan_mnist_cpu.yaml",
        f"2,000 steps of 64 images, {WIDTH}; learns the labels of real images, as in the book",
        ("--model.init_args.use_labels", "true"),
    ),
    _infogan_row(
        "infogan_augmented_mnist_cpu",
        "configs/gans/infogan_augmented_mnist_cpu.yaml",
        "4,000 steps of 64 images, half the paper's width, no labels",
        updates=4000,
    ),
    _infogan_row(
        "infogan_paper_mnist_cpu",
        "configs/gans/infogan_paper_mnist_cpu.yaml",
        "4,000 steps of 64 images, half the paper's width, no labels",
        updates=4000,
    ),
    # The learning rates of the books, as these runs are no longer short.
    _narrow_row("lsgan_mnist_cpu", "LSGAN", 2e-4),
    _narrow_row("sngan_mnist_cpu", "SNGAN", 2e-4),
    _narrow_row("wgan_mnist_cpu", "WGAN", 5e-5, n_critic=5),
    _long_row("dcgan_mnist", "DCGAN"),
    _long_row("acgan_mnist", "ACGAN", (_CONDITIONAL,)),
)
ROWS = (*_SCORES, *_TABLE, *_ABLATION_ROWS)
TABLES = {
    "gan_table": "GANs on MNIST: all variants at the same number of updates (pictures in the books)",
    "gan_ablations": "DCGAN on MNIST with one thing changed: atienza 4.2.1-V, 5.1.2-B, foster F4.3 (pictures there)",
}
