"""The rows of the generative adversarial networks: all variants side by side, and long runs at the books' width."""

from typing import Any

from benchmarks.row import Figure, Row
from benchmarks.score_rows import GENERATIVE

UPDATES = 2000
WIDTH = "a quarter of the book's width"

# The bound of FID: half the way, in logarithms, from an untrained generator (262.9) to real images (0.54), the rows
# reference_untrained_mnist and reference_real_mnist.
FID_BOUND = 11.9

# System, configuration, what it is, what its bars are for, and what else its measurement needs to know.
_VARIANTS: tuple[tuple[str, str, str, tuple[str, ...], dict[str, Any]], ...] = (
    ("GAN", "gan_mnist", "GAN of dense layers, not narrowed, batches of 128", (), {}),
    ("DCGAN", "dcgan_mnist_cpu", "DCGAN", ("fid", "classes"), {}),
    ("LSGAN", "lsgan_mnist_cpu", "LSGAN", ("fid", "classes"), {}),
    ("WGAN", "wgan_mnist_cpu", "WGAN, clipped weights", (), {"n_critic": 5}),
    ("WGANGP", "wgan_gp_mnist_cpu", "WGAN-GP", ("fid", "classes"), {"n_critic": 5}),
    ("SNGAN", "sngan_mnist_cpu", "SN-GAN", ("fid", "classes"), {}),
    ("CGAN", "cgan_mnist_cpu", "CGAN, given the class", ("asked",), {}),
    ("ACGAN", "acgan_mnist_cpu", "ACGAN, given the class", ("asked",), {}),
    ("InfoGAN", "infogan_mnist_cpu", "InfoGAN, finds the classes", ("matched",), {"span": 1.0}),
    (
        "StackedGAN",
        "stackedgan_mnist_cpu",
        "StackedGAN, given the class",
        ("asked",),
        # Four short epochs of the encoder are one long one.
        {"args": ("--model.init_args.encoder_epochs", "4"), "warmup": 1000, "span": 2.0},
    ),
)


def _figures(bars: tuple[str, ...]) -> tuple[Figure, ...]:
    asked = 0.95 if "asked" in bars else 0.90 if "matched" in bars else None
    return (
        Figure("test/fid@last", "FID", better="lower", bar=FID_BOUND if "fid" in bars else None),
        Figure("test/kid@last", "KID"),
        Figure("test/precision@last", "precision, %"),
        Figure("test/recall@last", "recall, %"),
        Figure("test/coverage@last", "coverage, %"),
        Figure("test/class_coverage@last", "classes present, %", bar=1.0 if "classes" in bars else None),
        Figure("asked", "asked class read, %", bar=asked),
        Figure("update_ms", "ms an update"),
        Figure("peak_gib", "peak GiB"),
    )


def _row(number: int, system: str, config: str, title: str, bars: tuple[str, ...], options: dict[str, Any]) -> Row:
    return Row(
        name=f"gan_table_{number:02}",
        table="gan_table",
        kind="table",
        program="gans",
        system=system,
        config=f"configs/gans/{config}.yaml",
        title=title,
        budget=f"{UPDATES:,} updates of the generator" + ("" if system == "GAN" else f", {WIDTH}"),
        seeds=(0, 1, 2),
        figures=_figures(bars),
        protocol=f"{GENERATIVE}; precision, recall and coverage by the 5 nearest neighbours among 10,000; last"
        " checkpoint, averaged generator (decay 0.999), batch norm in evaluation mode; an update is one of the"
        " generator with the discriminator's turns before it, in processor time of one thread",
        options={"generative": True, "n_critic": 1, "updates": UPDATES, "every": 250} | options,
        elsewhere="two cores, 5 to 20 minutes a seed",
    )


GAN_TABLE = tuple(_row(number, *variant) for number, variant in enumerate(_VARIANTS, 1))
