import pytest
import torch
from torch import Tensor

from dlmodules import OpenAIES
from dlmodules.errors import UserError
from dlmodules.rl.evolution.ranks import centered_ranks
from tests.dlmodules.rl.agent_runs import agent, data, trainer


def es(**arguments: object) -> OpenAIES:
    module: OpenAIES = agent(cls=OpenAIES, **{"hidden_dims": (), "population_size": 6, "sigma": 0.2, **arguments})
    return module


def test_candidates_come_in_pairs_about_the_policy() -> None:
    module = es()
    module.set_weights(torch.arange(10.0))
    first, second = module.ask().chunk(2)
    torch.testing.assert_close((first + second) / 2, torch.arange(10.0).expand(3, 10))
    assert (first - second).abs().min() > 0


def test_the_gradient_by_hand() -> None:
    module = es(population_size=2)
    module.set_weights(torch.zeros(10))
    noise = torch.arange(10.0)
    candidates = torch.stack([0.2 * noise, -0.2 * noise])
    # The better one has the rank 0.5, the other -0.5: (0.5 e + 0.5 e) / (2 * 0.2).
    torch.testing.assert_close(module.gradient(candidates, torch.tensor([7.0, 3.0])), noise / 0.4)
    torch.testing.assert_close(module.gradient(candidates, torch.tensor([3.0, 7.0])), -noise / 0.4)


def test_the_gradient_is_the_sum_over_all_candidates() -> None:
    module = es()
    module.set_weights(torch.randn(10))
    candidates, fitness = module.ask(), torch.randn(6)
    expected = torch.zeros(10, dtype=torch.float64)
    for candidate, rank in zip(candidates, centered_ranks(fitness), strict=True):
        expected += rank * (candidate - module.weights).double() / 0.2
    torch.testing.assert_close(
        module.gradient(candidates, fitness).double(), expected / (6 * 0.2), rtol=1e-4, atol=1e-5
    )


def test_it_points_up_the_slope_of_the_ranks() -> None:
    module = es(population_size=2_000)
    slope = torch.randn(10)
    candidates = module.ask()
    gradient = module.gradient(candidates, candidates @ slope)
    assert torch.cosine_similarity(gradient, slope, dim=0) > 0.95


def test_where_all_are_alike_nothing_moves() -> None:
    module = es()
    assert module.gradient(module.ask(), torch.full((6,), 500.0)).abs().max() == 0


def test_the_optimizer_goes_up_with_weight_decay_and_a_schedule() -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    class Watched(OpenAIES):
        def tell(self, candidates: Tensor, fitness: Tensor) -> dict[str, Tensor]:
            before, gradient = self.weights, self.gradient(candidates, fitness)
            found = super().tell(candidates, fitness)
            rate = 0.1 * 0.5 ** (len(seen))
            torch.testing.assert_close(self.weights, before + rate * (gradient - 0.3 * before))
            seen.append((before, gradient))
            return found

    module = agent(
        cls=Watched,
        hidden_dims=(),
        population_size=6,
        optimizer=lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.3),
        scheduler=lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.5),
    )
    trainer(limit_val_batches=0, max_steps=3).fit(module, data(total_steps=10_000))
    assert len(seen) == 3


def test_an_odd_number_is_refused() -> None:
    with pytest.raises(UserError, match="population_size is 5; it must be even"):
        es(population_size=5)
