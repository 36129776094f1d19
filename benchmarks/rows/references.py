"""The rows of a perfect and of an untrained generator."""

from benchmarks.row import Row
from benchmarks.rows.shared import GENERATIVE, GENERATIVE_FIGURES

ROWS = (
    Row(
        name="reference_real_mnist",
        kind="score",
        program="programs.references",
        system="real images",
        budget="none",
        seeds=(0, 1, 2),
        figures=GENERATIVE_FIGURES,
        protocol=f"{GENERATIVE}; the samples are 10,000 training images: what a perfect generator would get",
        options={"reference": "real"},
    ),
    Row(
        name="reference_untrained_mnist",
        kind="score",
        program="programs.references",
        system="DCGAN, untrained",
        budget="none, a quarter of the book's width",
        seeds=(0, 1, 2),
        figures=GENERATIVE_FIGURES,
        protocol=f"{GENERATIVE}; the samples are of first, random weights",
        options={"reference": "untrained"},
    ),
)
