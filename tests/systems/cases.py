"""Every configuration of every public system, made small enough for a test.

A system enters by being public and having a configuration: it need not be named here.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import yaml

from dlmodules_cli.configs import config_root
from dlmodules_cli.main import main
from dlmodules_cli.systems import systems

# What stands in, without a download and small, for the data of a configuration.
DIGITS = ["--data", "DigitsDataModule", "--data.batch_size", "8"]
SENTIMENT = ["--data", "ToySentimentDataModule", "--data.batch_size", "8"]
STAND_INS = {
    "DigitsDataModule": DIGITS,
    "MNISTDataModule": DIGITS,
    "BinarizedMNISTDataModule": DIGITS,
    "FashionMNISTDataModule": DIGITS,
    "QuickDrawDataModule": DIGITS,
    "CIFAR10DataModule": [*DIGITS, "--data.image_size", "32", "--data.channels", "3"],
    "CelebADataModule": [*DIGITS, "--data.channels", "3"],
    "IMDBDataModule": SENTIMENT,
    # These need no download and stand for themselves.
    "IrisDataModule": ["--data.batch_size", "8"],
    "DiabetesDataModule": ["--data.batch_size", "8"],
    "XORDataModule": [],
    "StatesDataModule": [
        "--data.batch_size",
        "8",
        "--data.num_states",
        "500",
        "--data.val_size",
        "50",
        "--data.test_size",
        "50",
    ],
    "TinsDataModule": ["--data.batch_size", "8"],
    "RingDataModule": ["--data.batch_size", "8"],
    "BoxDataModule": ["--data.batch_size", "8"],
    "LandDataModule": ["--data.batch_size", "8"],
    "WrodlDataModule": ["--data.batch_size", "8"],
    "PlanetPixelDataModule": ["--data.batch_size", "8", "--data.num_images", "100"],
    "EnvironmentDataModule": [
        *["--data.total_steps", "100000", "--data.steps_per_epoch", "512", "--data.eval_episodes", "2"],
        *["--data.test_episodes", "2"],
    ],
}
# Pretrained weights cannot be had in a test, and want larger images than a test has time for.
PRETRAINED = ["--model.pretrained", "false", "--model.image_size", "32"]
# Trained at a quarter of the filters. Not StackedGAN, whose encoder takes the time, which no width makes smaller.
NARROWED = ("DCGAN", "CGAN", "ACGAN", "InfoGAN", "LSGAN", "SNGAN", "WGAN", "WGANGP")
# The same layers as in the book, but fewer of them, where the book's take minutes for what a test asks.
SMALLER = {
    "DenseNetClassifier": ["--model.depth", "22"],
    "ResNetClassifier": ["--model.depth", "20"],
    "CapsNetClassifier": ["--model.channels", "64", "--model.capsules", "8"],
    "MatrixCapsNetClassifier": ["--model.channels", "32", "--model.capsules", "[4,8,8]"],
    **{name: ["--model.width", "0.25"] for name in NARROWED},
}
# In place of the first configuration, whose images or networks are larger.
STAND_FOR = {"WGAN": "wgan_mnist", "WGANGP": "wgan_gp_mnist"}
# Agents of any kind take these, so that a few iterations reach the first update.
AGENT = ["--model.steps_per_iteration", "32"]


@dataclass(frozen=True)
class Case:
    """A system under one of its configurations."""

    name: str
    config: Path
    module: type

    @property
    def data(self) -> str:
        """The class name of the configuration's data module."""
        path: str = yaml.safe_load(self.config.read_text())["data"]["class_path"]
        return path.rpartition(".")[2]

    @property
    def image_size(self) -> list[str]:
        """What makes the stand-in's images as large as the configuration's, where it says how large these are."""
        size = yaml.safe_load(self.config.read_text())["data"].get("init_args", {}).get("image_size")
        return [] if size is None else ["--data.image_size", str(size)]

    @property
    def is_pretrained(self) -> bool:
        """Whether the configuration starts from a library's weights."""
        model = yaml.safe_load(self.config.read_text())["model"]
        return bool(model.get("init_args", {}).get("pretrained"))

    @property
    def is_agent(self) -> bool:
        """Whether the system plays an environment."""
        return self.data == "EnvironmentDataModule"

    @property
    def is_network(self) -> bool:
        """Whether the system has parameters that gradient descent trains."""
        return any(parameter.requires_grad for parameter in self.module().parameters())

    @property
    def draws(self) -> bool:
        """Whether torch's seed changes the system. It does not where all that is learned is a count of the rows."""
        if self.is_agent or self.is_network:
            return True
        states = []
        with torch.random.fork_rng(devices=[]):
            for seed in (0, 1):
                torch.manual_seed(seed)
                states.append(self.module().state_dict())
        return any(not torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())

    def arguments(self, root: Path, *more: str) -> list[str]:
        """Return the arguments of a small fit on stand-in data, without pictures, in the folder ``root``."""
        return [
            *["fit", "--config", str(self.config), *STAND_INS[self.data], *self.image_size],
            *["--trainer.default_root_dir", str(root), "--trainer.accelerator", "cpu"],
            *["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"],
            *["--trainer.limit_val_batches", "1", "--trainer.callbacks", "null"],
            *(PRETRAINED if self.is_pretrained else []),
            *SMALLER.get(self.name, []),
            *more,
        ]

    def fit(self, root: Path, *more: str) -> Path:
        """Run a small fit in this process and return its run folder."""
        main(self.arguments(root, *more))
        return newest(root, self.config.stem)


def smaller_arguments(name: str) -> dict[str, object]:
    """Return what makes the system ``name`` small, as arguments of its class."""
    words = SMALLER.get(name, [])
    pairs = zip(words[::2], words[1::2], strict=True)
    return {option.removeprefix("--model."): yaml.safe_load(value) for option, value in pairs}


def newest(root: Path, name: str) -> Path:
    """Return the last run folder under ``root``."""
    return sorted((root / name).glob("version_*"))[-1]


def _cases() -> list[Case]:
    return [
        Case(system.name, config_root() / config, system.module) for system in systems() for config in system.configs
    ]


CASES = _cases()
# The first configuration of each system stands for it where all of them would take too long.
_LIGHT = [case for case in CASES if STAND_FOR.get(case.name, case.config.stem) == case.config.stem]
FIRST = list({case.name: case for case in reversed(_LIGHT)}.values())[::-1]

# The first system of each training loop, where what is tested is the loop and the process around it.
LOOPS = list({case.module.training_step: case for case in reversed(FIRST)}.values())[::-1]

every_config = pytest.mark.parametrize("case", CASES, ids=lambda case: case.config.stem)
every_system = pytest.mark.parametrize("case", FIRST, ids=lambda case: case.name)
every_loop = pytest.mark.parametrize("case", LOOPS, ids=lambda case: case.name)
