from math import exp, log

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from datamodules.rollouts.rollouts import frames_to_images
from dlmodules.driving.cloning import BehaviouralCloning, CloningNetwork, grey_view
from dlmodules.errors import UserError
from dlmodules.protocols.driving_keys import NAMES, actions_of, keys_of
from tests.quiet import quiet_trainer


class Recorder(nn.Module):
    """Keeps what it is shown, and always answers ``right and brake``."""

    def forward(self, view: Tensor) -> Tensor:
        self.seen = view
        return torch.eye(7)[[6] * len(view)]


def coloured_frames(n: int) -> np.ndarray:
    """Return frames ``(n, 96, 96, 3)`` uint8 of any colours."""
    return np.random.default_rng(0).integers(0, 256, (n, 96, 96, 3), dtype=np.uint8)


def test_the_network_has_the_books_parameters() -> None:
    assert sum(p.numel() for p in CloningNetwork().parameters()) == 455_831
    assert CloningNetwork()(torch.rand(2, 1, 84, 84)).shape == (2, 7)


def test_the_bar_and_the_sides_are_cut_off_and_the_rest_is_grey() -> None:
    frame = np.zeros((1, 96, 96, 3), dtype=np.uint8)
    frame[0, 0, 6], frame[0, 83, 89], frame[0, 40, 50] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    frame[0, 84:], frame[0, :, :6], frame[0, :, 90:] = 255, 255, 255
    view = grey_view(torch.from_numpy(frame))
    assert view.shape == (1, 1, 84, 84)
    found = {(int(y), int(x)): round(float(view[0, 0, y, x]), 3) for y, x in view[0, 0].nonzero()}
    assert found == {(0, 0): 0.299, (83, 83): 0.587, (40, 44): 0.114}


def test_training_and_driving_see_the_same() -> None:
    frames = coloured_frames(4)
    module = BehaviouralCloning(mirror=False, network=Recorder())
    module(frames_to_images(frames))  # as the data module gives them
    trained_on = module.network.seen
    actions = module.act(torch.from_numpy(frames))
    torch.testing.assert_close(module.network.seen, trained_on)
    torch.testing.assert_close(actions, torch.tensor([[1.0, 0.0, 0.3]]).expand(4, 3))


def test_the_loss_is_the_mean_over_frames_or_over_classes() -> None:
    logits = torch.zeros(3, 7)
    logits[:, 0] = 1.0
    keys = torch.tensor([0, 0, 3])
    whole = log(exp(1) + 6)
    common, rare = whole - 1, whole
    assert float(BehaviouralCloning(balance=0).loss(logits, keys)) == pytest.approx((2 * common + rare) / 3)
    assert float(BehaviouralCloning(balance=1).loss(logits, keys)) == pytest.approx((common + rare) / 2)
    by_root = (2 * common / 2**0.5 + rare) / (2 / 2**0.5 + 1)
    assert float(BehaviouralCloning(balance=0.5).loss(logits, keys)) == pytest.approx(by_root)


def test_a_mirror_changes_the_sides_of_frame_and_keys() -> None:
    torch.manual_seed(0)
    view, keys = torch.rand(64, 1, 84, 84), torch.arange(64) % 7
    seen, pressed = BehaviouralCloning().mirrored(view, keys)
    turned = (seen != view).flatten(1).any(1)
    assert 16 < int(turned.sum()) < 48
    assert torch.equal(seen[turned], view[turned].flip(-1))
    assert torch.equal(seen[~turned], view[~turned])
    assert torch.equal(pressed[~turned], keys[~turned])
    steering, *others = actions_of(keys[turned]).unbind(1)
    mirrored = torch.stack([-steering, *others], 1)
    assert torch.equal(pressed[turned], keys_of(mirrored))


def roads(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return frames ``(n, 3, 96, 96)`` of a bright road in noise, and the actions that lead to it."""
    draw = torch.Generator().manual_seed(seed)
    frames = 0.5 * torch.rand(n, 3, 96, 96, generator=draw)
    keys = torch.tensor([NAMES.index(name) for name in ("gas", "left", "right")])[torch.arange(n) % 3]
    for frame, key in zip(frames, keys.tolist(), strict=True):
        start = {"left": 12, "gas": 40, "right": 68}[NAMES[key]]
        frame[:, 20:80, start : start + 16] += 0.4
    return frames, actions_of(keys)


def test_it_learns_to_steer_to_the_road(tmp_path) -> None:
    torch.manual_seed(0)
    module = BehaviouralCloning(dropout=0.2)
    trainer = quiet_trainer(max_epochs=6, default_root_dir=tmp_path)
    trainer.fit(module, DataLoader(TensorDataset(*roads(192, 1)), batch_size=32, shuffle=True))
    frames, actions = roads(60, 2)
    found = module.eval().act(frames.mul(255).byte().movedim(1, -1))
    assert float((found == actions).all(1).float().mean()) > 0.9  # a third by chance


def test_what_does_not_fit_ends_in_one_line() -> None:
    with pytest.raises(UserError, match="balance is 2"):
        BehaviouralCloning(balance=2)
    with pytest.raises(UserError, match=r"not uint8 \[1, 64, 64, 3\]: set size to 96"):
        BehaviouralCloning().act(torch.zeros(1, 64, 64, 3, dtype=torch.uint8))
    with pytest.raises(UserError, match=r"set --data\.view actions"):
        BehaviouralCloning().training_step((torch.zeros(2, 3, 96, 96), torch.zeros(2)), 0)
