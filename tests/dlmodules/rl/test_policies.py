"""Distributions over actions, by hand: probabilities, entropies, samples, and what moves the mean."""

import math

import pytest
import torch
from torch import Tensor, nn

from dlmodules.checkpoints.hparams import _portable
from dlmodules.rl.orthogonal import OrthogonalMLP
from dlmodules.rl.policies import MIN_DEVIATION, CategoricalPolicy, GaussianPolicy


class Fixed(nn.Module):
    """Gives the same numbers for every observation."""

    def __init__(self, numbers: list[float]) -> None:
        super().__init__()
        self.numbers = nn.Parameter(torch.tensor(numbers))

    def forward(self, observation: Tensor) -> Tensor:
        return self.numbers.expand(len(observation), -1)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_category_has_the_probability_of_the_softmax() -> None:
    policy = CategoricalPolicy(network=Fixed([0.0, math.log(3.0)]))
    found = policy(torch.zeros(2, 4))
    torch.testing.assert_close(found.log_prob(torch.tensor([0, 1])).exp(), torch.tensor([0.25, 0.75]))
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    torch.testing.assert_close(found.entropy(), torch.full((2,), entropy))
    assert policy.mode(torch.zeros(2, 4)).tolist() == [1, 1]
    assert policy.to_env(torch.tensor([1])).tolist() == [1]


def test_all_of_k_actions_alike_have_the_entropy_log_k() -> None:
    entropy = CategoricalPolicy(network=Fixed([2.0] * 5))(torch.zeros(1, 4)).entropy()
    torch.testing.assert_close(entropy, torch.tensor([math.log(5)]))


def test_samples_of_categories_have_their_frequencies_and_repeat_by_seed() -> None:
    policy = CategoricalPolicy(network=Fixed([0.0, math.log(2.0), math.log(5.0)]))
    sampled = policy.sample(torch.zeros(80_000, 4), generator())
    frequencies = torch.bincount(sampled, minlength=3) / 80_000
    torch.testing.assert_close(frequencies, torch.tensor([1, 2, 5]) / 8, rtol=0, atol=0.006)
    assert torch.equal(sampled, policy.sample(torch.zeros(80_000, 4), generator()))
    assert not torch.equal(sampled, policy.sample(torch.zeros(80_000, 4), generator(1)))


def gaussian(mean: list[float], deviation: float = 0.5, **arguments: float) -> GaussianPolicy:
    return GaussianPolicy(
        action_dim=len(mean),
        network=Fixed(mean),
        log_deviation=math.log(deviation),
        **arguments,  # type: ignore[arg-type]
    )


def test_a_row_of_numbers_has_the_density_of_its_normal_distributions() -> None:
    found = gaussian([1.0, -2.0])(torch.zeros(1, 2))
    action = torch.tensor([[1.5, -2.0]])
    # One deviation off in the first number, none in the second.
    density = -0.5 - 2 * math.log(0.5 * math.sqrt(2 * math.pi))
    torch.testing.assert_close(found.log_prob(action), torch.tensor([density]))
    entropy = 2 * (0.5 + 0.5 * math.log(2 * math.pi) + math.log(0.5))
    torch.testing.assert_close(found.entropy(), torch.tensor([entropy]))


def test_deviations_by_softplus_are_of_the_further_outputs() -> None:
    policy = GaussianPolicy(action_dim=2, deviation="softplus", network=Fixed([1.0, 2.0, 0.0, 3.0]))
    mean, deviation = policy.parameters_of(torch.zeros(1, 2))
    assert mean.tolist() == [[1.0, 2.0]]
    expected = torch.tensor([[math.log(2), math.log1p(math.exp(3))]]) + MIN_DEVIATION
    torch.testing.assert_close(deviation, expected)
    assert sum(p.numel() for p in GaussianPolicy(2, 1, (), deviation="softplus").parameters()) == 2 * 2 + 2
    assert sum(p.numel() for p in GaussianPolicy(2, 1, ()).parameters()) == 2 + 1 + 1


def test_the_gradient_moves_the_mean_to_what_was_done() -> None:
    """Of a density, (action - mean) / deviation^2. Sampled again by the same mean, as in atienza, it would be 0."""
    policy = gaussian([0.5])
    action = torch.tensor([[1.5]])
    policy(torch.zeros(1, 2)).log_prob(action).sum().backward()  # type: ignore[no-untyped-call]
    gradient = policy.network.numbers.grad
    assert isinstance(gradient, Tensor)
    torch.testing.assert_close(gradient, torch.tensor([(1.5 - 0.5) / 0.25]))
    policy.network.numbers.grad = None
    found = policy(torch.zeros(1, 2))
    torch.manual_seed(0)
    found.log_prob(found.rsample()).sum().backward()  # the fault, seen once
    again = policy.network.numbers.grad
    assert isinstance(again, Tensor)
    torch.testing.assert_close(again, torch.zeros(1))


def test_samples_go_beyond_the_bounds_and_the_environment_is_given_less() -> None:
    policy = gaussian([1.0], deviation=1.0)
    policy.low.fill_(-2.0)
    policy.high.fill_(2.0)
    sampled = policy.sample(torch.zeros(20_000, 2), generator())
    assert not sampled.requires_grad
    assert (sampled.mean().item(), sampled.std().item()) == pytest.approx((1.0, 1.0), abs=0.02)
    assert sampled.max() > 2
    assert (policy.to_env(sampled).min(), policy.to_env(sampled).max()) == (-2, 2)
    assert gaussian([3.0]).mode(torch.zeros(1, 2)).tolist() == [[3.0]]  # no bounds yet
    beyond = gaussian([3.0])
    beyond.high.fill_(2.0)
    assert beyond.mode(torch.zeros(1, 2)).tolist() == [[2.0]]
    assert set(policy.state_dict()) >= {"low", "high"}


def test_the_default_network_begins_with_all_actions_nearly_alike() -> None:
    torch.manual_seed(0)
    policy = CategoricalPolicy(4, 2, (64, 64))
    assert sum(p.numel() for p in policy.parameters()) == 4_610
    entropy = policy(torch.randn(50, 4)).entropy()
    assert (entropy > 0.6930).all()
    network = OrthogonalMLP(8, 3, (8,), gain=1.0)
    weight = network.layers[0].weight
    assert isinstance(weight, Tensor)
    torch.testing.assert_close(weight @ weight.T, 2 * torch.eye(8), atol=1e-5, rtol=0)


@pytest.mark.parametrize("policy", [CategoricalPolicy(3, 4, (8,)), GaussianPolicy(3, 2, (8,), deviation="softplus")])
def test_a_checkpoint_can_rebuild_it(policy: nn.Module) -> None:
    found = _portable(policy)
    assert found["class_path"] == f"dlmodules.rl.{type(policy).__name__}"
    assert found["init_args"]["observation_dim"] == 3


def test_noise_that_goes_one_way_for_a_while_has_the_same_distribution() -> None:
    policy = GaussianPolicy(2, 1, network=Fixed([1.0]), log_deviation=math.log(2.0), noise_correlation=0.9)
    source = generator()
    sampled = torch.stack([policy.sample(torch.zeros(200, 2), source)[:, 0] for _ in range(500)])
    assert (sampled.mean().item(), sampled.std().item()) == pytest.approx((1.0, 2.0), abs=0.1)
    apart = ((sampled[:-1] - 1) * (sampled[1:] - 1)).mean() / 4
    assert apart.item() == pytest.approx(0.9, abs=0.02)
    other = GaussianPolicy(2, 1, network=Fixed([1.0]), log_deviation=math.log(2.0), noise_correlation=0.9)
    other.load_state_dict(policy.state_dict())
    again = generator(4), generator(4)
    assert torch.equal(*(p.sample(torch.zeros(200, 2), g) for p, g in zip((policy, other), again, strict=True)))
    assert GaussianPolicy(2, 1, network=Fixed([1.0])).sample(torch.zeros(3, 2), source).shape == (3, 1)
