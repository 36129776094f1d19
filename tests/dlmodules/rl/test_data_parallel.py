"""A2C in two processes: other episodes in each, equal weights, steps added up, a resume to the bit."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.training.ranks import own_state

SCRIPT = """
import json, sys
from pathlib import Path
import torch
from dlmodules.rl.a2c import A2C
from dlmodules.rl.policies import GaussianPolicy
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.test_dqn_resume import SaveAt

folder, env_id = Path(sys.argv[1]), sys.argv[2]


def made():
    both = {"steps_per_iteration": 64, "normalize_observations": True, "normalize_rewards": True}
    if env_id == "Pendulum-v1":
        both |= {"observation_dim": 3, "policy": GaussianPolicy(3, 1, noise_correlation=0.5)}
    return agent(cls=Watched, **both)


LANES = ("reward_normalizer._extra_state", "policy._extra_state")  # of the environments of this process


class Watched(A2C):
    played = 0

    def update_from(self, rollout):
        self.seen = getattr(self, "seen", []) + [float(rollout.observation.sum())]
        return super().update_from(rollout)

    def act(self, observation):
        self.played += 1
        return super().act(observation)


for name, path in (("whole", None), ("rest", folder / "cut.ckpt")):
    module = made()
    save = [SaveAt(folder / "cut.ckpt", 4, "train_batch")] if path is None else []
    run = trainer(strategy="ddp", devices=2, callbacks=save)
    run.fit(module, data(env_id=env_id, num_envs=2, total_steps=640), ckpt_path=path, weights_only=True)
    found = {
        "seen": module.seen,
        "steps": module.env_steps,
        "iterations": run.global_step,
        "played": module.played,
        "val": float(run.callback_metrics["val/return"]),
        "weights": {key: value.double().sum().item() for key, value in module.state_dict().items() if key not in LANES},
        "lanes": {key: module.state_dict()[key].tolist() for key in LANES if key in module.state_dict()},
    }
    (folder / f"{name}-{run.global_rank}.json").write_text(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_two_processes_learn_together_and_resume(env_id: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, script, tmp_path, env_id], env=environment, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()[-2000:]

    def found(name: str, rank: int) -> dict[str, Any]:
        kept: dict[str, Any] = json.loads((tmp_path / f"{name}-{rank}.json").read_text())
        return kept

    zero, one = found("whole", 0), found("whole", 1)
    assert (zero["steps"], zero["iterations"]) == (640, 10)  # 32 steps an iteration in each of the two
    assert zero["weights"] == one["weights"]
    assert not set(zero["seen"]) & set(one["seen"])  # each its own episodes
    assert zero["lanes"] != one["lanes"]
    assert zero["weights"]["reward_normalizer.moments.count"] == zero["weights"]["observation_normalizer.count"] == 640
    assert zero["played"] > 0
    assert one["played"] == 0
    assert zero["val"] == one["val"]
    for rank in (0, 1):
        whole, rest = found("whole", rank), found("rest", rank)
        assert rest["weights"] == whole["weights"]
        assert rest["lanes"] == whole["lanes"]
        assert rest["seen"] == whole["seen"][-len(rest["seen"]) :]


def test_a_run_resumes_in_as_many_processes_as_it_had() -> None:
    kept = {"agent": 1, "agent_of_ranks": [1, 2]}
    assert own_state("agent", kept) == 1  # to be tested, or looked at
    with pytest.raises(UserError, match=r"of a run in 2 processes, not 1: resume with trainer.devices 2"):
        own_state("agent", kept, resumes=True)
    assert not torch.distributed.is_initialized()
