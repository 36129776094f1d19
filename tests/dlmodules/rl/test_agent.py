from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.demos.boring_classes import BoringDataModule
from pytorch_lightning.loggers import CSVLogger

from dlmodules.errors import UserError
from dlmodules.protocols import Transition
from dlmodules.rl.base import Agent
from tests.dlmodules.rl.agent_runs import agent, data, rows, trainer


class Recorder(pl.Callback):
    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []
        self.validated_at: list[int] = []

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *_: Any) -> None:
        self.steps.append((trainer.global_step, module.env_steps))

    def on_validation_end(self, trainer: pl.Trainer, module: Any) -> None:
        self.validated_at.append(module.env_steps)


def test_one_iteration_is_one_global_step_before_and_after_learning_starts() -> None:
    recorder = Recorder()
    run = trainer(callbacks=[recorder])
    run.fit(agent(), data())
    assert recorder.steps == [(number, 32 * number) for number in range(1, 26)]  # updates begin in the fourth


def test_the_budget_ends_the_run_exactly_and_each_epoch_ends_in_a_validation() -> None:
    recorder, module = Recorder(), agent()
    trainer(callbacks=[recorder]).fit(module, data(total_steps=700))
    assert module.env_steps == 700  # the last iteration is cut short
    assert recorder.validated_at == [256, 512, 700]


def test_steps_of_an_iteration_are_rounded_up_to_whole_steps_of_all_environments() -> None:
    recorder = Recorder()
    trainer(callbacks=[recorder]).fit(agent(steps_per_iteration=30), data(num_envs=8, total_steps=100))
    assert [steps for _, steps in recorder.steps] == [32, 64, 96, 104]


def test_max_steps_still_means_iterations() -> None:
    module = agent()
    run = trainer(max_steps=5)
    run.fit(module, data())
    assert (run.global_step, module.env_steps) == (5, 160)


def test_the_loggers_x_axis_is_environment_steps(tmp_path: Path) -> None:
    run = trainer(logger=CSVLogger(tmp_path, name="", version=""), log_every_n_steps=5)
    module, environments = agent(), data()
    run.fit(module, environments)
    run.test(module, environments)
    table = rows(tmp_path / "metrics.csv")
    train = [row for row in table if row["train/epsilon"]]
    assert [row["step"] for row in train] == ["160", "320", "480", "640", "800"]
    assert [float(row["env_steps"]) for row in train] == [160, 320, 480, 640, 800]
    for name in ("return", "episode_length", "episodes", "td_loss", "q_mean", "steps_per_second"):
        assert float(train[-1][f"train/{name}"]) > 0
    assert [row["step"] for row in table if row["val/return"]] == ["256", "512", "768", "800"]
    assert [row["step"] for row in table if row["test/return"]] == ["800"]


def test_checkpoint_names_count_environment_steps(tmp_path: Path) -> None:
    callback = ModelCheckpoint(tmp_path, "{step}", monitor="val/return", mode="max", save_top_k=-1)
    trainer(enable_checkpointing=True, callbacks=[callback]).fit(agent(), data())
    assert {path.stem for path in tmp_path.iterdir()} == {f"step={step}" for step in (256, 512, 768, 800)}


def test_evaluation_is_deterministic_and_changes_nothing() -> None:
    module, environments, run = agent(), data(), trainer()
    run.fit(module, environments)
    before = module.agent_state()
    first, second = (run.validate(module, environments, verbose=False)[0] for _ in range(2))
    assert first == second
    assert torch.equal(before["generator"], module.generator.get_state())


@pytest.mark.parametrize("every", [1, 100])
def test_how_often_one_validates_does_not_change_the_run(every: int) -> None:
    weights = []
    for check_val_every_n_epoch in (1, every):
        module = agent()
        trainer(check_val_every_n_epoch=check_val_every_n_epoch).fit(module, data())
        weights.append(module.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_test_plays_its_own_episodes_and_reports_their_spread() -> None:
    module, environments, run = agent(), data(test_episodes=20), trainer()
    run.fit(module, environments)
    result = run.test(module, environments, verbose=False)[0]
    seeds = environments.evaluation_seeds("test")
    returns = []
    for seed in seeds:  # one at a time, without any of the code under test
        env = environments.make_env()
        observation, over, total = env.reset(seed=seed)[0], False, 0.0
        while not over:
            action = module.network(torch.from_numpy(observation)[None]).argmax().item()
            observation, reward, terminated, truncated, _ = env.step(action)
            total, over = total + reward, terminated or truncated
        returns.append(total)
    assert result["test/return"] == pytest.approx(sum(returns) / 20)
    assert result["test/return_std"] == pytest.approx(torch.tensor(returns).std(correction=0).item(), rel=1e-5)


def test_a_second_fit_is_a_new_run() -> None:
    module, environments = agent(), data()
    trainer().fit(module, environments)
    trainer(max_steps=3).fit(module, environments)
    assert module.env_steps == 96


class Scripted(Agent):
    """Always pushes right, and learns what its test tells it."""

    def __init__(self, losses: dict[str, torch.Tensor]) -> None:
        super().__init__(steps_per_iteration=8)
        self.layer = torch.nn.Linear(1, 1)
        self.losses = losses
        self.seen: list[Transition] = []

    def explore(self, observation: torch.Tensor) -> torch.Tensor:
        assert not self.layer.training, "acting in training mode"
        return torch.ones(len(observation), dtype=torch.int64)

    act = explore

    def observe(self, transition: Transition) -> None:
        self.seen.append(transition)

    def learn(self) -> dict[str, torch.Tensor]:
        self.layer.train()
        return self.losses if self.env_steps >= 40 else {}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_a_child_sees_each_step_once_and_in_order() -> None:
    module = Scripted({})
    trainer().fit(module, data(num_envs=2, total_steps=100))
    assert len(module.seen) == 50
    for before, after in zip(module.seen, module.seen[1:], strict=False):
        running = ~(before.terminated | before.truncated)
        assert torch.equal(before.next_observation[running], after.observation[running])
        assert not (before.next_observation[~running] == after.observation[~running]).any()
    assert sum(step.terminated.sum() for step in module.seen) == 10  # pushed right, the pole falls in 9 or 10


def test_a_loss_that_is_no_number_stops_the_run_and_is_named() -> None:
    module = Scripted({"td_loss": torch.tensor(float("nan"))})
    with pytest.raises(UserError, match="train/td_loss is nan at step 40;"):
        trainer().fit(module, data(num_envs=2))


def test_a_resumed_run_that_had_used_its_budget_does_nothing(tmp_path: Path) -> None:
    module, run = agent(), trainer()
    run.fit(module, data())
    run.save_checkpoint(tmp_path / "end.ckpt")
    resumed, recorder = agent(), Recorder()
    trainer(callbacks=[recorder]).fit(resumed, data(), ckpt_path=tmp_path / "end.ckpt", weights_only=True)
    assert recorder.steps == []
    assert resumed.env_steps == 800
    longer = agent()
    trainer().fit(longer, data(total_steps=1000), ckpt_path=tmp_path / "end.ckpt", weights_only=True)
    assert longer.env_steps == 1000


def test_data_without_environments_is_refused() -> None:
    with pytest.raises(UserError, match="Scripted learns by acting: give it an EnvironmentDataModule"):
        trainer().fit(Scripted({}), BoringDataModule())


def test_several_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trainer()
    monkeypatch.setattr(type(run), "world_size", 2)
    with pytest.raises(UserError, match=r"Scripted runs in one process, not 2: set trainer.devices to 1"):
        run.fit(Scripted({}), data())


def test_a_checkpoint_of_another_kind_of_module_is_refused() -> None:
    with pytest.raises(UserError, match="the checkpoint is not of an agent"):
        agent().on_load_checkpoint({"state_dict": {}})


def test_an_iteration_has_at_least_one_step() -> None:
    with pytest.raises(UserError, match="steps_per_iteration is 0"):
        agent(steps_per_iteration=0)


class Bold(Scripted):
    """Wants more than the environment allows."""

    def explore(self, observation: torch.Tensor) -> torch.Tensor:
        return torch.full((len(observation), 1), 5.0)

    def to_env(self, action: torch.Tensor) -> torch.Tensor:
        return action.clamp(-2.0, 2.0)


def test_the_environment_is_given_the_action_clipped_and_the_agent_finds_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module, pendulum = Bold({}), data(env_id="Pendulum-v1", num_envs=2, total_steps=16, eval_episodes=1)
    given: list[torch.Tensor] = []
    step = type(pendulum.train_envs).step
    monkeypatch.setattr(
        type(pendulum.train_envs), "step", lambda envs, action, info: given.append(action) or step(envs, action, info)
    )
    trainer(limit_val_batches=0).fit(module, pendulum)
    assert torch.stack(given).unique().tolist() == [2.0]
    assert torch.stack([transition.action for transition in module.seen]).unique().tolist() == [5.0]
