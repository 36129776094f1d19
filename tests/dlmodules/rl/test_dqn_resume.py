"""A run that was cut and resumed in new objects ends bitwise where the unbroken one ends."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from callbacks import AtomicCheckpointIO
from datamodules.environments.environment import EnvironmentDataModule
from dlmodules.checkpoints import replay_file
from dlmodules.errors import UserError
from dlmodules.rl import observations
from dlmodules.rl.dqn import DQN
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.known_environments import register


def halving(optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)


class SaveAt(pl.Callback):
    """Write a checkpoint in the middle of the run, at the end of one training step or validation."""

    def __init__(self, path: Path, step: int, hook: str) -> None:
        self.path, self.step, self.hook = path, step, hook

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self._save("train_batch", trainer)

    def on_validation_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self._save("validation", trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self._save("train_epoch", trainer)

    def _save(self, hook: str, trainer: pl.Trainer) -> None:
        if hook == self.hook and trainer.global_step == self.step:
            trainer.save_checkpoint(self.path)


class Killed(BaseException):
    """Ends a run at once, as a signal would."""


class KillAt(pl.Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            raise Killed


class Iterations(pl.Callback):
    """Keeps what the train loader gave."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: int, *_: Any) -> None:
        self.numbers.append(batch)


def everything(trainer: pl.Trainer, module: DQN, environments: EnvironmentDataModule) -> dict[str, Any]:
    return {
        "weights": module.state_dict(),
        "optimizer": trainer.optimizers[0].state_dict(),
        "agent": module.agent_state(),
        "replay": None if module.buffer is None else module.buffer.state_dict(),
        "environments": environments.state_dict(),
        "counts": [trainer.global_step, trainer.fit_loop.epoch_loop.batch_progress.total.ready],
    }


def assert_same(first: Any, second: Any) -> None:
    assert type(first) is type(second)
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_same(first[key], second[key])
    elif isinstance(first, (list, tuple)):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    elif isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    else:
        assert first == second


# 800 steps are 25 iterations, 8 an epoch; learning starts in the fourth and the buffer is full in the tenth.
@pytest.mark.parametrize(
    ("step", "hook"),
    [
        (2, "train_batch"),
        (13, "train_batch"),
        (16, "train_batch"),
        (16, "validation"),
        (16, "train_epoch"),
        (24, "validation"),
    ],
)
def test_resuming_continues_the_unbroken_run(tmp_path: Path, step: int, hook: str) -> None:
    path = tmp_path / "cut.ckpt"
    unbroken = trainer(callbacks=[SaveAt(path, step, hook)])
    module, environments = agent(max_grad_norm=1.0, scheduler=halving), data()
    unbroken.fit(module, environments)

    torch.manual_seed(99)
    torch.rand(7)  # whatever state the new process has
    resumed = trainer()
    new_module, new_environments = agent(seed=5, max_grad_norm=1.0, scheduler=halving), data()
    resumed.fit(new_module, new_environments, ckpt_path=path, weights_only=True)
    assert_same(everything(unbroken, module, environments), everything(resumed, new_module, new_environments))


def test_a_killed_run_resumes_from_its_last_checkpoint(tmp_path: Path) -> None:
    unbroken, module, environments = trainer(), agent(), data()
    unbroken.fit(module, environments)

    path = tmp_path / "cut.ckpt"
    with pytest.raises(Killed):
        trainer(callbacks=[SaveAt(path, 11, "train_batch"), KillAt(14)]).fit(agent(), data())
    resumed, new_module, new_environments = trainer(), agent(seed=5), data()
    resumed.fit(new_module, new_environments, ckpt_path=path, weights_only=True)
    assert_same(everything(unbroken, module, environments), everything(resumed, new_module, new_environments))


def test_the_loader_goes_on_with_the_next_iteration(tmp_path: Path) -> None:
    path, unbroken, resumed = tmp_path / "cut.ckpt", Iterations(), Iterations()
    trainer(callbacks=[SaveAt(path, 11, "train_batch"), unbroken]).fit(agent(), data())
    trainer(callbacks=[resumed]).fit(agent(), data(), ckpt_path=path, weights_only=True)
    assert unbroken.numbers == [*range(8), *range(8), *range(8), 0]
    assert resumed.numbers == unbroken.numbers[11:]


def test_stopping_by_max_steps_and_saving_after_the_run(tmp_path: Path) -> None:
    unbroken, module, environments = trainer(), agent(), data()
    unbroken.fit(module, environments)

    path = tmp_path / "cut.ckpt"
    first = trainer(max_steps=11)
    first.fit(agent(), data())
    first.save_checkpoint(path)
    resumed, new_module, new_environments = trainer(), agent(seed=5), data()
    resumed.fit(new_module, new_environments, ckpt_path=path, weights_only=True)
    assert_same(everything(unbroken, module, environments), everything(resumed, new_module, new_environments))


def test_a_checkpoint_plays_without_its_configuration(tmp_path: Path) -> None:
    run, module, environments = trainer(max_steps=12), agent(), data()
    run.fit(module, environments)
    path = tmp_path / "end.ckpt"
    run.save_checkpoint(path)
    loaded = DQN.load_from_checkpoint(path, weights_only=True)
    observation = torch.randn(50, 4)
    assert torch.equal(loaded.act(observation), module.act(observation))
    assert (loaded.env_steps, loaded.buffer) == (12 * 32, None)
    again = EnvironmentDataModule.load_from_checkpoint(path, weights_only=True)
    assert again.evaluation_seeds("test") == environments.evaluation_seeds("test")
    result = run.test(module, environments, verbose=False)
    assert trainer().test(loaded, again, verbose=False) == result


STACK = {"class_path": "gymnasium.wrappers.FrameStackObservation", "init_args": {"stack_size": 4}}


def player(seed: int = 0) -> DQN:
    pl.seed_everything(seed, verbose=False)
    return agent(seed, network=Shrunk(), buffer_capacity=150, learning_starts=64)


class Shrunk(torch.nn.Module):
    """Values of stacked pictures ``(B, 4, 40, 40)`` uint8."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.AvgPool2d(8), torch.nn.Flatten(), torch.nn.Linear(100, 2))

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = self.layers(observation.float() / 255)
        return values


@pytest.mark.parametrize("limit", [1, 2**40])
@pytest.mark.parametrize("step", [3, 13])
def test_pictures_resume_with_the_replay_beside_the_checkpoint_or_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, step: int
) -> None:
    register()
    monkeypatch.setattr(replay_file, "LARGE", limit)
    pictures = {"env_id": "Film-v0", "wrappers": [STACK], "num_envs": 3, "total_steps": 640}
    path = tmp_path / "cut.ckpt"
    unbroken = trainer(callbacks=[SaveAt(path, step, "train_batch")], plugins=[AtomicCheckpointIO()])
    module, environments = player(), data(**pictures)
    unbroken.fit(module, environments)
    assert bool(list(tmp_path.glob("replay/*.safetensors"))) == (limit == 1)

    resumed = trainer(plugins=[AtomicCheckpointIO()])
    new_module, new_environments = player(5), data(**pictures)
    resumed.fit(new_module, new_environments, ckpt_path=path, weights_only=True)
    assert_same(everything(unbroken, module, environments), everything(resumed, new_module, new_environments))
    stored = module.buffer.state_dict()["frames"]
    assert stored.shape[1:] == (40, 40)
    # Alone, 150 transitions have 1,200 frames. An episode has 9 steps at most, so many frames are first or last ones.
    assert len(stored) < 300
    loaded = DQN.load_from_checkpoint(path, weights_only=True)  # to play it, no replay is read
    assert loaded.buffer is None

    for replay in tmp_path.glob("replay/*.safetensors"):
        replay.unlink()
        with pytest.raises(UserError, match=r"replay buffer is missing: there is no .*replay/\d+-\d+.*safetensors"):
            trainer(plugins=[AtomicCheckpointIO()]).fit(player(), data(**pictures), ckpt_path=path, weights_only=True)


def test_sharing_frames_changes_no_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    register()
    weights = []
    for limit in (1, 10**9):
        monkeypatch.setattr(observations, "SHARED_FROM_BYTES", limit)
        module = player()
        trainer().fit(module, data(env_id="Film-v0", wrappers=[STACK], num_envs=3, total_steps=640))
        assert ("frames" in module.buffer.state_dict()) == (limit == 1)
        weights.append(module.state_dict())
    assert_same(*weights)
