"""The rows of BENCHMARKS.md: what is measured, how, how often, and the figures of others beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Figure:
    """A number of a score row.

    Args:
        key: its name among the metrics of a record; ``@last`` and ``@best`` name the checkpoint.
        label: what the report calls it.
        digits: decimals in the report.
        bar: what every seed must reach; None where there is none.
        better: whether ``bar`` is a least or a largest value.
        book: the book's figure; empty where it reports none.
        anchor: another implementation's figure, with its name.
    """

    key: str
    label: str
    digits: int = 3
    bar: float | None = None
    better: Literal["higher", "lower"] = "higher"
    book: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class Row:
    """A row of the report.

    Args:
        name: what to type after ``python -m benchmarks.run``.
        kind: ``score``, ``speed`` or ``memory``.
        program: the module of ``benchmarks`` that measures it, by its function ``measure``.
        system: public class, or what is measured where there is none.
        protocol: how it is measured; it goes into the record.
        config: path of the configuration.
        budget: how much training, in words.
        seeds: one record for each.
        figures: the numbers of a score row.
        options: what ``program`` needs besides.
        elsewhere: where a run takes hours here: what to run it on. It is then run only when named.
        title, bar, unit, ours, other: of a speed or memory row: what is compared, the largest or least
            value, its unit (``x`` for a ratio), and how the figures of the two sides are written.
    """

    name: str
    kind: Literal["score", "speed", "memory"]
    program: str
    system: str
    protocol: str
    config: str | None = None
    budget: str = ""
    seeds: tuple[int, ...] = (0,)
    figures: tuple[Figure, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: str = ""
    title: str = ""
    bar: tuple[Literal["<=", ">="], float] = ("<=", 1.0)
    unit: str = "x"
    ours: str = ""
    other: str = ""


_IMAGES = "10,000 test images; validation images apart from both"
_GENERATIVE = (
    "10,000 samples against the 10,000 test images, in the 256 features of this package's MNIST classifier"
    " (mlp_mnist, seed 0, best by val/accuracy); KID over 100 subsets of 500; a class counts as covered from 1 % of"
    " the samples on; not comparable with Inception scores"
)
_GENERATIVE_FIGURES = (
    Figure("test/fid@last", "FID", better="lower"),
    Figure("test/kid@last", "KID", digits=4, better="lower"),
    Figure("test/class_coverage@last", "class coverage"),
)
_GAN_PROTOCOL = f"{_GENERATIVE}; last checkpoint, averaged generator (decay 0.999), batch norm in evaluation mode"
_ELBO_FIGURES = (
    Figure("test/elbo@last", "ELBO, nats per image", digits=2),
    Figure("test/reconstruction@last", "reconstruction, nats per image", digits=2, better="lower"),
    Figure("test/kl@last", "KL, nats per image", digits=2, better="lower"),
)
_VAE_PROTOCOL = f"{_IMAGES}; one draw of the code for each image; Bernoulli likelihood of grey values; last checkpoint"
_EPISODES = "100 test episodes, deterministic policy, seeds apart from those of training and validation"


def _text_row(name: str, budget: str, bar: float, book: str) -> Row:
    return Row(
        name=f"text_{name}_imdb",
        kind="score",
        program="scores",
        system="TextClassifier",
        config=f"configs/classifiers/text_{name}_imdb.yaml",
        budget=budget,
        seeds=(0, 1, 2),
        figures=(Figure("val/accuracy@last", "validation accuracy, last epoch", digits=4, bar=bar, book=book),),
        protocol="5,000 validation reviews, drawn by the seed from the 25,000 for training; training and vocabulary"
        " leave them out; the report's figures are of validation reviews too",
        options={"stage": "validate"},
    )


def _classifier_row(
    name: str, system: str, budget: str, bar: float, book: str = "", seeds: tuple[int, ...] = (0, 1, 2)
) -> Row:
    return Row(
        name=name,
        kind="score",
        program="scores",
        system=system,
        config=f"configs/classifiers/{name}.yaml",
        budget=budget,
        seeds=seeds,
        figures=(Figure("test/accuracy@last", "test accuracy, last epoch", digits=4, bar=bar, book=book),),
        protocol=f"{_IMAGES}; the book takes the last epoch",
    )


SCORES = (
    Row(
        name="mlp_mnist",
        kind="score",
        program="scores",
        system="MLPClassifier",
        config="configs/classifiers/mlp_mnist.yaml",
        budget="20 epochs of 59,000 images, the learning rate falling from 0.002 along a cosine, weight decay 0.05",
        seeds=(0, 1, 2),
        figures=(
            Figure("test/accuracy@last", "test accuracy, last epoch", digits=4, bar=0.983, book="0.985"),
            Figure("test/accuracy@best", "test accuracy, best by val/accuracy", digits=4),
        ),
        protocol=f"{_IMAGES}; the book trains on all 60,000 at a constant rate of 0.001 and takes the last epoch",
        options={"checkpoints": ("last", "best")},
    ),
    Row(
        name="vae_mnist",
        kind="score",
        program="scores",
        system="VAE",
        config="configs/vaes/vae_mnist.yaml",
        budget="30 epochs of 55,000 images",
        figures=_ELBO_FIGURES,
        protocol=_VAE_PROTOCOL,
    ),
    Row(
        name="vae_mlp_mnist",
        kind="score",
        program="scores",
        system="VAE",
        config="configs/vaes/vae_mlp_mnist.yaml",
        budget="50 epochs of 55,000 images",
        seeds=(0, 1, 2),
        figures=_ELBO_FIGURES,
        protocol=_VAE_PROTOCOL,
    ),
    Row(
        name="dcgan_mnist_cpu",
        kind="score",
        program="scores",
        system="DCGAN",
        config="configs/gans/dcgan_mnist_cpu.yaml",
        budget="4,000 steps of 64 images, a quarter of the book's width",
        seeds=(0, 1, 2),
        figures=_GENERATIVE_FIGURES,
        protocol=_GAN_PROTOCOL,
        options={"generative": True},
    ),
    Row(
        name="dcgan_mnist",
        kind="score",
        program="scores",
        system="DCGAN",
        config="configs/gans/dcgan_mnist.yaml",
        budget="40,000 steps of 64 images",
        figures=_GENERATIVE_FIGURES,
        protocol=_GAN_PROTOCOL,
        options={"generative": True},
        elsewhere="a GPU; about 5.5 hours on two cores",
    ),
    Row(
        name="dcgan_lab_mnist",
        kind="score",
        program="scores",
        system="DCGAN",
        config="configs/gans/dcgan_lab_mnist.yaml",
        budget="50 epochs of 55,000 images",
        figures=_GENERATIVE_FIGURES,
        protocol=_GAN_PROTOCOL,
        options={"generative": True},
        elsewhere="a GPU; hours on two cores",
    ),
    Row(
        name="reference_real_mnist",
        kind="score",
        program="references",
        system="real images",
        budget="none",
        seeds=(0, 1, 2),
        figures=_GENERATIVE_FIGURES,
        protocol=f"{_GENERATIVE}; the samples are 10,000 training images: what a perfect generator would get",
        options={"reference": "real"},
    ),
    Row(
        name="reference_untrained_mnist",
        kind="score",
        program="references",
        system="DCGAN, untrained",
        budget="none, a quarter of the book's width",
        seeds=(0, 1, 2),
        figures=_GENERATIVE_FIGURES,
        protocol=f"{_GENERATIVE}; the samples are of first, random weights",
        options={"reference": "untrained"},
    ),
    Row(
        name="dqn_cartpole",
        kind="score",
        program="scores",
        system="DQN",
        config="configs/rl/dqn_cartpole.yaml",
        budget="50,000 environment steps",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                "test/return@last",
                "mean return, final policy",
                digits=1,
                anchor="stable-baselines3, its tuned settings: 19, 500, 500",
            ),
            Figure("test/return@best", "mean return reached, best by val/return", digits=1, bar=475),
        ),
        protocol=_EPISODES,
        options={"checkpoints": ("last", "best")},
    ),
    Row(
        name="dqn_cartpole_book",
        kind="score",
        program="scores",
        system="DQN",
        config="configs/rl/dqn_cartpole_book.yaml",
        budget="that of the configuration",
        seeds=(0, 1, 2),
        figures=(
            Figure(
                "episodes_until_195",
                "episodes until the mean of 100 is 195",
                digits=0,
                better="lower",
                book="822 (mean of 10 runs)",
            ),
            Figure("test/return@last", "mean return, final policy", digits=1),
        ),
        protocol=f"{_EPISODES}; episodes until the mean training return of the last 100 is 195 or more, read at the"
        " steps that are logged; none where a run ended before",
        options={"episodes_until": 195.0},
    ),
    _classifier_row("cnn_mnist", "CNNClassifier", "10 epochs of 59,000 images", 0.992, "0.994"),
    _classifier_row("rnn_mnist", "RNNClassifier", "20 epochs of 59,000 images", 0.978, "0.980"),
    _classifier_row("y_network_mnist", "YNetworkClassifier", "20 epochs of 59,000 images", 0.993, "0.994 to 0.995"),
    _text_row(
        "dense",
        "4 epochs of 20,000 reviews, the learning rate falling along a cosine",
        0.87,
        "0.8897 after 2 epochs of 15,000",
    ),
    _text_row("rnn", "4 epochs of 20,000 reviews", 0.78, "0.7876 after 2 epochs"),
    _text_row("lstm", "4 epochs of 20,000 reviews", 0.845, "0.8458 after 2 epochs"),
)

_ALTERNATING = "in turn, 2 threads; median of the pairs' ratios with least and largest"
_FIT_SIDE = (
    "`train.py fit` with its default callbacks and loggers (metrics.csv, W&B offline, exact resume, last and best"
    " checkpoint, progress bar), MNIST, 55,000 images; an epoch lasts from its start to the start of the next,"
    " with all that is between but the validation pass, which the loop does not have; the first is left out"
)


def _epoch_row(name: str, system: str, bar: float, options: Mapping[str, Any], note: str) -> Row:
    return Row(
        name=f"speed_epoch_{name}",
        kind="speed",
        program="speed_epoch",
        system=system,
        protocol=f"{_FIT_SIDE}; the loop trains a copy of the networks between the epochs of the fit, in its process,"
        f" on the same tensors, with equal optimizers and allocator settings; {note}; {_ALTERNATING}",
        title=f"{system}: an epoch of `fit` against a hand-written loop",
        bar=("<=", bar),
        ours="fit {:.2f} s",
        other="loop {:.2f} s",
        options=options,
    )


_VAE_ARGS = ("--model", "VAE", "--data", "MNISTDataModule", "--data.batch_size", "128")
SPEEDS = (
    Row(
        name="speed_data",
        kind="speed",
        program="speed_data",
        system="MNISTDataModule",
        protocol="training batches of 128 against torchvision's MNIST with ToTensor in a shuffling DataLoader, both in"
        f" the main process; {_ALTERNATING}",
        title="MNISTDataModule: batches against torchvision's per-sample loader",
        bar=(">=", 20.0),
        ours="{:,.0f} images/s",
        other="torchvision {:,.0f} images/s",
        options={"pairs": 5},
    ),
    Row(
        name="speed_augmented",
        kind="speed",
        program="speed_augmented",
        system="RandomShiftAndFlip",
        protocol="training batches of 128 colour images of 32x32, shifted by up to 3 pixels and mirrored by itself,"
        " against torchvision's RandomCrop and RandomHorizontalFlip of PIL images and ToTensor in a shuffling"
        f" DataLoader, both in the main process; {_ALTERNATING}",
        title="Augmented batches against torchvision's per-sample transforms",
        bar=(">=", 5.0),
        ours="{:,.0f} images/s",
        other="torchvision {:,.0f} images/s",
        options={"pairs": 5},
    ),
    Row(
        name="speed_text",
        kind="speed",
        program="speed_text",
        system="TextClassifier",
        protocol="training steps of the LSTM on IMDB reviews of at most 500 words, batches of 128: of similar length,"
        " padded to their longest, against random ones padded to 500; the same network, optimizer and plain loop, with"
        f" the making of the batches; {_ALTERNATING}",
        title="TextClassifier: batches by length against padding to 500",
        bar=(">=", 2.0),
        ours="{:,.0f} reviews/s",
        other="padded {:,.0f} reviews/s",
        options={"pairs": 3},
    ),
    _epoch_row(
        "mlp",
        "MLPClassifier",
        1.5,
        {
            "args": ("--model", "MLPClassifier", "--data", "MNISTDataModule", "--data.batch_size", "128"),
            "pairs": 10,
        },
        "batches of 128",
    ),
    _epoch_row("vae", "VAE", 1.10, {"args": _VAE_ARGS, "pairs": 5}, "convolutional networks, batches of 128"),
    _epoch_row(
        "dcgan",
        "DCGAN",
        1.10,
        {
            "args": (
                *("--model", "DCGAN", "--model.width", "0.25", "--data", "MNISTDataModule"),
                *("--data.batch_size", "64", "--data.drop_last", "true"),
            ),
            "pairs": 3,
        },
        "a quarter of the book's width, batches of 64",
    ),
    Row(
        name="speed_allocator_vae",
        kind="speed",
        program="speed_allocator",
        system="VAE",
        protocol=f"{_FIT_SIDE}; the loop trains equal networks on the same tensors in a process of its own with glibc's"
        f" default allocator; convolutional networks, batches of 128; {_ALTERNATING}",
        title="VAE: an epoch of `fit` against the loop with glibc's default allocator",
        bar=("<=", 0.80),
        ours="fit {:.2f} s",
        other="loop {:.2f} s",
        options={"args": _VAE_ARGS, "pairs": 3},
    ),
    Row(
        name="speed_dqn",
        kind="speed",
        program="speed_dqn",
        system="DQN",
        config="configs/rl/dqn_cartpole.yaml",
        protocol="training of the tuned configuration (default callbacks and loggers, W&B offline, no pictures;"
        " validation left out)"
        " against stable-baselines3's DQN with the same environments, network, optimizer, batch, buffer, updates and"
        f" exploration, without callbacks or evaluation; start of the processes left out on both sides; {_ALTERNATING}",
        title="DQN: environment steps against stable-baselines3",
        bar=(">=", 1.0),
        ours="{:,.0f} steps/s",
        other="stable-baselines3 {:,.0f} steps/s",
        options={"pairs": 3},
    ),
    Row(
        name="speed_start",
        kind="speed",
        program="speed_start",
        system="command line",
        protocol="wall time of `python train.py fit --help` less that of `python -c 'import torch, pytorch_lightning'`,"
        " in turn, 2 threads; median of the pairs' differences with least and largest; a first pair is left out",
        title="`fit --help` against importing torch and pytorch_lightning",
        unit="s more",
        ours="{:.2f} s",
        other="imports {:.2f} s",
        options={"pairs": 9},
    ),
    Row(
        name="memory_vae",
        kind="memory",
        program="memory",
        system="VAE",
        config="configs/vaes/vae_mnist.yaml",
        protocol="largest resident set of the process of `train.py fit` in the first 3 epochs, pictures included",
        title="VAE on MNIST: peak memory",
        bar=("<=", 1.2),
        unit="GiB",
        options={"epochs": 3},
    ),
)

ROWS = {row.name: row for row in SCORES + SPEEDS}
