"""The rows of speeds and memory."""

from collections.abc import Mapping
from typing import Any

from benchmarks.row import Row

_ALTERNATING = "in turn, 2 threads; median of the pairs' ratios with least and largest"
_PROCESSOR = (
    "in turn, one thread, seconds of the processor, which other work on the machine does not stretch; median of the"
    " pairs' ratios with least and largest"
)
_FIT_SIDE = (
    "`train.py fit` with its default callbacks and loggers (metrics.csv, W&B offline, exact resume, last and best"
    " checkpoint, progress bar), MNIST, 55,000 images; an epoch lasts from its start to the start of the next,"
    " with all that is between but the validation pass, which the loop does not have; the first is left out"
)


def _epoch_row(name: str, system: str, bar: float, options: Mapping[str, Any], note: str) -> Row:
    timing = _PROCESSOR if options.get("processor_time") else _ALTERNATING
    return Row(
        name=f"speed_epoch_{name}",
        kind="speed",
        program="programs.speed_epoch",
        system=system,
        protocol=f"{_FIT_SIDE}; the loop trains a copy of the networks between the epochs of the fit, in its process,"
        f" on the same tensors, with equal optimizers and allocator settings; {note}; {timing}",
        title=f"{system}: an epoch of `fit` against a hand-written loop",
        bar=("<=", bar),
        ours="fit {:.2f} s",
        other="loop {:.2f} s",
        options=options,
    )


_VAE_ARGS = ("--model", "VAE", "--data", "MNISTDataModule", "--data.batch_size", "128")
_DCGAN_ARGS = ("--model", "DCGAN", "--data", "MNISTDataModule", "--data.batch_size", "64", "--data.drop_last", "true")
ROWS = (
    Row(
        name="speed_data",
        kind="speed",
        program="programs.speed_data",
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
        program="programs.speed_augmented",
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
        name="speed_faces",
        kind="speed",
        program="programs.speed_faces",
        system="CelebADataModule",
        protocol="training batches of 128 colour images of 64x64 from a folder of JPEG files, after the first epoch has"
        " decoded them, against PIL, Resize, CenterCrop and ToTensor of torchvision in a shuffling DataLoader, both in"
        f" the main process; {_ALTERNATING}",
        title="CelebADataModule: a later epoch's batches against opening each file with PIL",
        bar=(">=", 20.0),
        ours="{:,.0f} images/s",
        other="file by file {:,.0f} images/s",
        options={"pairs": 5},
    ),
    Row(
        name="speed_text",
        kind="speed",
        program="programs.speed_text",
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
    _epoch_row(
        "cnn",
        "CNNClassifier",
        1.05,
        {
            "args": ("--model", "CNNClassifier", "--data", "MNISTDataModule", "--data.batch_size", "128"),
            "pairs": 5,
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
    _epoch_row(
        "dcgan_book",
        "DCGAN",
        1.0,
        {
            "args": (*_DCGAN_ARGS, "--trainer.limit_train_batches", "40", "--trainer.limit_val_batches", "2"),
            "pairs": 5,
            "processor_time": True,
        },
        "the book's width, epochs of 40 batches of 64",
    ),
    Row(
        name="speed_keras_dcgan",
        kind="speed",
        program="programs.speed_keras_gan",
        system="DCGAN",
        protocol="the book's width, batches of 64: `train.py fit` by its epochs of 20 updates, the first left out, and"
        " the book's program with its `predict` and two `train_on_batch` an update, in Keras 3 on TensorFlow for the"
        f" CPU, the median update; processes {_PROCESSOR}",
        title="DCGAN: an update of `fit` against the book's in Keras 3 on TensorFlow",
        bar=("<=", 0.6),
        ours="fit {:.3f} s",
        other="Keras {:.3f} s",
        options={"args": _DCGAN_ARGS, "updates": 20, "pairs": 3, "processor_time": True},
        elsewhere="pip install tensorflow-cpu",
    ),
    *(
        Row(
            name=f"speed_dcgan_{name}",
            kind="speed",
            program="programs.speed_flags",
            system="DCGAN",
            protocol="the book's width, batches of 64, epochs of 20 updates, the first left out; with"
            f" `{' '.join(flags)}` against without; processes {_PROCESSOR}",
            title=f"DCGAN: an update {title} against one without",
            bar=("<=", bar),
            ours="with {:.3f} s",
            other="without {:.3f} s",
            options={"args": _DCGAN_ARGS, "flags": flags, "updates": 20, "pairs": 3, "processor_time": True},
        )
        for name, title, bar, flags in (
            ("shared", "with one batch of fakes for both networks", 1.0, ("--model.update", "simultaneous")),
            ("compiled", "of compiled networks", 1.0, ("--trainer.callbacks+=callbacks.CompileNetworks",)),
            ("bf16", "in bf16-mixed precision", 1.0, ("--trainer.precision", "bf16-mixed")),
        )
    ),
    Row(
        name="speed_allocator_vae",
        kind="speed",
        program="programs.speed_allocator",
        system="VAE",
        protocol=f"{_FIT_SIDE}; the loop trains equal networks on the same tensors in a process of its own with glibc's"
        f" default allocator; convolutional networks, epochs of 200 batches of 128; {_ALTERNATING}",
        title="VAE: an epoch of `fit` against the loop with glibc's default allocator",
        bar=("<=", 0.80),
        ours="fit {:.2f} s",
        other="loop {:.2f} s",
        options={"args": _VAE_ARGS, "pairs": 5},
    ),
    Row(
        name="speed_dqn",
        kind="speed",
        program="programs.speed_dqn",
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
        program="programs.speed_start",
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
        program="programs.memory",
        system="VAE",
        config="configs/vaes/vae_mnist.yaml",
        protocol="largest resident set of the process of `train.py fit` in the first 3 epochs, pictures included",
        title="VAE on MNIST: peak memory",
        bar=("<=", 1.2),
        unit="GiB",
        options={"epochs": 3},
    ),
)
