"""A run of populations that was cut goes on bitwise; a generation that was cut is played again."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from dlmodules import CMAES, GeneticAlgorithm, OpenAIES
from tests.dlmodules.rl.agent_runs import data, trainer
from tests.dlmodules.rl.evolution.kills_at import KillsAt
from tests.dlmodules.rl.evolution.test_population import population
from tests.dlmodules.rl.test_dqn_resume import SaveAt, assert_same, everything
from tests.systems.processes import in_a_process

POPULATIONS = [CMAES, OpenAIES, GeneticAlgorithm]
CONFIGS = ["cmaes_cartpole", "openai_es_cartpole", "genetic_algorithm_cartpole"]


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("cls", POPULATIONS, ids=lambda cls: cls.__name__)
def test_resuming_continues_the_unbroken_run(cls: Any, normalize: bool, tmp_path: Path) -> None:
    paths = {step: tmp_path / f"{step}.ckpt" for step in (2, 3)}  # inside an epoch, and at its end
    unbroken = trainer(callbacks=[SaveAt(path, step, "train_batch") for step, path in paths.items()], max_steps=8)
    module, environments = population(cls, normalize_observations=normalize), data(total_steps=100_000)
    unbroken.fit(module, environments)
    for path in paths.values():
        resumed, again = trainer(max_steps=8), population(cls, seed=5, normalize_observations=normalize)
        others = data(total_steps=100_000)
        resumed.fit(again, others, ckpt_path=path, weights_only=True)
        assert_same(everything(unbroken, module, environments), everything(resumed, again, others))


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS)
def test_a_kill_inside_a_generation(config: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    repository = request.config.rootpath
    torch.set_num_threads(1)

    def arguments(root: str) -> list[str]:
        return [
            *["fit", "--config", str(repository / "configs" / "rl" / f"{config}.yaml")],
            *["--trainer.default_root_dir", str(tmp_path / root), "--trainer.accelerator", "cpu"],
            *["--trainer.callbacks", "null", "--trainer.callbacks+=callbacks.LastCheckpoint"],
            *["--trainer.callbacks.every_n_steps=1", "--trainer.max_steps", "6", "--data.eval_episodes", "1"],
        ]

    def last(root: str) -> dict[str, Any]:
        path = tmp_path / root / config / "version_0" / "checkpoints" / "last.ckpt"
        found: dict[str, Any] = torch.load(path, weights_only=True)
        return found

    assert in_a_process(arguments("unbroken"), repository, tmp_path / "said").returncode == 0
    steps = last("unbroken")["agent"]["env_steps"]
    given = {"at": steps // 2, "once": str(tmp_path / "killed once")}
    kill = json.dumps([{"class_path": f"{KillsAt.__module__}.KillsAt", "init_args": given}])
    killed = [*arguments("killed"), f"--data.wrappers={kill}"]
    done = in_a_process(killed, repository, tmp_path / "said")
    assert done.returncode == -9, done.stderr
    assert 0 < last("killed")["global_step"] < 6
    assert last("killed")["agent"]["env_steps"] < steps // 2  # what the killed generation did is not in it
    done = in_a_process([*killed, "--ckpt_path", "last"], repository, tmp_path / "said")
    assert done.returncode == 0, done.stderr
    expected, found = last("unbroken"), last("killed")
    assert found["global_step"] == 6
    for part in ("state_dict", "optimizer_states", "random_states", "agent"):
        assert_same(expected[part], found[part])
    assert_same(expected["EnvironmentDataModule"], found["EnvironmentDataModule"])
