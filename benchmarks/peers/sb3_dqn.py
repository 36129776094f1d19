"""Train stable-baselines3's DQN with the settings of one of our configurations and time it by the processor.

``python -m benchmarks.peers.sb3_dqn CONFIG RESULT SEED STEPS``
"""

import importlib
import inspect
import json
import sys
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
import yaml

from dlmodules import DQN
from dlmodules.errors import UserError
from dlmodules.training.allocator import keep_freed_memory


def settings_of(config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return all arguments of our model and its data module, defaults filled in."""
    from datamodules import EnvironmentDataModule

    found = []
    for cls, part in ((DQN, "model"), (EnvironmentDataModule, "data")):
        defaults = {name: item.default for name, item in inspect.signature(cls).parameters.items()}
        found.append(defaults | (config[part].get("init_args") or {}))
    return found[0], found[1]


def optimizer_of(value: Any) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
    """Return class and arguments of an optimizer: of a configuration, or of a default's factory."""
    if not isinstance(value, dict):
        made = value([torch.nn.Parameter(torch.zeros(1))])
        accepted = inspect.signature(type(made)).parameters
        return type(made), {name: item for name, item in made.defaults.items() if name in accepted}
    module, _, name = value["class_path"].rpartition(".")
    return getattr(importlib.import_module(module), name), dict(value.get("init_args") or {})


def sb3_arguments(model: dict[str, Any], data: dict[str, Any], steps: int) -> dict[str, Any]:
    """Translate our arguments into those of ``stable_baselines3.DQN``.

    Its target network follows after so many environment steps, ours after so many updates. Its
    exploration is linear, its loss is Huber's and it learns from the rewards as they are, whatever ours are.
    """
    cls, kwargs = optimizer_of(model["optimizer"])
    rounds = model["target_update_interval"] / model["updates_per_iteration"]
    return {
        "learning_rate": kwargs.pop("lr", 1e-3),
        "buffer_size": model["buffer_capacity"],
        "learning_starts": model["learning_starts"],
        "batch_size": model["batch_size"],
        "tau": model["tau"],
        "gamma": model["gamma"],
        "train_freq": (max(1, model["steps_per_iteration"] // data["num_envs"]), "step"),
        "gradient_steps": model["updates_per_iteration"],
        "target_update_interval": max(1, round(rounds * model["steps_per_iteration"])),
        "exploration_fraction": min(1.0, model["epsilon_steps"] / steps),
        "exploration_initial_eps": model["epsilon_start"],
        "exploration_final_eps": model["epsilon_end"],
        "max_grad_norm": model["max_grad_norm"] or float("inf"),
        "policy_kwargs": {
            "net_arch": list(model["hidden_dims"]),
            "optimizer_class": cls,
            "optimizer_kwargs": kwargs,
        },
    }


def main(config: str, result: str, seed: str, steps: str) -> None:
    """Train for ``steps`` environment steps; write ``steps``, ``seconds`` and the last mean return."""
    try:
        from stable_baselines3 import DQN as TheirDQN  # noqa: N811 - the name of ours is taken
        from stable_baselines3.common.env_util import make_vec_env
    except ModuleNotFoundError as error:
        raise UserError("stable-baselines3 is missing: pip install -e '.[bench]'") from error
    keep_freed_memory()
    model, data = settings_of(yaml.safe_load(Path(config).read_text()))
    if model["network"] is not None or data["wrappers"]:
        raise UserError(f"{config} has a network or wrappers of its own, which are not translated")
    envs = make_vec_env(data["env_id"], n_envs=data["num_envs"], seed=int(seed), env_kwargs=data["env_kwargs"] or {})
    agent = TheirDQN("MlpPolicy", envs, seed=int(seed), device="cpu", **sb3_arguments(model, data, int(steps)))
    begin = time.process_time()
    agent.learn(int(steps))
    seconds = time.process_time() - begin
    episodes = [episode["r"] for episode in agent.ep_info_buffer or []]
    found = {"steps": agent.num_timesteps, "seconds": seconds, "return": float(fmean(episodes))}
    Path(result).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
