"""VisualBackProp by hand, and what it needs."""

import pytest
import torch
from torch import nn

from dlmodules.driving.visual_backprop import visual_backprop
from dlmodules.errors import UserError


def ones(channels: int, kernel: int, stride: int = 1, padding: int = 0) -> nn.Conv2d:
    """A convolution that adds what it sees."""
    layer = nn.Conv2d(channels, 1, kernel, stride, padding)
    with torch.no_grad():
        layer.weight.fill_(1.0)
        layer.bias.zero_()
    return layer


def test_two_layers_by_hand():
    """Of a row 0 0 1 0 0 0 three-wide sums are 1 1 1 0, and of these two-wide ones 2 2 1.

    In parts of the largest they are 1, 1 and 1/2. Spread over the places that they come from they are 1 2 1.5 .5,
    times 1 1 1 0 and in parts of the largest .5 1 .75 0, spread .5 1.5 2.25 1.75 .75 0: in parts of 2.25.
    """
    image = torch.tensor([0.0, 0, 1, 0, 0, 0]).view(1, 1, 1, 6)
    first, second = nn.Conv2d(1, 1, (1, 3)), nn.Conv2d(1, 1, (1, 2))
    for layer in (first, second):
        torch.nn.init.ones_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    found = visual_backprop(nn.Sequential(first, nn.ReLU(), second, nn.Flatten()), image)
    assert found.flatten().tolist() == pytest.approx([value / 2.25 for value in (0.5, 1.5, 2.25, 1.75, 0.75, 0)])


def test_what_a_layer_does_not_answer_to_stays_dark_and_each_image_has_its_own_scale():
    images = torch.zeros(3, 1, 5, 5)
    images[0, 0, 0, 0], images[1, 0, 4, 4] = 1.0, 9.0
    found = visual_backprop(ones(1, 1), images)
    assert torch.equal(found, images.clamp(max=1))
    negative = ones(1, 1)
    torch.nn.init.constant_(negative.weight, -1.0)
    assert torch.equal(visual_backprop(negative, images), torch.zeros(3, 1, 5, 5))


@pytest.mark.parametrize(("size", "stride", "padding"), [(11, 2, 0), (12, 2, 0), (12, 3, 1), (7, 1, 2)])
def test_the_maps_are_as_large_as_the_image(size, stride, padding):
    network = nn.Sequential(ones(2, 3, stride, padding), nn.ReLU(), ones(1, 2))
    found = visual_backprop(network, torch.rand(2, 2, size, size))
    assert found.shape == (2, 1, size, size)
    assert found.amax(dim=(1, 2, 3)).tolist() == [1.0, 1.0]
    assert found.min() >= 0


def test_a_pooling_may_stand_between():
    network = nn.Sequential(ones(1, 3), nn.ReLU(), nn.MaxPool2d(2), ones(1, 3))
    image = torch.zeros(1, 1, 16, 16)
    image[0, 0, 3, 12] = 1.0
    found = visual_backprop(network, image)[0, 0]
    assert found[:8, 8:].sum() > 0.9 * found.sum()


def test_nothing_is_left_in_the_network_and_one_without_convolutions_is_refused():
    network = ones(1, 3)
    visual_backprop(network, torch.rand(1, 1, 4, 4))
    assert not network._forward_hooks
    with pytest.raises(UserError, match="Flatten has no convolution whose maps could be followed back"):
        visual_backprop(nn.Flatten(), torch.rand(1, 1, 4, 4))
