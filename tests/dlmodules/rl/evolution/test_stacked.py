import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from dlmodules.errors import UserError
from dlmodules.rl import MinAtarQNetwork
from dlmodules.rl.evolution import stacked as module
from dlmodules.rl.evolution.policies import BoundedActions, PolicyNetwork
from dlmodules.rl.evolution.stacked import StackedNetworks, check_stackable, check_vmap


class Skips(nn.Module):
    """A network that is no row of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Linear(4, 6), nn.LayerNorm(6)
        self.second = nn.Linear(10, 3)

    def forward(self, observation: Tensor) -> Tensor:
        found: Tensor = self.second(torch.cat([observation, self.norm(self.first(observation)).relu()], 1))
        return found


NETWORKS = {
    "linear": (PolicyNetwork(4, 2), True),
    "tanh": (PolicyNetwork(4, 3, (5, 6)), True),
    "scaled": (PolicyNetwork(4, 2, (5,), observation_scales=(1.0, 0.6, 0.08, 0.6)), True),
    "without bias": (nn.Sequential(nn.Flatten(), nn.Linear(4, 5, bias=False), nn.ReLU(), nn.Linear(5, 2)), True),
    "sequential": (nn.Sequential(nn.Linear(4, 5), nn.Dropout(0.5), nn.Linear(5, 2)), False),
    "skips": (Skips(), False),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_each_row_goes_through_its_own_copy(name: str) -> None:
    network, is_plain = NETWORKS[name]
    network.eval()
    torch.manual_seed(0)
    candidates = torch.randn(7, len(parameters_to_vector(network.parameters())))
    observation, which = torch.randn(5, 4), torch.tensor([3, 0, 0, 6, 2])
    stacked = StackedNetworks(network, candidates)
    assert (stacked._layers is not None) == is_plain
    for rows in (which, torch.tensor([1, 1, 4, 5, 6])):
        found = stacked(observation, rows)
        for row, number in enumerate(rows):
            vector_to_parameters(candidates[number], network.parameters())
            torch.testing.assert_close(found[row], network(observation[[row]])[0])


def test_pictures_go_through_vmap() -> None:
    network = MinAtarQNetwork(observation_shape=(4, 10, 10), num_actions=3).eval()
    candidates = 0.1 * torch.randn(2, len(parameters_to_vector(network.parameters())))
    pictures = torch.randint(2, (2, 4, 10, 10), dtype=torch.uint8)
    found = StackedNetworks(network, candidates)(pictures, torch.tensor([1, 0]))
    vector_to_parameters(candidates[1], network.parameters())
    torch.testing.assert_close(found[0], network(pictures[:1])[0])


def test_each_number_of_an_observation_has_its_own_scale() -> None:
    torch.manual_seed(0)
    network, plain = PolicyNetwork(2, 1, (3,), observation_scales=(2.0, 0.1)), PolicyNetwork(2, 1, (3,))
    vector_to_parameters(parameters_to_vector(network.parameters()), plain.parameters())
    torch.testing.assert_close(network(torch.tensor([[4.0, 0.3]])), plain(torch.tensor([[2.0, 3.0]])))


@pytest.mark.parametrize(
    ("scales", "message"),
    [
        ((1.0,), "observation_scales has 1 numbers; observation_dim is 2"),
        ((1.0, 0.0), "observation_scales is 0.0; it must be more than 0"),
    ],
)
def test_scales_that_do_not_fit_are_refused_in_a_line(scales: tuple[float, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        PolicyNetwork(2, 1, observation_scales=scales)


def test_observations_of_any_shape_are_flattened_by_the_policy() -> None:
    network = PolicyNetwork(6, 2, (3,))
    stacked = StackedNetworks(network, parameters_to_vector(network.parameters()).detach()[None])
    torch.testing.assert_close(stacked(torch.ones(1, 2, 3), torch.tensor([0])), network(torch.ones(1, 2, 3)))


def test_the_last_layer_begins_as_nearly_nothing() -> None:
    assert 0 < PolicyNetwork(4, 2, (8,))(torch.randn(3, 4)).abs().max() < 0.02
    assert sum(parameter.numel() for parameter in PolicyNetwork(2, 1).parameters()) == 3


def test_outputs_are_squashed_between_the_bounds() -> None:
    bounds = BoundedActions(2)
    bounds.low.copy_(torch.tensor([-2.0, 0.0]))
    bounds.high.copy_(torch.tensor([2.0, 1.0]))
    found = bounds(torch.tensor([[0.0, 0.0], [9.0, -9.0], [0.5, 0.5]]))
    expected = [[0.0, 0.5], [2.0, 0.0], [2 * torch.tensor(0.5).tanh(), (torch.tensor(0.5).tanh() + 1) / 2]]
    torch.testing.assert_close(found, torch.tensor(expected), atol=1e-6, rtol=0)


def test_what_cannot_be_stacked_is_refused_in_a_line() -> None:
    with pytest.raises(UserError, match=r"has batch norm \(1\), whose running statistics"):
        check_stackable(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)))
    with pytest.raises(UserError, match="has no weights"):
        check_stackable(nn.Flatten())

    class Decides(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 2)

        def forward(self, observation: Tensor) -> Tensor:
            found: Tensor = self.layer(observation)
            return found if found.sum() > 0 else -found

    network = Decides()
    weights = parameters_to_vector(network.parameters()).detach()
    with pytest.raises(UserError, match=r"cannot be stacked by torch.func.vmap: .*"):
        check_vmap(network, torch.ones(1, 4), weights)
    assert module.BATCH_NORMS
