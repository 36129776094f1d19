"""The rows of speeds and memory."""

from typing import Any

from benchmarks.row import Row

_OF_RATIOS = "the pairs' ratios"
_IN_TURN = (
    "ten pairs in turn, one thread, seconds of the processor, which other work on the machine hardly stretches; median"
    f" of {_OF_RATIOS} with its 95 % confidence interval (bootstrap), which decides"
)
_FIT_SIDE = (
    "`train.py fit` with its default callbacks and loggers (metrics.csv, W&B offline, exact resume, {checkpoints},"
    " progress bar), {data}; an epoch lasts from its start to the start of the next,"
    " with all that is between but the validation pass, which the loop does not have; the first is left out"
)
_MNIST = "MNIST, 55,000 images"
_BOTH = "last and best checkpoint"
_FIT_MNIST = _FIT_SIDE.format(data=_MNIST, checkpoints=_BOTH)


def _epoch_row(
    name: str, bar: float, args: tuple[str, ...], note: str, data: str = _MNIST, checkpoints: bool = True
) -> Row:
    """Return the row of an epoch; without ``checkpoints``, which are written between epochs, of its updates alone."""
    system, part, what = args[1], *(("epoch", "an epoch") if checkpoints else ("updates", "the updates"))
    fit_side = _FIT_SIDE.format(data=data, checkpoints=_BOTH if checkpoints else "no checkpoints")
    return Row(
        name=f"speed_{part}_{name}",
        kind="speed",
        program="programs.speed_epoch",
        system=system,
        protocol=f"{fit_side}; the loop trains a copy of the networks between the epochs of the fit, in"
        f" its process, on the same tensors, with equal optimizers and allocator settings; {note}; {_IN_TURN}",
        title=f"{system}: {what} of `fit` against a hand-written loop",
        bar=("<=", bar),
        ours="fit {:.2f} s",
        other="loop {:.2f} s",
        options={"args": args if checkpoints else (*args, "--trainer.enable_checkpointing", "false")},
    )


def _short(batches: int) -> tuple[str, ...]:
    """Arguments of epochs of so many batches: a machine that changes its pace does so between near epochs the less."""
    return ("--trainer.limit_train_batches", str(batches), "--trainer.limit_val_batches", "2")


def _args(system: str, batch_size: int) -> tuple[str, ...]:
    return ("--model", system, "--data", "MNISTDataModule", "--data.batch_size", str(batch_size))


_DCGAN_ARGS = (*_args("DCGAN", 64), "--data.drop_last", "true")


def _table_row(name: str, environments: str, bar: float, options: dict[str, Any]) -> Row:
    return Row(
        name=f"speed_table_{name}",
        kind="speed",
        program="programs.speed_table",
        system="QLearning",
        config="configs/rl/q_learning_frozen_lake.yaml",
        protocol=f"Q-learning on the slippery lake, {environments}: `train.py fit` with its default callbacks and"
        " loggers (W&B offline, no pictures; validation left out), beside the textbook's loop over one environment;"
        f" start of the processes left out on both sides; {_IN_TURN.replace(_OF_RATIOS, 'our side')}",
        title=f"QLearning: environment steps, {environments}",
        unit="steps/s",
        bar=(">=", bar),
        ours="{:,.0f} steps/s",
        other="the textbook's loop {:,.0f} steps/s",
        options={"loop_steps": 100_000, **options},
    )


_TRANSLATION = (
    (
        "pix2pix",
        1.0,
        (
            *("--model", "Pix2Pix", "--model.source_shape", "[1,64,64]", "--model.image_shape", "[1,64,64]"),
            *("--model.width", "32", "--data", "ShrunkPairsDataModule", "--data.image_size", "64", *_short(40)),
        ),
        "half the paper's width, images of 64 pixels, epochs of 40 batches of 8",
        "scikit-learn's digits and shrunk copies",
    ),
    (
        "cyclegan",
        1.0,
        (
            *("--model", "CycleGAN", "--model.source_shape", "[1,32,32]", "--model.image_shape", "[1,32,32]"),
            *("--model.width", "32", "--model.blocks", "3", "--data", "ShrunkPairsDataModule", *_short(12)),
            *("--data.paired", "false", "--data.batch_size", "32"),
        ),
        "half the paper's width, three residual blocks, images of 32 pixels, epochs of 12 batches of 32",
        "scikit-learn's digits and shrunk copies, without pairs",
    ),
)

ROWS = (
    Row(
        name="speed_data",
        kind="speed",
        program="programs.speed_data",
        system="MNISTDataModule",
        protocol="training batches of 128 against torchvision's MNIST with ToTensor in a shuffling DataLoader, both in"
        f" the main process; {_IN_TURN}",
        title="MNISTDataModule: batches against torchvision's per-sample loader",
        bar=(">=", 20.0),
        ours="{:,.0f} images/s",
        other="torchvision {:,.0f} images/s",
    ),
    Row(
        name="speed_augmented",
        kind="speed",
        program="programs.speed_augmented",
        system="RandomShiftAndFlip",
        protocol="training batches of 128 colour images of 32x32, shifted by up to 3 pixels and mirrored by itself,"
        " against torchvision's RandomCrop and RandomHorizontalFlip of PIL images and ToTensor in a shuffling"
        f" DataLoader, both in the main process; {_IN_TURN}",
        title="Augmented batches against torchvision's per-sample transforms",
        bar=(">=", 5.0),
        ours="{:,.0f} images/s",
        other="torchvision {:,.0f} images/s",
    ),
    Row(
        name="speed_faces",
        kind="speed",
        program="programs.speed_faces",
        system="CelebADataModule",
        protocol="training batches of 128 colour images of 64x64 from a folder of JPEG files, after the first epoch has"
        " decoded them, against PIL, Resize, CenterCrop and ToTensor of torchvision in a shuffling DataLoader, both in"
        f" the main process; {_IN_TURN}",
        title="CelebADataModule: a later epoch's batches against opening each file with PIL",
        bar=(">=", 20.0),
        ours="{:,.0f} images/s",
        other="file by file {:,.0f} images/s",
    ),
    Row(
        name="speed_text",
        kind="speed",
        program="programs.speed_text",
        system="TextClassifier",
        protocol="training steps of the LSTM on IMDB reviews of at most 500 words, batches of 128: of similar length,"
        " padded to their longest, against random ones padded to 500; the same network, optimizer and plain loop, with"
        f" the making of the batches; {_IN_TURN}",
        title="TextClassifier: batches by length against padding to 500",
        bar=(">=", 2.0),
        ours="{:,.0f} reviews/s",
        other="padded {:,.0f} reviews/s",
    ),
    Row(
        name="speed_lean_loop",
        kind="speed",
        program="programs.speed_lean",
        system="command line",
        protocol=f"MLPClassifier, {_FIT_MNIST}; batches of 128; an epoch of the fit less one of a hand-written loop in"
        " the same process, by the number of steps: with the lean loop of `train.py`, and with Lightning's own;"
        f" processes {_IN_TURN}",
        title="What Lightning's loop costs a step: lean against whole",
        bar=("<=", 0.5),
        ours="lean {:.3f} ms",
        other="whole {:.3f} ms",
        options={"args": _args("MLPClassifier", 128), "updates": 430},
    ),
    _epoch_row("mlp", 1.25, _args("MLPClassifier", 128), "batches of 128"),
    _epoch_row("cnn", 1.05, _args("CNNClassifier", 128), "batches of 128"),
    _epoch_row("vae", 1.10, (*_args("VAE", 128), *_short(100)), "convolutional networks, epochs of 100 batches of 128"),
    _epoch_row(
        "dcgan",
        1.10,
        (*_args("DCGAN", 64), "--model.width", "0.25", "--data.drop_last", "true", *_short(100)),
        "a quarter of the book's width, epochs of 100 batches of 64",
    ),
    _epoch_row("dcgan_book", 1.0, (*_DCGAN_ARGS, *_short(40)), "the book's width, epochs of 40 batches of 64"),
    *(_epoch_row(*row, checkpoints=checkpoints) for checkpoints in (True, False) for row in _TRANSLATION),
    Row(
        name="speed_keras_dcgan",
        kind="speed",
        program="programs.speed_keras_gan",
        system="DCGAN",
        protocol="the book's width, batches of 64: `train.py fit` by its epochs of 10 updates, the first left out, and"
        " the book's program with its `predict` and two `train_on_batch` an update, in Keras 3 on TensorFlow for the"
        f" CPU, the median update; processes {_IN_TURN}",
        title="DCGAN: an update of `fit` against the book's in Keras 3 on TensorFlow",
        bar=("<=", 0.6),
        ours="fit {:.3f} s",
        other="Keras {:.3f} s",
        options={"args": _DCGAN_ARGS, "updates": 10},
        elsewhere="pip install tensorflow-cpu",
    ),
    *(
        Row(
            name=f"speed_dcgan_{name}",
            kind="speed",
            program="programs.speed_flags",
            system="DCGAN",
            protocol="the book's width, batches of 64, epochs of 10 updates, the first left out; with"
            f" `{' '.join(flags)}` against without; processes {_IN_TURN}",
            title=f"DCGAN: an update {title} against one without",
            bar=("<=", bar),
            ours="with {:.3f} s",
            other="without {:.3f} s",
            options={"args": _DCGAN_ARGS, "flags": flags, "updates": 10},
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
        protocol=f"{_FIT_MNIST}; the loop trains equal networks on the same tensors in a process of its own with"
        f" glibc's default allocator; convolutional networks, epochs of 200 batches of 128; {_IN_TURN}",
        title="VAE: an epoch of `fit` against the loop with glibc's default allocator",
        bar=("<=", 0.80),
        ours="fit {:.2f} s",
        other="loop {:.2f} s",
        options={"args": _args("VAE", 128)},
    ),
    Row(
        name="speed_dqn",
        kind="speed",
        program="programs.speed_dqn",
        system="DQN",
        config="configs/rl/dqn_cartpole.yaml",
        protocol="20,000 steps of the tuned configuration (default callbacks and loggers, W&B offline, no pictures;"
        " validation left out)"
        " against stable-baselines3's DQN with the same environments, network, optimizer, batch, buffer, updates and"
        f" exploration, without callbacks or evaluation; start of the processes left out on both sides; {_IN_TURN}",
        title="DQN: environment steps against stable-baselines3",
        bar=(">=", 1.5),
        ours="{:,.0f} steps/s",
        other="stable-baselines3 {:,.0f} steps/s",
        options={"steps": 20_000},
    ),
    Row(
        name="speed_pqn",
        kind="speed",
        program="programs.speed_dqn",
        system="PQN",
        config="configs/rl/pqn_cartpole.yaml",
        protocol="20,000 steps of the configuration (default callbacks and loggers, W&B offline, no pictures;"
        " validation left out) against stable-baselines3's DQN with the settings of dqn_cartpole, without callbacks or"
        f" evaluation; start of the processes left out on both sides; {_IN_TURN}",
        title="PQN: environment steps against stable-baselines3's DQN",
        bar=(">=", 5.0),
        ours="{:,.0f} steps/s",
        other="stable-baselines3's DQN {:,.0f} steps/s",
        options={"steps": 20_000, "peer": "configs/rl/dqn_cartpole.yaml"},
    ),
    *(
        Row(
            name=f"speed_{name}",
            kind="speed",
            program="programs.speed_dqn",
            system=name.upper(),
            config=f"configs/rl/{name}_cartpole.yaml",
            protocol=f"{steps:,} steps of the configuration (default callbacks and loggers, W&B offline, no pictures;"
            f" validation left out) against stable-baselines3's {name.upper()} with the same environments, networks,"
            " optimizer, rollouts and updates, without callbacks or evaluation; start of the processes left out on both"
            f" sides; {_IN_TURN}",
            title=f"{name.upper()}: environment steps against stable-baselines3",
            bar=(">=", bar),
            ours="{:,.0f} steps/s",
            other="stable-baselines3 {:,.0f} steps/s",
            options={"steps": steps, "peers": "sb3_on_policy"},
        )
        for name, bar, steps in (("a2c", 2.0, 40_000), ("ppo", 1.3, 20_000))
    ),
    Row(
        name="speed_ppo_until_475",
        kind="speed",
        program="programs.speed_until",
        system="PPO",
        config="configs/rl/ppo_cartpole.yaml",
        protocol="processor seconds of training until 20 held-out episodes without exploration, played every 2,000"
        " steps and not timed, have a mean return of 475, against stable-baselines3's PPO with the same settings; each"
        f" pair has a seed of its own; start of the processes left out on both sides; {_IN_TURN}",
        title="PPO: seconds until cart-pole is solved, against stable-baselines3",
        bar=("<=", 0.77),
        ours="{:.1f} s",
        other="stable-baselines3 {:.1f} s",
        options={"steps": 50_000, "until": 475, "every": 2_000},
    ),
    Row(
        name="speed_population",
        kind="speed",
        program="programs.speed_population",
        system="CMAES",
        config="configs/rl/cmaes_cartpole.yaml",
        protocol="CMA-ES over a linear policy for the cart-pole, 100,000 steps of all candidates, population of 16 as"
        " lanes: `train.py fit` with its default callbacks and loggers (W&B offline, no pictures; validation left out),"
        " beside a loop that plays candidate after candidate with one environment and the same torch layer; start of"
        f" the processes left out on both sides; {_IN_TURN}",
        title="CMAES: environment steps, the population as lanes, against candidate after candidate",
        bar=(">=", 1.0),
        ours="{:,.0f} steps/s",
        other="candidate after candidate {:,.0f} steps/s",
        options={"steps": 100_000, "population": 16},
    ),
    _table_row(
        "lanes",
        "64 at once from the table of transitions",
        800_000,
        {"steps": 6_400_000, "args": ("--model.init_args.steps_per_iteration", "64000")},
    ),
    _table_row(
        "single",
        "one environment",
        25_000,
        {
            "steps": 200_000,
            "args": ("--data.init_args.vectorization", "sync", "--data.init_args.num_envs", "1"),
        },
    ),
    Row(
        name="speed_priorities",
        kind="speed",
        program="programs.speed_priorities",
        system="PrioritizedDQN",
        protocol="16 batches of 64 drawn by priority from 100,000 transitions at once, by sums and bisection, against a"
        f" sum tree in numpy that draws batch by batch; {_IN_TURN}",
        title="PrioritizedDQN: drawing a round of batches against a sum tree in numpy",
        bar=(">=", 3.0),
        ours="{:,.0f} batches/s",
        other="sum tree {:,.0f} batches/s",
    ),
    Row(
        name="speed_start",
        kind="speed",
        program="programs.speed_start",
        system="command line",
        protocol="`python train.py fit --help` less `python -c 'import torch, pytorch_lightning'`, each in a process"
        f" of its own, a first pair left out; {_IN_TURN.replace('ratios', 'differences')}; beside it what a person"
        " waits by the clock on the wall, which other work does stretch",
        title="`fit --help` against importing torch and pytorch_lightning",
        unit="s more",
        ours="{:.2f} s",
        other="imports {:.2f} s",
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
