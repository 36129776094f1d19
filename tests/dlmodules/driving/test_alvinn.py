"""ALVINN: its size, its bump and its reading of it by hand, what it remembers, and that it learns roads."""

import math

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, TensorDataset

from datamodules import EnvironmentDataModule, SyntheticRoadsDataModule
from dlmodules import ALVINN
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer


class Told(ALVINN):
    """Answers with what the first 46 inputs say."""

    def forward(self, x):
        return x[:, :46]


def hill(*values, at):
    """Outputs that are 0 but for ``values`` from unit ``at`` on."""
    outputs = torch.zeros(1, 46)
    outputs[0, at : at + len(values)] = torch.tensor(values)
    return outputs


def rows(outputs):
    return torch.cat([outputs, torch.zeros(len(outputs), 1217 - 46)], dim=1)


def test_weight_count():
    """1,217 inputs and a bias to 29 units, and these and a bias to 46."""
    assert sum(p.numel() for p in ALVINN().parameters()) == 1218 * 29 + 30 * 46 == 36_702


def test_the_bump_by_hand():
    """A steering of 0 is unit 22, and 1/44 beyond it lies half way to unit 23."""
    module = ALVINN()
    targets = module.targets(torch.tensor([[0.0, 1.0], [1 / 44, 0.0], [-1.0, 0.0]]))
    assert targets.shape == (3, 46)
    bump = [math.exp(-(distance**2) / 10) for distance in range(5)]
    assert targets[0, 22:27].tolist() == pytest.approx(bump)
    assert targets[0, 18:23].tolist() == pytest.approx(bump[::-1])
    assert targets[1, 22].item() == targets[1, 23].item() == pytest.approx(math.exp(-0.025))
    assert targets[2, :5].tolist() == pytest.approx(bump)
    assert targets[:, 45].tolist() == [1.0, 0.0, 0.0]
    assert ALVINN(bump=2.0).targets(torch.zeros(1, 2))[0, 24].item() == pytest.approx(math.exp(-2.0))


def test_the_loss_by_hand():
    """All outputs 0, where the targets are: the squares of the bump and of the intensity."""
    module, y = ALVINN(), torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    squares = module.targets(y).square().sum(dim=1)
    assert squares[0] - squares[1] == pytest.approx(1.0)
    assert module.loss(torch.zeros(2, 46), y).item() == pytest.approx(squares.mean().item())
    assert module.loss(module.targets(y), y).item() == 0.0


@pytest.mark.parametrize(
    ("outputs", "unit"),
    [
        (hill(1.0, at=22), 22),
        (hill(0.5, 1.0, 0.5, at=10), 11),
        (hill(0.6, 0.6, at=30), 30.5),
        (hill(0.2, 0.8, at=0), 0.8),
        (hill(1.0, at=44), 44),
        # What is five units from the highest, and what is lower elsewhere, does not pull.
        (hill(1.0, 0.0, 0.0, 0.0, 0.0, 0.9, at=20), 20),
        (hill(1.0, at=20) + hill(0.9, at=40), 20),
        (hill(1.0, 0.0, 0.0, 0.0, 1.0, at=20), 22),
    ],
)
def test_it_steers_for_the_middle_of_the_hill(outputs, unit):
    outputs[0, 45] = 5.0  # of the intensity, which is no curvature
    assert ALVINN().steering_of(outputs).item() == pytest.approx(unit / 22 - 1, abs=1e-6)


def test_what_it_is_asked_for_is_what_it_reads():
    steering = torch.linspace(-0.8, 0.8, 50)
    module = ALVINN()
    targets = module.targets(torch.stack([steering, torch.zeros(50)], dim=1))
    assert (module.steering_of(targets) - steering).abs().max() < 0.4 / 22


def test_metrics_by_hand(tmp_path):
    """Units 22, 25 and 22 for 20, 22 and 40: two of two are within, three and eighteen are not."""
    outputs = torch.cat([hill(1.0, at=22), hill(1.0, at=25), hill(1.0, at=22)])
    outputs[:, 45] = torch.tensor([0.9, 0.9, 0.1])
    y = torch.stack([torch.tensor([20.0, 22.0, 40.0]) / 22 - 1, torch.tensor([1.0, 0.0, 0.0])], dim=1)
    trainer = quiet_trainer(default_root_dir=tmp_path)
    data = DataLoader(TensorDataset(rows(outputs), y), batch_size=2)
    found = trainer.test(Told(), data, verbose=False)[0]
    assert found["test/within_2"] == pytest.approx(1 / 3)
    assert found["test/mae"] == pytest.approx((2 + 3 + 18) / 3 / 22)
    assert found["test/lighter"] == pytest.approx(2 / 3)


def test_what_it_says_of_the_road_comes_back_with_the_next_frame():
    module = ALVINN().eval()
    seen = torch.rand(2, 1216)
    steering, lighter = module.drive(seen)
    first = module(torch.cat([seen, torch.full((2, 1), 0.5)], dim=1))
    assert torch.equal(steering, module.steering_of(first))
    assert torch.equal(lighter, first[:, 45])
    again, after = module.drive(seen, lighter)
    second = module(torch.cat([seen, lighter.unsqueeze(1)], dim=1))
    assert torch.equal(again, module.steering_of(second))
    assert torch.equal(after, second[:, 45])
    assert not torch.equal(first, second)


def test_what_does_not_fit_is_named():
    with pytest.raises(UserError, match=r"the inputs are \[5\] but ALVINN was built for \[1217\]"):
        ALVINN().training_step((torch.rand(2, 5), torch.zeros(2, 2)), 0)
    with pytest.raises(UserError, match=r"the targets are \[2\]; ALVINN needs two numbers per row"):
        ALVINN().training_step((torch.rand(2, 1217), torch.zeros(2)), 0)
    with pytest.raises(UserError, match="hidden_dim is 0"):
        ALVINN(hidden_dim=0)
    with pytest.raises(UserError, match=r"bump is 0\.0"):
        ALVINN(bump=0.0)


def driven(module, seed, farthest=math.inf):
    """Let it drive so far along a loop: whether it comes around, and how many metres."""
    road = EnvironmentDataModule("dlmodules/ALVINNRoad-v0").make_env()
    (seen, info), lighter, metres, ended = road.reset(seed=seed), None, 0.0, False
    while not ended and metres < farthest:
        with torch.no_grad():
            steering, lighter = module.eval().drive(torch.from_numpy(seen)[None], lighter)
        seen, came, ended, _, info = road.step(steering.numpy())
        metres += came
    return info["around"], metres


@pytest.mark.learning
def test_it_learns_to_keep_to_the_road_and_drives_around_a_loop(tmp_path):
    """Whoever always steers the same is right on a tenth of the roads, and drives a few metres."""
    pl.seed_everything(0)
    data = SyntheticRoadsDataModule(val_size=0, test_size=300)
    module = ALVINN()
    trainer = quiet_trainer(max_epochs=25, default_root_dir=tmp_path)
    trainer.fit(module, data)
    found = trainer.test(module, data, verbose=False)[0]
    assert found["test/within_2"] > 0.8
    assert found["test/lighter"] > 0.95
    around, _ = driven(module, seed=0)
    assert around


@pytest.mark.learning
def test_it_comes_back_to_the_middle_though_its_driver_never_left_it(tmp_path):
    """By frames that are shifted and turned, with the steering that leads back.

    Who drives straight on has an error of a half; where the steering of the shift has its sign the wrong way it is 0.4,
    where both have it 0.7, and the car leaves the road.
    """
    pl.seed_everything(0)
    data = SyntheticRoadsDataModule(
        32, num_images=600, val_size=0, test_size=300, driver=True, shift=1.5, turn=20.0, mirror=True
    )
    module = ALVINN(optimizer=lambda p: torch.optim.Adam(p, lr=3e-3))
    trainer = quiet_trainer(max_epochs=25, default_root_dir=tmp_path)
    trainer.fit(module, data)
    assert trainer.test(module, data, verbose=False)[0]["test/mae"] < 0.3
    for seed in (0, 1):
        _, metres = driven(module, seed, farthest=100.0)
        assert metres >= 100.0
