import importlib.util

import pytest
import torch
from torch import nn

from callbacks import Saliency
from callbacks.base.captions import captioned_grid
from callbacks.base.overlays import above_maps
from callbacks.classifiers.saliency import saliency_maps
from datamodules import DigitsDataModule
from dlmodules import MLPClassifier
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, ToyVAE, random_states, trainer
from tests.callbacks.classifier_toys import Named, Reader, batches

pytest.importorskip("captum", reason="captum is not installed: pip install -e '.[explain]'")


class Corners(nn.Module):
    """Class 0 is the mean brightness, found by a convolution that keeps what is bright; class 1 is never read."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1)
        with torch.no_grad():
            self.conv.weight[:, 0, 0, 0] = torch.tensor([1.0, -1.0])
            self.conv.bias.zero_()
        self.relu = nn.ReLU(inplace)
        self.squeeze = nn.Conv2d(2, 2, 1)  # after the pooling: it says nothing of where
        with torch.no_grad():
            self.squeeze.weight[:, :, 0, 0] = torch.eye(2)
            self.squeeze.bias.zero_()

    def forward(self, x):
        return self.squeeze(self.relu(self.conv(x)).mean(dim=(2, 3), keepdim=True)).flatten(1)


def bright(row, column):
    image = torch.zeros(1, 4, 4)
    image[0, row, column] = 1.0
    return image


@pytest.mark.parametrize("inplace", [False, True])
def test_grad_cam_by_hand(inplace):
    """The gradient of the mean is 1/16 at the bright place and, where ReLU is off, 0: on average 1/256.

    The activations of the convolution are the image.
    """
    images = torch.stack([bright(0, 0), bright(3, 3)])
    maps, logits = saliency_maps(Corners(inplace).eval(), images)
    assert torch.allclose(maps, images / 256)
    assert torch.allclose(logits, torch.tensor([[1 / 16, 0.0]] * 2))


def test_grad_cam_is_spread_over_the_image_where_the_maps_are_smaller():
    class Small(Corners):
        def forward(self, x):
            return super().forward(nn.functional.avg_pool2d(x, 2))

    maps, _ = saliency_maps(Small().eval(), bright(0, 0).unsqueeze(0))
    assert maps.shape == (1, 1, 4, 4)
    assert maps[0, 0, :2, :2].sum() > 0.5 * maps.sum()
    assert maps.argmax() == 0


def test_a_net_without_convolutions_is_shown_by_its_gradient():
    """Of a linear net the gradient is the row of weights, whatever the image."""
    linear = nn.Linear(16, 2)
    with torch.no_grad():
        linear.weight.zero_()
        linear.weight[1, 15], linear.weight[0, 0] = -3.0, 7.0
        linear.bias.copy_(torch.tensor([0.0, 1.0]))
    maps, _ = saliency_maps(nn.Sequential(nn.Flatten(), linear), torch.zeros(2, 1, 4, 4))
    expected = torch.zeros(4, 4)
    expected[3, 3] = 3.0
    assert torch.equal(maps[0, 0], expected)
    # The strongest of the channels counts.
    maps, _ = saliency_maps(nn.Sequential(nn.Flatten(), linear), torch.zeros(1, 4, 2, 2))
    assert maps[0, 0].tolist() == [[0.0, 0.0], [0.0, 3.0]]


def test_a_layer_can_be_named_and_a_frozen_net_is_shown():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1), nn.Flatten())
    net.append(nn.Linear(64, 3)).requires_grad_(False)
    images = torch.rand(2, 1, 4, 4)
    last, _ = saliency_maps(net, images)
    assert torch.equal(saliency_maps(net, images, "2")[0], last)
    assert not torch.equal(saliency_maps(net, images, "0")[0], last)
    with pytest.raises(UserError, match="layer '4' makes no maps"):
        saliency_maps(net, images, "4")


def test_nothing_is_left_in_the_net():
    net = Corners().eval()
    saliency_maps(net, torch.rand(2, 1, 4, 4))
    assert all(parameter.grad is None for parameter in net.parameters())
    assert not any(part._forward_hooks or part._backward_hooks for part in net.modules())


def test_each_map_has_its_own_scale_and_one_of_nothing_stays_dark():
    images = torch.zeros(2, 1, 1, 2)
    maps = torch.tensor([[4.0, 1.0], [0.0, 0.0]]).view(2, 1, 1, 2)
    tiles = above_maps(images, maps)
    assert tiles.shape == (2, 3, 3, 2)  # the image, a white line, the map
    assert (tiles[:, :, 0] == 0).all()
    assert (tiles[:, :, 1] == 1).all()
    assert tiles[0, 0, 2, 0] > 0.6  # the bright end of the colours
    assert tiles[1, :, 2].max() < 0.02


class Corner(Reader):
    def __init__(self):
        super().__init__(num_classes=2)
        self.net = Corners()

    def forward(self, x):
        return self.net(x)


def test_pictures_of_a_training_a_validation_and_a_test(tmp_path):
    logger = ImageLogger()
    images = torch.stack([bright(0, 0), bright(3, 3), bright(1, 1)])
    data = Named(batches(images, [0, 1, 0]), batches(images, [0, 0, 0]))
    runs = trainer(tmp_path, Saliency(num=2, columns=2), logger=logger)
    module = Corner()
    runs.fit(module, datamodule=data)
    runs.validate(module, datamodule=data, verbose=False)
    runs.test(module, datamodule=data, verbose=False)
    assert [name for name, *_ in logger.pictures] == ["saliency", "saliency", "test/saliency"]
    tiles = above_maps(images[:2], images[:2])
    expected = captioned_grid(tiles, ["cat (52%)", "dog, read as\ncat (52%)"], columns=2)
    for _, picture, _ in logger.pictures[:2]:
        assert (picture == expected).all()
    assert (logger.pictures[2][1] == captioned_grid(tiles, ["cat (52%)"] * 2, columns=2)).all()


@pytest.mark.parametrize("precision", ["32-true", "bf16-true", "bf16-mixed"])
def test_training_is_the_same_with_and_without_it(tmp_path, precision):
    ends = []
    for callbacks in ([], [Saliency(num=3)]):
        torch.manual_seed(0)
        module = MLPClassifier(hidden_dims=(16,))
        data = DigitsDataModule(batch_size=64, limit_train=128)
        trainer(tmp_path, *callbacks, max_epochs=2, precision=precision).fit(module, data)
        ends.append((module.network.head.weight.tolist(), random_states()))
    assert ends[0] == ends[1]
    assert len(list((tmp_path / "media").glob("saliency-*.png"))) == 2


def test_mistakes_of_the_user(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"Saliency needs a classifier, .*; ToyVAE is none"):
        Saliency().setup(trainer(tmp_path), ToyVAE(), "fit")
    with pytest.raises(UserError, match=r"there is no layer 'net\.con'; the convolutions are: net\.conv, net\.squeeze"):
        Saliency(layer="net.con").setup(trainer(tmp_path), Corner(), "fit")
    with pytest.raises(UserError, match="at least 1 image"):
        Saliency(num=0)
    with pytest.raises(UserError, match="columns must be 1 or more"):
        Saliency(columns=0)
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "captum" else found(name))
    with pytest.raises(UserError, match=r'Saliency needs captum: pip install "\.\[explain\]" in a checkout'):
        Saliency()
