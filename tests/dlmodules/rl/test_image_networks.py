from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from dlmodules.errors import UserError
from dlmodules.rl.dqn import DQN
from dlmodules.rl.image_networks import ImageQNetwork, MinAtarQNetwork, NatureQNetwork
from dlmodules.rl.pqn import PQN
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.known_environments import register
from tests.dlmodules.rl.test_dqn_resume import STACK


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_network_of_nature_has_its_parameters() -> None:
    convolutions = (4 * 8 * 8 + 1) * 32 + (32 * 4 * 4 + 1) * 64 + (64 * 3 * 3 + 1) * 64
    hidden = (64 * 7 * 7 + 1) * 512  # 84 becomes 20, 9 and 7
    assert count(NatureQNetwork()) == convolutions + hidden + 513 * 4 == 1_686_180
    norms = 2 * (32 * 20 * 20 + 64 * 9 * 9 + 64 * 7 * 7 + 512)
    assert count(NatureQNetwork(layer_norm=True)) == 1_686_180 + norms


def test_the_network_of_minatar_has_its_parameters() -> None:
    assert count(MinAtarQNetwork()) == (4 * 3 * 3 + 1) * 16 + (16 * 8 * 8 + 1) * 128 + 129 * 3 == 132_179
    assert count(MinAtarQNetwork(layer_norm=True)) == 132_179 + 2 * (16 * 8 * 8 + 128)


@pytest.mark.parametrize("cls", [NatureQNetwork, MinAtarQNetwork])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_values_are_those_of_the_layers_for_numbers_up_to_one(cls: type[ImageQNetwork], layer_norm: bool) -> None:
    network = cls(layer_norm=layer_norm)
    example = network.example_observations(3, torch.device("cpu"))
    assert (example.dtype, int(example.max())) == (torch.uint8, network.highest)
    found = network(example)
    assert found.shape == (3, network.num_actions)
    assert torch.allclose(found, network.layers(example / network.highest), atol=1e-5)


def test_layer_norm_keeps_the_values_where_a_layer_is_scaled() -> None:
    for layer_norm in (False, True):
        torch.manual_seed(0)
        network = MinAtarQNetwork(layer_norm=layer_norm)
        example = network.example_observations(4, torch.device("cpu"))
        before = network(example)
        with torch.no_grad():
            for parameter in network.layers[0].parameters():
                parameter.mul_(10.0)
        assert torch.allclose(network(example), before, rtol=1e-3, atol=1e-3) == layer_norm


def test_pictures_that_are_too_small_are_refused() -> None:
    with pytest.raises(UserError, match=r"NatureQNetwork: pictures of \(4, 10, 10\) are too small"):
        NatureQNetwork((4, 10, 10))


@pytest.mark.parametrize(
    ("network", "env_id", "message"),
    [
        (MinAtarQNetwork(num_actions=2), "CartPole-v1", r"observations of shape \(4,\) \(set observation_dim=4"),
        (None, "Film-v0", r"shape \(4, 40, 40\) \(give a network for pictures, such as dlmodules.rl.NatureQNetwork"),
        (NatureQNetwork(num_actions=2), "Film-v0", r"such as .*NatureQNetwork with observation_shape=\[4, 40, 40\]"),
    ],
)
def test_a_network_that_does_not_fit_is_one_line(network: Any, env_id: str, message: str) -> None:
    register()
    with pytest.raises(UserError, match=message) as caught:
        trainer().fit(agent(network=network), data(env_id=env_id, wrappers=[STACK] if env_id == "Film-v0" else []))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cls", [DQN, PQN])
def test_a_checkpoint_with_such_a_network_shows_what_it_takes(cls: Any, tmp_path: Any) -> None:
    pl.seed_everything(0, verbose=False)
    module = cls(num_actions=3, network=MinAtarQNetwork(layer_norm=True))
    run = trainer()
    run.strategy.connect(module)
    run.save_checkpoint(tmp_path / "new.ckpt", weights_only=True)
    loaded = cls.load_from_checkpoint(tmp_path / "new.ckpt", weights_only=True)
    example = loaded.example_batch(5)
    assert example.shape == (5, 4, 10, 10)
    assert torch.equal(loaded.act(example), module.act(example))
