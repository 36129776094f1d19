"""Matrix capsules and EM routing against values worked out by hand, and that a small network learns."""

import math

import pytest
import pytorch_lightning as pl
import torch
from torch.distributions import Normal

from datamodules import DigitsDataModule
from dlmodules import MatrixCapsNetClassifier
from dlmodules.classifiers.matrix_capsules import (
    ClassMatrixCapsules,
    EMRouting,
    MatrixCapsules,
    Windows,
    fit_gaussians,
    inverse_temperature,
    responsibilities,
    spread_loss,
)
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer


def test_spread_loss_by_hand():
    activations = torch.tensor([[0.9, 0.5, 0.1], [0.2, 0.4, 0.3]])
    # first: the gaps are 0.4 and 0.8, so (0.5 - 0.4)^2; second: -0.2 and -0.1, so 0.7^2 + 0.6^2
    expected = (0.01 + 0.49 + 0.36) / 2
    assert spread_loss(activations, torch.tensor([0, 0]), margin=0.5).item() == pytest.approx(expected)


def test_gaussians_by_hand():
    # Votes 1 and 3 of weights 1 and 3: mean 10/4, variance (2.25 + 3 * 0.25) / 4, mass 4.
    votes = torch.tensor([1.0, 3.0]).view(1, 1, 2, 1, 1, 1)
    mean, variance, squared, mass = fit_gaussians(votes, torch.tensor([1.0, 3.0]).view(1, 1, 2, 1, 1))
    assert (mean.item(), mass.item()) == (pytest.approx(2.5), 4.0)
    assert variance.item() == pytest.approx(0.75, abs=2e-4)
    assert squared.flatten().tolist() == pytest.approx([2.25, 0.25])


def test_the_places_of_a_capsule_in_different_windows_know_each_other():
    windows = Windows(1, 3, (1, 2), stride=1)  # windows of the cells 0, 1 and of 1, 2
    assert (windows.height, windows.width) == (1, 2)
    assert windows.cells.tolist() == [[0, 1], [1, 2]]
    assert windows.siblings.tolist() == [[0, 4], [1, 2], [1, 2], [3, 4]]
    assert windows(torch.tensor([[7, 8, 9]])).tolist() == [[[7, 8], [8, 9]]]


def test_a_capsule_is_shared_out_by_density_and_activation_over_all_windows():
    torch.manual_seed(0)
    windows = Windows(1, 3, (1, 2), stride=1)
    votes = torch.randn(1, 2, 2, 1, 2, 3)
    mean, variance = torch.randn(1, 2, 2, 3), torch.rand(1, 2, 2, 3) + 0.5
    log_activation = torch.rand(1, 2, 2).log()
    squared = (votes - mean[:, :, None, None]).square()
    found = responsibilities(squared, variance, log_activation, windows.siblings)[0, :, :, 0]  # (window, place, upper)
    density = Normal(mean[:, :, None, None], variance.sqrt()[:, :, None, None]).log_prob(votes).sum(dim=5)
    weight = (density + log_activation[:, :, None, None]).exp()[0, :, :, 0]
    torch.testing.assert_close(found[0, 0], weight[0, 0] / weight[0, 0].sum())  # cell 0 is in the first window alone
    both = weight[0, 1].sum() + weight[1, 0].sum()  # cell 1 is the second of one window and the first of the other
    torch.testing.assert_close(found[0, 1], weight[0, 1] / both)
    torch.testing.assert_close(found[1, 0], weight[1, 0] / both)


def test_one_iteration_is_the_m_step_of_equal_shares_by_hand():
    windows = Windows(1, 2, (1, 2), stride=1)
    routing = EMRouting(1, 1, windows)
    torch.nn.init.constant_(routing.beta_u, 0.5)
    torch.nn.init.constant_(routing.beta_a, 2.0)
    votes = torch.tensor([1.0, 3.0]).view(1, 1, 2, 1, 1, 1).expand(-1, -1, -1, -1, -1, 2)
    poses, active = routing(votes, torch.tensor([0.5, 1.0]).view(1, 1, 2, 1))
    # One parent: shares of 1, so weights 0.5 and 1, mean 7/3, variance (0.5 * 16/9 + 4/9) / 1.5 = 8/9 in both numbers.
    assert poses.flatten().tolist() == pytest.approx([7 / 3, 7 / 3])
    cost = 2 * 1.5 * (0.5 + 0.5 * math.log(8 / 9 + 1e-4))
    assert active.item() == pytest.approx(1 / (1 + math.exp(-inverse_temperature(0, 0.01) * (2.0 - cost))), abs=1e-6)


def test_a_lone_capsule_of_two_parents_gives_each_half():
    routing = EMRouting(2, 1, Windows(1, 1, (1, 1), stride=1))
    _, active = routing(torch.zeros(1, 1, 1, 1, 2, 1), torch.ones(1, 1, 1, 1))
    cost = 0.5 * 0.5 * math.log(1e-4)  # a mass of one half, a vote that agrees with itself
    expected = 1 / (1 + math.exp(inverse_temperature(0, 0.01) * cost))
    assert active[0, 0].tolist() == pytest.approx([expected] * 2, abs=1e-6)


def test_the_upper_capsule_whose_votes_agree_becomes_the_active_one():
    torch.manual_seed(0)
    votes = torch.randn(1, 1, 9, 4, 2, 16)
    votes[..., 0, :] *= 0.1
    routing = EMRouting(2, 3, Windows(3, 3, (3, 3), stride=1))
    _, active = routing(votes, torch.ones(1, 1, 9, 4))
    assert active[0, 0, 0] > active[0, 0, 1] + 0.05


def test_a_vote_is_the_pose_times_the_matrix():
    layer = MatrixCapsules(1, 1, lower=1, upper=1, iterations=1, kernel_size=1)
    pose, weight = torch.randn(4, 4), layer.weight[0, 0, 0]
    found, _ = layer(pose.view(1, 1, 1, 16), torch.ones(1, 1, 1))
    torch.testing.assert_close(found.view(4, 4), pose @ weight)


def test_a_vote_for_a_class_says_where_it_comes_from():
    layer = ClassMatrixCapsules(2, 2, lower=1, classes=1, iterations=1)
    activations = torch.zeros(1, 4, 1)
    activations[0, 2] = 1.0  # the second row's first column alone: its centre is (0.75, 0.25)
    found = layer(torch.zeros(1, 4, 1, 16), activations)[0].view(4, 4)
    assert found[0, 3].item() == pytest.approx(0.75)
    assert found[1, 3].item() == pytest.approx(0.25)
    assert found.abs().sum().item() == pytest.approx(1.0)


def test_the_margin_grows_from_02_to_09_in_training_and_stays_in_evaluation(monkeypatch):
    module = MatrixCapsNetClassifier(capsules=(1, 1, 1), margin_steps=100)
    margins = []
    for step in (0, 50, 100, 1000):
        monkeypatch.setattr(type(module), "global_step", step)
        margins.append(module.margin)
    assert margins == pytest.approx([0.2, 0.55, 0.9, 0.9])
    monkeypatch.setattr(type(module), "global_step", 0)
    activations, y = torch.tensor([[0.6, 0.1] + [0.0] * 8]), torch.tensor([0])
    assert module.train().loss(activations, y).item() == 0
    assert module.eval().loss(activations, y).item() > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"iterations": 0}, "iterations is 0; it must be 1 or more"),
        ({"capsules": (4, 4)}, "capsules has 2 numbers"),
        ({"margin_steps": 0}, "margin_steps is 0"),
        ({"sharpness": 0.0}, "sharpness is 0.0; it must be more than 0"),
        ({"input_shape": (1, 16, 16)}, "17x17 or more, not 16x16"),
    ],
)
def test_what_cannot_be_built_is_named(arguments, words):
    with pytest.raises(UserError, match=words):
        MatrixCapsNetClassifier(**arguments)


def test_the_smaller_of_the_papers_networks_has_its_68_thousand_parameters():
    # The paper counts the two channels and five classes of smallNORB.
    module = MatrixCapsNetClassifier((2, 32, 32), 5, channels=64, capsules=(8, 16, 16))
    assert sum(p.numel() for p in module.parameters()) == 68_754


@pytest.mark.learning
@pytest.mark.slow
def test_it_reads_held_out_digits(tmp_path):
    pl.seed_everything(0)
    trainer = quiet_trainer(max_epochs=4, default_root_dir=tmp_path)
    module = MatrixCapsNetClassifier(
        (1, 24, 24), channels=16, capsules=(4, 4, 4), sharpness=0.05, margin_steps=400,
        optimizer=lambda p: torch.optim.Adam(p, lr=3e-3),
    )  # fmt: skip
    data = DigitsDataModule(batch_size=32, image_size=24)
    trainer.fit(module, data)
    assert trainer.test(module, data, verbose=False)[0]["test/accuracy"] > 0.6


def test_gradients_repeat_with_several_threads():
    torch.manual_seed(0)
    module = MatrixCapsNetClassifier(channels=32, capsules=[4, 8, 8])
    x, y = torch.rand(8, 1, 28, 28), torch.arange(8)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        runs = []
        for _ in range(3):
            module.zero_grad()
            module.loss(module(x), y).backward()
            runs.append(torch.cat([weight.grad.flatten() for weight in module.parameters()]))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(runs[0], runs[1])
    assert torch.equal(runs[0], runs[2])
