"""The gradient of all parameters together is shortened as PyTorch does it, to the bit."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from dlmodules.training.clipping import clip_gradients


def network_with_gradients() -> nn.Module:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(7, 40), nn.ReLU(), nn.Linear(40, 3), nn.Linear(3, 3))
    network[:3](torch.randn(5, 7)).square().sum().backward()  # the last layer has none
    return network


def module(scaler: Any = None) -> Any:
    return SimpleNamespace(trainer=SimpleNamespace(precision_plugin=SimpleNamespace(scaler=scaler)))


@pytest.mark.parametrize("max_norm", [1e-3, 1.0, 1e4])
def test_it_is_what_pytorch_does(max_norm: float) -> None:
    ours, theirs = network_with_gradients(), network_with_gradients()
    clip_gradients(module(), ours.parameters(), max_norm)
    norm = nn.utils.clip_grad_norm_(theirs.parameters(), max_norm)
    assert 1.0 < norm < 1e4
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None)
        assert one.grad is None or torch.equal(one.grad, other.grad)


def test_gradients_that_are_not_finite_stay_so() -> None:
    network = network_with_gradients()
    assert network[0].bias.grad is not None
    network[0].bias.grad[0] = torch.nan
    clip_gradients(module(), network.parameters(), 1.0)
    assert network[0].bias.grad[0].isnan()


def test_scaled_gradients_have_a_scaled_limit() -> None:
    network = network_with_gradients()
    clip_gradients(module(SimpleNamespace(get_scale=lambda: 4.0)), network.parameters(), 0.5)
    gradients = [parameter.grad.flatten() for parameter in network.parameters() if parameter.grad is not None]
    assert torch.cat(gradients).norm().item() == pytest.approx(2.0, rel=1e-4)
