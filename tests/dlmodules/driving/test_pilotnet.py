"""PilotNet: its size, what it sees, its loss and metrics by hand, where it looks, and that it learns to steer."""

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from datamodules import RoadFramesDataModule
from dlmodules import PilotNet
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer


class Brightness(nn.Module):
    """Steers by how bright its planes are in the mean."""

    def forward(self, planes):
        return planes[:, :1].mean(dim=(2, 3))


def grey(*levels):
    """Frames of one grey each."""
    return torch.tensor(levels).view(-1, 1, 1, 1).expand(-1, 3, 12, 20)


def test_parameter_count():
    """Five convolutions of a bias each, then 1,152 features to 100, 50, 10 units and one."""
    convolutions = (3 * 25 + 1) * 24 + (24 * 25 + 1) * 36 + (36 * 25 + 1) * 48 + (48 * 9 + 1) * 64
    convolutions += (64 * 9 + 1) * 64
    connected = 1153 * 100 + 101 * 50 + 51 * 10 + 11
    found = sum(p.numel() for p in PilotNet().parameters())
    assert found == convolutions + connected == 252_219


def test_what_it_sees_of_grey_and_of_colours():
    module = PilotNet(crop_top=0.0)
    black, white = module.planes(grey(0.0, 1.0))
    assert black.shape == (3, 66, 200)
    assert torch.allclose(black, torch.tensor([-1.0, 0.0, 0.0]).view(3, 1, 1).expand(3, 66, 200), atol=1e-5)
    assert torch.allclose(white, torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1).expand(3, 66, 200), atol=1e-4)
    red = torch.zeros(1, 3, 12, 20)
    red[:, 0] = 1.0
    assert module.planes(red)[0, :, 0, 0].tolist() == pytest.approx([2 * 0.299 - 1, 2 * -0.14713, 2 * 0.615])


def test_the_top_is_cut_off():
    frames = torch.zeros(1, 3, 9, 30)
    frames[:, :, :3] = 1.0
    assert PilotNet(crop_top=1 / 3).planes(frames).mean(dim=(0, 2, 3))[0].item() == pytest.approx(-1.0)
    assert PilotNet(crop_top=0.0).planes(frames).mean(dim=(0, 2, 3))[0].item() == pytest.approx(-1 / 3, abs=0.02)
    assert PilotNet(crop_top=0.99).planes(frames).shape == (1, 3, 66, 200)  # a row is left


@pytest.mark.parametrize("size", [(66, 200), (120, 160), (480, 640), (1, 1)])
def test_any_camera_will_do(size):
    assert PilotNet()(torch.rand(2, 3, *size)).shape == (2,)


def test_the_loss_by_hand():
    """Answers of -0.5 and 2 for 0.5 and 1: a half of 1 and 1. What is beyond the wheel's range is learned from."""
    module = PilotNet(network=nn.Identity())
    assert module.loss(torch.tensor([-0.5, 2.0]), torch.tensor([0.5, 1.0])).item() == 1.0


def test_metrics_by_hand(tmp_path):
    """Greys 0, .5 and .75 are answers of -1, 0 and .5, for -1, .5 and 0: absolute errors of 0, .5 and .5.

    Squared they are 0, 1/4 and 1/4, of a variation about the mean -1/6 of 25/36 + 16/36 + 1/36.
    """
    frames, steering = grey(0.0, 0.5, 0.75), torch.tensor([-1.0, 0.5, 0.0])
    module = PilotNet(network=Brightness())
    trainer = quiet_trainer(default_root_dir=tmp_path)
    found = trainer.test(module, DataLoader(TensorDataset(frames, steering), batch_size=2), verbose=False)[0]
    assert found["test/mae"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["test/r2"] == pytest.approx(1 - 0.5 / (42 / 36), abs=1e-3)
    one = DataLoader(TensorDataset(frames[:1], steering[:1]))
    assert set(trainer.test(module, one, verbose=False)[0]) == {"test/mae"}


def test_the_wheel_has_an_end():
    class Far(Brightness):
        def forward(self, planes):
            return 5 * super().forward(planes)

    frames = grey(0.0, 0.5, 1.0)
    module = PilotNet(network=Far())
    assert module(frames).tolist() == pytest.approx([-5.0, 0.0, 5.0], abs=1e-3)
    assert module.steer(frames).tolist() == pytest.approx([-1.0, 0.0, 1.0], abs=1e-3)
    assert module.predict_step((frames, torch.zeros(3)), 0).tolist() == module.steer(frames).tolist()


def test_it_looks_at_what_is_bright_in_its_maps_and_not_at_what_is_cut_off():
    """A network of one convolution that adds up the brightness."""
    convolution = nn.Conv2d(3, 1, 1)
    with torch.no_grad():
        convolution.weight.copy_(torch.tensor([0.5, 0.0, 0.0]).view(1, 3, 1, 1))
        convolution.bias.fill_(0.5)
    module = PilotNet(crop_top=0.5, network=nn.Sequential(convolution, nn.Flatten(), nn.Linear(66 * 200, 1)))
    frames = torch.zeros(2, 3, 66, 100)
    frames[0, :, 50:60, 70:80] = 1.0
    frames[1, :, :33] = 1.0
    maps = module.saliency(frames)
    assert maps.shape == (2, 1, 66, 100)
    assert maps[0, 0, 52:58, 72:78].min() > 0.9
    assert maps[0, 0, 40:48, :60].max() < 0.01
    assert maps[:, :, :33].max() == 0.0


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        (torch.rand(2, 1, 8, 8), r"PilotNet takes frames \(B, 3, height, width\), .*, not float32 \[2, 1, 8, 8\]"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), r"not uint8 \[2, 3, 8, 8\]"),
        (torch.rand(2, 5), r"not float32 \[2, 5\]"),
    ],
)
def test_what_are_no_frames_is_refused(frames, words):
    with pytest.raises(UserError, match=words):
        PilotNet().training_step((frames, torch.zeros(2)), 0)


def test_wrong_arguments_and_targets_are_named():
    with pytest.raises(UserError, match=r"crop_top is 1.0; it must be a part of the height in \[0, 1\)"):
        PilotNet(crop_top=1.0)
    with pytest.raises(UserError, match=r"dropout is 1\.5"):
        PilotNet(dropout=1.5)
    with pytest.raises(UserError, match="activation 'swish' is unknown"):
        PilotNet(activation="swish")
    with pytest.raises(UserError, match=r"the targets are \[2, 1\]; PilotNet needs one number per frame"):
        PilotNet().training_step((torch.rand(2, 3, 8, 8), torch.zeros(2, 1)), 0)


@pytest.mark.learning
def test_it_learns_to_steer(tmp_path):
    """On roads that it has not seen; the mean steering has an error of 0.5 and explains nothing."""
    pl.seed_everything(0)
    data = RoadFramesDataModule(400, val_size=0, batch_size=16, height=60, width=80)
    module = PilotNet()
    trainer = quiet_trainer(max_epochs=6, default_root_dir=tmp_path)
    trainer.fit(module, data)
    found = trainer.test(module, data, verbose=False)[0]
    assert found["test/mae"] < 0.12
    assert found["test/r2"] > 0.9
