"""Protocols, figures and arguments that rows of several families share."""

from typing import Any

from benchmarks.row import Figure

IMAGES = "10,000 test images; validation images apart from both"
READER = (
    "this package's MNIST classifier (cnn_mnist, seed 0, best by val/accuracy, which reads 99.2 % of the test images)"
)
GENERATIVE = (
    f"10,000 samples against the 10,000 test images, in the 576 features of {READER}; KID over 100 subsets of 500;"
    " precision, recall and coverage by the 5 nearest neighbours; a class counts as present from 1 % of the samples on;"
    " not comparable with Inception scores"
)
GENERATIVE_FIGURES = (
    Figure("test/fid@last", "FID", digits=1, better="lower"),
    Figure("test/kid@last", "KID", digits=4, better="lower"),
    Figure("test/precision@last", "precision"),
    Figure("test/recall@last", "recall"),
    Figure("test/coverage@last", "coverage"),
    Figure("test/class_coverage@last", "classes present"),
)
EPISODES = "100 test episodes, deterministic policy, seeds apart from those of training and validation"
GAN_PROTOCOL = f"{GENERATIVE}; last checkpoint, averaged generator (decay 0.999), batch norm in evaluation mode"


def cosine(epochs: int) -> tuple[str, ...]:
    """Arguments of a fit of so many epochs whose learning rate falls to nothing along a cosine."""
    return (
        *("--trainer.max_epochs", str(epochs)),
        *("--model.init_args.scheduler", "torch.optim.lr_scheduler.CosineAnnealingLR"),
        *("--model.init_args.scheduler.init_args.T_max", str(epochs)),
    )


def majority(data: str) -> dict[str, Any]:
    """Arguments of a figure of accuracy: beside it stands the most frequent class of ``data``."""
    return {"baseline": "baseline/accuracy", "guess": "the most frequent class", "guess_row": f"majority_{data}"}


def pixel_means(data: str, metric: str) -> dict[str, Any]:
    """Arguments of a figure of likelihood: beside it stands a Bernoulli for each pixel of ``data``."""
    name = "each pixel apart, by its mean"
    return {"baseline": f"baseline/{metric}", "guess": name, "guess_row": f"pixel_means_{data}"}


def random_actions(environment: str) -> dict[str, Any]:
    """Arguments of a figure of returns: beside it stand random actions in ``environment``."""
    return {"baseline": "baseline/return", "guess": "random actions", "guess_row": f"random_{environment}"}


def final_return(environment: str, **figure: Any) -> Figure:
    """Return the figure of the final policy's mean return in ``environment``, with what else ``figure`` says of it."""
    beside = random_actions(environment)
    return Figure("test/return@last", "mean return, final policy", digits=1, interquartile=True, **beside, **figure)


def return_on_tracks(bar: float | None, anchor: str) -> Figure:
    """Return the figure of a mean return on tracks of CarRacing, beside random actions on the same tracks."""
    beside = {"baseline": "baseline/return", "guess": "random actions"}
    return Figure("test/return@last", "mean return", digits=0, bar=bar, of_mean=True, anchor=anchor, **beside)
