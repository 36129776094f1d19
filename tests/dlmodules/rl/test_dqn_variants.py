"""What each variant of DQN does otherwise, by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.protocols import Transition
from dlmodules.rl.c51 import C51
from dlmodules.rl.double_dqn import DoubleDQN
from dlmodules.rl.dqn import DQN
from dlmodules.rl.dueling_dqn import DuelingDQN
from dlmodules.rl.n_step_dqn import NStepDQN
from dlmodules.rl.networks import CartPoleQNetwork, DuelingHead, LayerNormQNetwork, RainbowQNetwork
from dlmodules.rl.noisy_dqn import NoisyDQN
from dlmodules.rl.noisy_linear import NoisyLinear, noise_of
from dlmodules.rl.prioritized_dqn import PrioritizedDQN
from dlmodules.rl.rainbow import Rainbow
from tests.dlmodules.rl.agent_runs import agent, data, trainer
from tests.dlmodules.rl.test_dqn import Table, batch

VARIANTS = [DoubleDQN, DuelingDQN, PrioritizedDQN, NStepDQN, NoisyDQN, C51, Rainbow]


class BooksPatch(DQN):
    """vasilev 9.3 as printed: the best actions are taken of values that still come from the target network."""

    def next_value(self, next_observation: Tensor) -> Tensor:
        values: Tensor = self.target_network(next_observation)
        best_actions = values.argmax(dim=1)
        return values.gather(1, best_actions.unsqueeze(1)).squeeze(1)


def tables(cls: type[DQN]) -> DQN:
    module = cls(network=Table([[1.0, 2.0], [3.0, 5.0]]), gamma=0.5)
    with torch.no_grad():
        module.target_network.rows.copy_(torch.tensor([[0.0, 0.0], [9.0, 4.0]]))
    return module


def test_double_chooses_by_one_network_and_values_by_the_other() -> None:
    step = batch(0, 0, 1.0, 1, False)
    # The online network prefers action 1 in state 1, worth 4 to the target network: target 3, error 2 (DQN: 5.5).
    assert tables(DoubleDQN).td_loss(step).item() == pytest.approx(4.0)
    assert tables(DQN).td_loss(step).item() == pytest.approx(4.5**2)


def test_the_books_patch_is_plain_dqn() -> None:
    observation = torch.tensor([[0.0], [1.0]])
    assert torch.equal(tables(BooksPatch).next_value(observation), tables(DQN).next_value(observation))
    assert not torch.equal(tables(DoubleDQN).next_value(observation), tables(DQN).next_value(observation))
    weights = []
    for cls in (BooksPatch, DQN, DoubleDQN):
        module = agent(cls=cls, target_update_interval=30, optimizer=lambda p: torch.optim.Adam(p, lr=1e-2))
        trainer().fit(module, data())
        weights.append(nn.utils.parameters_to_vector(module.network.parameters()))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_dueling_head_adds_what_is_0_in_the_mean() -> None:
    head = DuelingHead(6, 8, num_actions=3, num_atoms=4)
    features = torch.randn(5, 6)
    found = head(features)
    assert found.shape == (5, 3, 4)
    torch.testing.assert_close(found.mean(dim=1), head.value(features))
    with torch.no_grad():
        head.advantage[2].bias += 7.0  # what is added to all actions alike is taken off again
    torch.testing.assert_close(head(features), found)
    assert sum(p.numel() for p in DuelingDQN().network.parameters()) == 199_427


def test_networks_have_the_parameters_that_are_said() -> None:
    assert sum(p.numel() for p in CartPoleQNetwork().parameters()) == 142
    assert CartPoleQNetwork().layers[0].weight.abs().max() <= 0.02
    assert sum(p.numel() for p in LayerNormQNetwork(4, 2).parameters()) == 600 + 240 + 10_164 + 168 + 170
    assert RainbowQNetwork(4, 2, 51, (32, 16))(torch.zeros(3, 4)).shape == (3, 2, 51)


def test_n_steps_have_their_own_discount() -> None:
    module = NStepDQN(n=3, network=Table([[1.0, 2.0], [3.0, 5.0]]), gamma=0.5)
    step = batch(0, 0, 1.75, 1, False)
    joined = Transition(**{**vars(step), "info": {"discount": torch.tensor([0.125])}})
    # 1.75 + 5/8 - 1
    assert module.td_error(joined).item() == pytest.approx(-1.375)


def test_errors_become_priorities_and_weights_scale_losses() -> None:
    module = PrioritizedDQN(network=Table([[1.0, 2.0], [3.0, 5.0]]), gamma=0.5)
    step = batch(0, 0, 1.0, 1, False)  # target 3.5, error -2.5
    weighed = Transition(**{**vars(step), "info": {"weight": torch.tensor([0.25]), "place": torch.tensor([0])}})
    assert module.td_loss(weighed).item() == pytest.approx(0.25 * 2.5**2)
    module = agent(cls=PrioritizedDQN, beta=0.5, alpha=1.0)
    trainer().fit(module, data())
    places, probabilities = module.priorities.sample(2_000)
    assert len(places.unique()) > 100  # of 300
    assert len(probabilities.unique()) > 100
    assert module.beta == 1.0
    drawn = module.draw(4 * 16)  # four batches, each with a largest weight of 1
    assert drawn.info["weight"].unflatten(0, (4, 16)).amax(dim=1).tolist() == [1.0] * 4
    module.env_steps = 400
    assert module.beta == pytest.approx(0.75)


def test_noise_is_the_product_of_two_numbers_and_goes_away() -> None:
    layer, generator = NoisyLinear(5, 3, sigma=0.4), torch.Generator().manual_seed(0)
    x = torch.randn(6, 5)
    assert layer.weight_sigma.unique().item() == pytest.approx(0.4 / 5**0.5)
    plain = layer(x)
    with noise_of(layer, generator=generator):
        inputs, outputs = layer.noise
        weight = layer.weight + layer.weight_sigma * (outputs.T @ inputs)
        bias = layer.bias + layer.bias_sigma * outputs[0]
        torch.testing.assert_close(layer(x), x @ weight.T + bias)
    assert torch.equal(layer(x), plain)
    with noise_of(layer, generator=generator, rows=6):
        same = layer(x[:1].expand(6, 5))
    assert len(same[:, 0].unique()) == 6


def test_noise_explores_by_the_agents_generator_and_not_in_evaluation() -> None:
    module = agent(cls=NoisyDQN, sigma=3.0)
    observation = torch.zeros(200, 4)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    explored = module.explore(observation)
    assert 0 < explored.float().mean() < 1
    assert torch.equal(before, torch.get_rng_state())
    assert len(module.act(observation).unique()) == 1
    assert set(module.exploration()) == {"noise"}
    with pytest.raises(TypeError, match="multiple values"):
        NoisyDQN(epsilon_start=0.5)


@pytest.mark.parametrize(("cls", "norms"), [(NoisyDQN, 2), (Rainbow, 3)])
def test_noisy_networks_have_a_layer_norm_before_each_relu_where_asked_for(cls: type, norms: int) -> None:
    def layers(module: nn.Module) -> list[nn.Module]:
        return [layer for layer in module.network.modules() if isinstance(layer, nn.LayerNorm | nn.ReLU)]

    assert not any(isinstance(layer, nn.LayerNorm) for layer in layers(agent(cls=cls, hidden_dims=[16, 16])))
    found = layers(agent(cls=cls, hidden_dims=[16, 16], layer_norm=True))
    assert [type(layer) for layer in found] == [nn.LayerNorm, nn.ReLU] * norms


class TwoReturns(nn.Module):
    """Logits on the grid -1, 0, 1: of action 0 all alike; of action 1 nearly all at 1."""

    def forward(self, observation: Tensor) -> Tensor:
        return torch.tensor([[0.0, 0.0, 0.0], [-50.0, -50.0, 50.0]]).expand(len(observation), 2, 3)


def test_a_distribution_acts_by_its_mean_and_its_loss_is_the_divergence() -> None:
    module = C51(network=TwoReturns(), num_atoms=3, v_min=-1.0, v_max=1.0, gamma=0.5)
    torch.testing.assert_close(module(torch.zeros(2, 4)), torch.tensor([[0.0, 1.0]] * 2))
    assert module.act(torch.zeros(2, 4)).tolist() == [1, 1]
    # Action 0 led to where the best is 1 for certain: 0 + 0.5 * 1 is half at 0 and half at 1.
    error = module.td_error(batch(0, 0, 0.0, 1, False))
    target, predicted = torch.tensor([0.5, 0.5]), torch.tensor([1 / 3, 1 / 3])
    assert error.item() == pytest.approx((target * (target / predicted).log()).sum().item(), abs=1e-6)
    # After a terminal state the return is the reward, for certain.
    assert module.td_error(batch(0, 1, 1.0, 1, True)).item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: C51(v_min=1.0, v_max=1.0), "v_min is 1.0 and v_max 1.0; v_min must be below v_max"),
        (lambda: C51(num_atoms=1), "num_atoms is 1; it must be at least 2"),
        (lambda: NStepDQN(n=0), "n is 0; it must be at least 1"),
        (lambda: PrioritizedDQN(alpha=2.0), r"alpha is 2.0; it must lie in \[0, 1\]"),
    ],
)
def test_bad_numbers_are_refused(make: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make()


def test_a_network_of_values_is_refused_where_distributions_are_asked_for() -> None:
    network = nn.Linear(4, 2)
    with pytest.raises(UserError, match=r"gives shape \(2,\) for an observation, .* it must give 51 logits"):
        trainer().fit(agent(cls=C51, network=network), data())


@pytest.mark.parametrize("cls", VARIANTS)
def test_continuous_actions_are_refused(cls: type[DQN]) -> None:
    with pytest.raises(UserError, match="Pendulum-v1 has actions Box"):
        trainer().fit(agent(cls=cls, observation_dim=3), data(env_id="Pendulum-v1"))
