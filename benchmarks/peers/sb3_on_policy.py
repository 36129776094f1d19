"""Train stable-baselines3's A2C or PPO with the settings of one of our configurations and time it by the processor.

``python -m benchmarks.peers.sb3_on_policy CONFIG RESULT SEED STEPS [UNTIL EVERY]``

With ``UNTIL`` it stops where the mean return of 20 episodes without exploration, which are played every so many steps
and not timed, is that.
"""

import inspect
import json
import sys
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
import yaml
from gymnasium.wrappers import TransformReward

import dlmodules
from benchmarks.peers.sb3_dqn import optimizer_of
from dlmodules.errors import UserError
from dlmodules.training.allocator import keep_freed_memory

EPISODES = 20


def settings_of(config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return all arguments of our model and its data module, defaults filled in; bases hand theirs on by keyword."""
    from datamodules import EnvironmentDataModule

    model = getattr(dlmodules, config["model"]["class_path"].rpartition(".")[2])
    found = []
    for cls, part in ((model, "model"), (EnvironmentDataModule, "data")):
        defaults: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            if base.__module__.partition(".")[0] in ("dlmodules", "datamodules"):
                defaults |= {name: item.default for name, item in inspect.signature(base).parameters.items()}
        found.append(defaults | (config[part].get("init_args") or {}))
    return found[0], found[1]


def sb3_arguments(model: dict[str, Any], data: dict[str, Any], steps: int) -> dict[str, Any]:
    """Translate our arguments into those that ``stable_baselines3.A2C`` and ``PPO`` share, and their own.

    Our schedule of the learning rate may be ``LinearLR``.
    """
    cls, kwargs = optimizer_of(model["optimizer"])
    rate, end = kwargs.pop("lr", 1e-3), 1.0
    if model["scheduler"] is not None:
        if not model["scheduler"]["class_path"].endswith(".LinearLR"):
            raise UserError("only LinearLR is translated")
        end = model["scheduler"]["init_args"]["end_factor"]
    shared = {
        "learning_rate": rate if end == 1.0 else lambda left: rate * (end + (1.0 - end) * left),
        "gamma": model["gamma"],
        "gae_lambda": model["lambda_"],
        "ent_coef": model["entropy_coefficient"],
        "vf_coef": model["value_coefficient"],
        "max_grad_norm": model["max_grad_norm"] or float("inf"),
        "normalize_advantage": model["normalize_advantages"],
        "policy_kwargs": {
            "net_arch": list(model["hidden_dims"]),
            "activation_fn": {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[model["activation"]],
            "optimizer_class": cls,
            "optimizer_kwargs": kwargs,
        },
    }
    if "n_steps" in model:
        return {**shared, "n_steps": model["n_steps"], "use_rms_prop": False}
    return {
        **shared,
        "n_steps": model["steps_per_iteration"] // data["num_envs"],
        "batch_size": model["steps_per_iteration"] // model["minibatches"],
        "n_epochs": model["epochs"],
        "clip_range": model["clip_range"],
    }


def main(config: str, result: str, seed: str, steps: str, until: str = "", every: str = "") -> None:
    """Train for ``steps`` environment steps; write ``steps``, ``seconds`` and the last mean return."""
    try:
        import stable_baselines3
        from stable_baselines3.common.callbacks import BaseCallback
        from stable_baselines3.common.env_util import make_vec_env
        from stable_baselines3.common.evaluation import evaluate_policy
    except ModuleNotFoundError as error:
        raise UserError("stable-baselines3 is missing: pip install -e '.[bench]'") from error
    keep_freed_memory()
    settings = yaml.safe_load(Path(config).read_text())
    model, data = settings_of(settings)
    if model["policy"] is not None or data["wrappers"]:
        raise UserError(f"{config} has a policy or wrappers of its own, which are not translated")
    if model["normalize_observations"] or model["normalize_rewards"]:
        raise UserError(f"{config} normalizes observations or rewards, which is not translated")
    scale = model["reward_scale"]
    envs = make_vec_env(
        data["env_id"],
        n_envs=data["num_envs"],
        seed=int(seed),
        env_kwargs=data["env_kwargs"] or {},
        wrapper_class=TransformReward if scale != 1.0 else None,  # it counts the returns below it, as they are
        wrapper_kwargs={"func": lambda reward: scale * reward} if scale != 1.0 else None,
    )
    theirs = getattr(stable_baselines3, settings["model"]["class_path"].rpartition(".")[2])
    agent = theirs("MlpPolicy", envs, seed=int(seed), device="cpu", **sb3_arguments(model, data, int(steps)))

    class Until(BaseCallback):  # type: ignore[misc]  # it has no types here
        """Ends the training where the return is reached; evaluation is not timed."""

        paused, next_look, reached = 0.0, 0, False

        def _on_step(self) -> bool:
            return not self.reached

        def _on_rollout_start(self) -> None:
            if not until or self.num_timesteps < self.next_look:
                return
            begin = time.process_time()
            self.next_look = self.num_timesteps + int(every)
            held_out = make_vec_env(data["env_id"], n_envs=8, seed=10_000 + int(seed))
            self.reached = bool(evaluate_policy(agent, held_out, EPISODES, deterministic=True)[0] >= float(until))
            self.paused += time.process_time() - begin

    callback = Until()
    begin = time.process_time()
    agent.learn(int(steps), callback=callback)
    seconds = time.process_time() - begin - callback.paused
    episodes = [episode["r"] for episode in agent.ep_info_buffer or []]
    found = {"steps": agent.num_timesteps, "seconds": seconds, "return": float(fmean(episodes))}
    Path(result).write_text(json.dumps({**found, "reached": callback.reached}))


if __name__ == "__main__":
    main(*sys.argv[1:])
