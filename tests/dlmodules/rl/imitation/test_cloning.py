from dataclasses import replace
from math import exp, log
from pathlib import Path
from typing import Any, ClassVar

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from datamodules.environments.environment import EnvironmentDataModule
from dlmodules import BehaviouralCloning, DAgger
from dlmodules.errors import UserError
from dlmodules.protocols import AsksExpert, Transition
from dlmodules.protocols.driving_keys import KEYS, keys_of
from dlmodules.rl.imitation.views import grey_view
from tests.dlmodules.rl.agent_runs import trainer
from tests.dlmodules.rl.imitation.stripe import REACH, STRIPE, column_of, register_stripe
from tests.dlmodules.rl.test_dqn_resume import SaveAt, assert_same, everything


class Coarse(nn.Module):
    """A linear map of 7 x 7 squares, which a test has the time for."""

    def __init__(self, outputs: int = 3) -> None:
        super().__init__()
        self.outputs = outputs
        self.layers = nn.Sequential(nn.AvgPool2d(12), nn.Flatten(), nn.Linear(49, outputs))

    def forward(self, view: Tensor) -> Tensor:
        found: Tensor = self.layers(view)
        return found


def cloner(cls: Any = BehaviouralCloning, seed: int = 0, **arguments: Any) -> Any:
    pl.seed_everything(seed, verbose=False)
    outputs = 3 if arguments.get("continuous", True) else len(KEYS)
    defaults = {
        "continuous": True,
        "network": Coarse(outputs),
        "optimizer": lambda p: torch.optim.Adam(p, lr=0.05),
        "expert_steps": 320,
        "batch_size": 32,
        "buffer_capacity": 400,
        "steps_per_iteration": 32,
        "updates_per_iteration": 8,
    }
    return cls(**{**defaults, **arguments})


def stripes(**arguments: Any) -> EnvironmentDataModule:
    register_stripe()
    defaults = {"num_envs": 4, "total_steps": 640, "steps_per_epoch": 320, "eval_episodes": 8, "test_episodes": 8}
    return EnvironmentDataModule(STRIPE, **{**defaults, "train_env_kwargs": {"has_expert": True}, **arguments})


def places_of(view: Tensor) -> tuple[Tensor, Tensor]:
    """Return which views ``(B, 1, 84, 84)`` show the stripe, and the column of its middle in the frame ``(B,)``."""
    row = view[:, 0, 40].float()
    is_shown = row.sum(1) > 0
    columns = (row * torch.arange(84)).sum(1) / row.sum(1).clamp(min=1) + 6
    return is_shown, columns


def assert_labels_belong_to_their_frames(frames: Transition) -> None:
    """The expert's steering tells the stripe's place, and so its column: in that frame, and not in the one before."""
    is_shown, columns = places_of(frames.observation)
    steering = frames.info["expert_action"][:, 0]
    exact = is_shown & (steering.abs() < 0.99)
    assert exact.sum() > 50
    wanted = torch.tensor([column_of(float(s) * REACH) for s in steering[exact]])
    torch.testing.assert_close(columns[exact], wanted.float(), atol=0.01, rtol=0)


@pytest.mark.parametrize("cls", [BehaviouralCloning, DAgger])
@pytest.mark.parametrize("num_envs", [1, 4])
def test_each_frame_is_kept_with_what_the_expert_would_do_in_it(cls: Any, num_envs: int) -> None:
    module = cloner(cls, updates_per_iteration=1)
    trainer(limit_val_batches=0).fit(module, stripes(num_envs=num_envs))
    assert_labels_belong_to_their_frames(module.buffer.get(torch.arange(len(module.buffer))))


def test_labels_of_the_next_frame_are_found_out() -> None:
    class Late(BehaviouralCloning):
        def keep(self, transition: Transition) -> None:
            envs = self.environments.train_envs
            assert isinstance(envs, AsksExpert)
            super().keep(replace(transition, info={"expert_action": envs.expert_actions()}))

    module = cloner(Late, updates_per_iteration=1)
    trainer(limit_val_batches=0).fit(module, stripes())
    with pytest.raises(AssertionError):
        assert_labels_belong_to_their_frames(module.buffer.get(torch.arange(len(module.buffer))))


def test_who_clones_keeps_the_experts_steps_alone_and_who_aggregates_all() -> None:
    clone, aggregate = cloner(), cloner(DAgger, decay=0.5)
    for module in (clone, aggregate):
        trainer(limit_val_batches=0).fit(module, stripes())
    assert len(clone.buffer) == 320
    assert len(aggregate.buffer) == 400  # all it has place for, of 640
    kept = clone.buffer.get(torch.arange(320))
    assert torch.equal(kept.action, kept.info["expert_action"])
    late = aggregate.buffer.get(torch.arange(400))
    by_expert = (late.action == late.info["expert_action"]).all(1).float().mean()
    assert 0.4 < float(by_expert) < 0.8  # half of the 320 last, all of the 80 before


def test_the_expert_drives_ever_more_seldom() -> None:
    module = cloner(DAgger, decay=0.5, expert_steps=100)
    never, clone = cloner(DAgger, decay=0.0, expert_steps=100), cloner(expert_steps=100)
    for steps, part in ((0, 1.0), (99, 1.0), (100, 0.5), (250, 0.25), (399, 0.125)):
        module.env_steps = never.env_steps = clone.env_steps = steps
        assert module.expert_part == part
        assert never.expert_part == clone.expert_part == float(steps < 100)


@pytest.mark.parametrize("continuous", [True, False])
@pytest.mark.parametrize(("cls", "jumps", "least"), [(BehaviouralCloning, 0.2, 28.0), (DAgger, 0.0, 31.0)])
def test_it_learns_to_steer_by_an_expert(cls: Any, jumps: float, least: float, continuous: bool) -> None:
    """Who does nothing has 19 and 17, the expert 30 and 34; who clones answers that come a step late has 27.

    Who clones must be shown the stripe everywhere; who aggregates comes there by himself.
    """
    module = cloner(cls, continuous=continuous, balance=0.0)
    run, environments = trainer(limit_val_batches=0), stripes(total_steps=960, env_kwargs={"jumps": jumps})
    run.fit(module, environments)
    [metrics] = run.test(module, datamodule=environments, verbose=False)
    assert metrics["test/return"] > least


def test_the_learner_drives_without_dropout_and_learns_with_it() -> None:
    class Watched(DAgger):
        modes: ClassVar[dict[str, set[bool]]] = {"acts": set(), "learns": set()}

        def act(self, observation: Tensor) -> Tensor:
            self.modes["acts"].add(self.network.training)
            return super().act(observation)

        def update(self, view: Tensor, action: Tensor) -> Tensor:
            self.modes["learns"].add(self.network.training)
            return super().update(view, action)

    trainer(limit_val_batches=0).fit(cloner(Watched, updates_per_iteration=1), stripes())
    assert Watched.modes == {"acts": {False}, "learns": {True}}


def test_black_frames_break_nothing() -> None:
    black = torch.zeros(3, 96, 96, 3, dtype=torch.uint8)
    for module in (BehaviouralCloning(), BehaviouralCloning(continuous=True)):
        assert torch.isfinite(module.eval().act(black)).all()


def test_actions_lie_in_their_bounds() -> None:
    module = BehaviouralCloning(continuous=True)
    outputs = torch.tensor([[-9.0, -9.0, 9.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(module.to_actions(outputs), torch.tensor([[-1.0, 0.0, 1.0], [0.0, 0.5, 0.5]]))
    keys = BehaviouralCloning().to_actions(torch.eye(7)[[4]])
    torch.testing.assert_close(keys, torch.tensor([[-1.0, 0.0, 0.3]]))


def test_the_loss_of_numbers_is_least_for_their_mean() -> None:
    """Of one pulse of the brake in four a quarter is learnt, and not that most frames have none."""
    module = BehaviouralCloning(continuous=True)
    outputs = torch.zeros(1, 3)  # steering 0, gas and brake .5
    assert float(module.loss(outputs, torch.tensor([[0.3, 0.5, 0.0]]))) == pytest.approx((0.3**2 + 0.5**2) / 3)
    actions = torch.tensor([[0.0, 0.5, float(i == 0)] for i in range(4)])
    half = torch.linspace(-2, 2, 401)  # (1 + tanh) / 2 of it is the brake
    losses = [float(module.loss(torch.tensor([[0.0, 0.0, x]]).expand(4, 3), actions)) for x in half]
    brake = (1 + torch.tanh(half[torch.tensor(losses).argmin()])) / 2
    assert float(brake) == pytest.approx(0.25, abs=0.01)


def test_a_disturbed_expert_steers_otherwise_than_is_learnt() -> None:
    """Slowly, with the deviation that was asked for; gas and brake stay, and so does what is learnt."""
    module = cloner(disturbance=0.2)
    wanted = torch.tensor([[0.0, 0.5, 0.1]]).expand(100, 3)
    off = torch.stack([module.disturbed(wanted) - wanted for _ in range(200)])
    assert not off[..., 1:].any()
    steering = off[..., 0]
    assert float(steering.std()) == pytest.approx(0.2, rel=0.05)
    assert float((steering[1:] * steering[:-1]).mean() / steering.square().mean()) == pytest.approx(0.9, abs=0.02)
    trainer(limit_val_batches=0).fit(module, stripes())
    kept = module.buffer.get(torch.arange(len(module.buffer)))
    differs = kept.action[:, 0] != kept.info["expert_action"][:, 0]
    assert differs.float().mean() > 0.5  # the stripe's expert often steers as far as he can
    assert_labels_belong_to_their_frames(kept)


def test_the_loss_of_keys_is_the_mean_over_frames_or_over_classes() -> None:
    logits = torch.zeros(3, 7)
    logits[:, 0] = 1.0
    actions = torch.tensor(KEYS)[[0, 0, 3]]
    whole = log(exp(1) + 6)
    common, rare = whole - 1, whole
    assert float(BehaviouralCloning(balance=0).loss(logits, actions)) == pytest.approx((2 * common + rare) / 3)
    assert float(BehaviouralCloning(balance=1).loss(logits, actions)) == pytest.approx((common + rare) / 2)
    by_root = (2 * common / 2**0.5 + rare) / (2 / 2**0.5 + 1)
    assert float(BehaviouralCloning(balance=0.5).loss(logits, actions)) == pytest.approx(by_root)


def test_a_mirror_changes_the_sides_of_frame_and_steering() -> None:
    module = cloner()
    view = torch.randint(256, (64, 1, 84, 84), dtype=torch.uint8)
    action = torch.tensor(KEYS)[torch.arange(64) % 7]
    seen, wanted = module.mirrored(view, action)
    turned = (seen != view).flatten(1).any(1)
    assert 16 < int(turned.sum()) < 48
    assert torch.equal(seen[turned], view[turned].flip(-1))
    assert torch.equal(seen[~turned], view[~turned])
    assert torch.equal(wanted[~turned], action[~turned])
    assert torch.equal(wanted[turned], action[turned] * torch.tensor([-1.0, 1.0, 1.0]))
    other = torch.tensor([0, 1, 2, 5, 6, 3, 4])
    assert torch.equal(keys_of(wanted[turned]), other[keys_of(action[turned])])


def test_training_and_driving_see_the_same() -> None:
    module, seen = cloner(mirror=False), []
    module.network.register_forward_pre_hook(lambda network, given: seen.append(given[0]))
    frames = torch.randint(256, (4, 96, 96, 3), dtype=torch.uint8)
    module.act(frames)
    module.look(grey_view(frames))
    assert torch.equal(*seen)


@pytest.mark.parametrize("cls", [BehaviouralCloning, DAgger])
def test_resuming_continues_the_unbroken_run(cls: Any, tmp_path: Path) -> None:
    """Cut while the expert drives, and while the learner does, in the middle of episodes."""
    paths = {step: tmp_path / f"{step}.ckpt" for step in (3, 14)}
    few = {"updates_per_iteration": 2, "disturbance": 0.2}
    unbroken = trainer(callbacks=[SaveAt(path, step, "train_batch") for step, path in paths.items()])
    module, environments = cloner(cls, **few), stripes(eval_episodes=1)
    unbroken.fit(module, environments)
    for path in paths.values():
        resumed, new_module, new_environments = trainer(), cloner(cls, 5, **few), stripes(eval_episodes=1)
        resumed.fit(new_module, new_environments, ckpt_path=path, weights_only=True)
        assert_same(everything(unbroken, module, environments), everything(resumed, new_module, new_environments))
    assert module.env_steps == 640


def test_what_does_not_fit_ends_in_one_line() -> None:
    with pytest.raises(UserError, match="balance is 2"):
        BehaviouralCloning(balance=2)
    with pytest.raises(UserError, match="disturbance is -1"):
        BehaviouralCloning(disturbance=-1)
    with pytest.raises(UserError, match="decay is 2"):
        DAgger(decay=2)
    with pytest.raises(UserError, match="batch_size"):
        BehaviouralCloning(batch_size=1)
    with pytest.raises(UserError, match=r"no expert to learn from: set train_env_kwargs\.expert"):
        trainer(limit_val_batches=0).fit(cloner(), stripes(train_env_kwargs=None))
    stack = {"class_path": "gymnasium.wrappers.FrameStackObservation", "init_args": {"stack_size": 2}}
    with pytest.raises(UserError, match="set num_frames to 2"):
        trainer(limit_val_batches=0).fit(cloner(), stripes(wrappers=[stack]))
