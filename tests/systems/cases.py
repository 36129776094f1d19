"""Every configuration of every public system, made small enough for a test.

A system enters by being public and having a configuration: it need not be named here. What makes it small it says
itself, in ``small_arguments``, and what its data is replaced by its data module, in ``small``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import datamodules
from dlmodules.protocols import Acts, HasSmallArguments
from dlmodules.rl import Planner
from dlmodules_cli.configs import config_root
from dlmodules_cli.main import main
from dlmodules_cli.systems import systems

PACKAGES = {
    "ALE/": ("ale_py", "atari"),
    "dlmodules/MinAtar": ("minatar", "minatar"),
    "LunarLander": ("Box2D", "box2d"),
    "dlmodules/CarRacing": ("Box2D", "box2d"),
    "dlmodules/DoomTakeCover": ("vizdoom", "doom"),
}
"""How the ids of environments begin that need a package: its name, and the extra that has it."""


@dataclass(frozen=True)
class Case:
    """A system under one of its configurations."""

    name: str
    config: Path
    module: type

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What the configuration says."""
        found: dict[str, Any] = yaml.safe_load(self.config.read_text())
        return found

    @property
    def data(self) -> Any:
        """The class of the configuration's data module."""
        return getattr(datamodules, self.settings["data"]["class_path"].rpartition(".")[2])

    @property
    def small_data(self) -> Any:
        """The class that stands in for the data, without a download."""
        return self.data.stand_in()

    @property
    def sizes(self) -> dict[str, Any]:
        """What makes images such as the small module takes, or else as the configuration says."""
        small = small_arguments(self.module)
        if shape := small.get("image_shape") or small.get("input_shape"):
            return {"image_size": shape[-1]}
        given = self.settings["data"].get("init_args", {})
        # What is seen in rollouts is as large as their environment shows it.
        seen = ("env_id", "env_kwargs") if self.small_data.__name__ == "RolloutsDataModule" else ()
        return {name: value for name, value in given.items() if name in ("image_size", "channels", *seen)}

    @property
    def data_options(self) -> list[str]:
        """What makes the data small, on the command line."""
        stands_in = ["--data", self.small_data.__name__] if self.small_data is not self.data else []
        return [*stands_in, *options("data", {**self.data.small_arguments, **self.sizes, **self.episodes})]

    @property
    def episodes(self) -> dict[str, Any]:
        """What makes episodes short, and has them played in the environment that they are judged in.

        An Atari game ends after 50 steps where the configuration lets it go on for minutes, and two are played.
        """
        limit = "max_num_frames_per_episode"
        given = self.settings["data"].get("init_args", {}).get("env_kwargs") or {}
        if "train_env_id" in (self.settings["data"].get("init_args") or {}):
            here = {"train_env_id": None, "train_env_kwargs": None, "vectorization": "sync", "num_envs": 2}
            return {**here, "env_kwargs": {**given, "max_episode_steps": 20}}
        if self.is_agent and "max_episode_steps" in given:
            return {"env_kwargs": {**given, "max_episode_steps": 20}, "num_envs": 2}
        return {"env_kwargs": {**given, limit: 200}, "num_envs": 2} if limit in given else {}

    def require_packages(self) -> None:
        """Skip the test where the package of its environment is missing."""
        env_id = self.settings["data"].get("init_args", {}).get("env_id", "")
        for beginning, (package, extra) in PACKAGES.items():
            if env_id.startswith(beginning):
                pytest.importorskip(package, reason=f"{package} is not installed: pip install -e '.[{extra}]'")

    @cached_property
    def is_agent(self) -> bool:
        """Whether the system plays an environment."""
        return issubclass(self.module, Acts)

    @cached_property
    def plans(self) -> bool:
        """Whether the system computes from a table of all that can happen, where there is nothing to draw."""
        return issubclass(self.module, Planner)

    @cached_property
    def is_network(self) -> bool:
        """Whether the system has parameters that gradient descent trains."""
        module = self.module(**small_arguments(self.module))
        return any(parameter.requires_grad for parameter in module.parameters())

    @cached_property
    def draws(self) -> bool:
        """Whether torch's seed changes the system.

        It does not where all that is learned is a count of the rows, or where the first weights are given.
        """
        if self.is_agent:
            return True
        states = []
        with torch.random.fork_rng(devices=[]):
            for seed in (0, 1):
                torch.manual_seed(seed)
                states.append(self.module(**small_arguments(self.module)).state_dict())
        return any(not torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())

    @property
    def each_epoch(self) -> list[str]:
        """What has it validate after each epoch, where the configuration counts steps that a small fit never makes."""
        counts = ["--trainer.val_check_interval", "1.0", "--trainer.check_val_every_n_epoch", "1"]
        return counts if "val_check_interval" in self.settings.get("trainer", {}) else []

    def arguments(self, root: Path, *more: str) -> list[str]:
        """Return the arguments of a small fit on small data, without pictures, in the folder ``root``."""
        return [
            *["fit", "--config", str(self.config), *self.data_options],
            *["--trainer.default_root_dir", str(root), "--trainer.accelerator", "cpu"],
            *["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"],
            *["--trainer.limit_val_batches", "1", "--trainer.callbacks", "null", *self.each_epoch],
            *options("model", small_arguments(self.module)),
            *more,
        ]

    def fit(self, root: Path, *more: str) -> Path:
        """Run a small fit in this process and return its run folder."""
        self.require_packages()
        main(self.arguments(root, *more))
        return newest(root, self.config.stem)


def small_arguments(module: type) -> dict[str, Any]:
    """Return what makes a system small, as arguments of its class."""
    return dict(module.small_arguments) if isinstance(module, HasSmallArguments) else {}


def options(section: str, arguments: Mapping[str, Any]) -> list[str]:
    """Return arguments as words of the command line."""
    words = []
    for name, value in arguments.items():
        words += [f"--{section}.{name}", value if isinstance(value, str) else json.dumps(value)]
    return words


def newest(root: Path, name: str) -> Path:
    """Return the last run folder under ``root``."""
    return sorted((root / name).glob("version_*"))[-1]


def _count(settings: Any) -> int:
    """Return how many values a configuration sets."""
    return sum(map(_count, settings.values())) if isinstance(settings, dict) else 1


def _plain(case: Case) -> int:
    """Return how much a configuration changes of its system."""
    return _count(case.settings["model"].get("init_args") or {})


CASES = [Case(system.name, config_root() / path, system.module) for system in systems() for path in system.configs]
# A system's plainest configuration, the first of them, stands for it where all of them would take too long.
FIRST = [min(cases, key=_plain) for _, cases in groupby(CASES, key=lambda case: case.name)]

# The first system of each training loop, where what is tested is the loop and the process around it.
LOOPS = list({case.module.training_step: case for case in reversed(FIRST)}.values())[::-1]

every_config = pytest.mark.parametrize("case", CASES, ids=lambda case: case.config.stem)
every_system = pytest.mark.parametrize("case", FIRST, ids=lambda case: case.name)
every_loop = pytest.mark.parametrize("case", LOOPS, ids=lambda case: case.name)
