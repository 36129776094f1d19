from typing import Any

import numpy as np
import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.rl.evolution.cma import CovarianceMatrixAdaptation


def rosenbrock(x: torch.Tensor) -> torch.Tensor:
    return -(100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(1)


def oracle(search: CovarianceMatrixAdaptation, sigma: float) -> Any:
    """The strategy of the package ``cma``, by the tutorial's rates of sigma."""
    cma = pytest.importorskip("cma", reason="cma is not installed: pip install -e '.[es]'")
    # C is decomposed each time, and candidates that it takes for somebody else's count like all others.
    options = {"updatecovwait": 0, "CMA_active_injected": 1}
    options |= {"popsize": search.population_size, "verbose": -9, "seed": 1}
    found = cma.CMAEvolutionStrategy(search.mean.numpy(), sigma, options)
    found.adapt_sigma.initialize(found)
    found.adapt_sigma.cs, found.adapt_sigma.damps = search.rate_sigma, search.damping
    n = len(search.mean)
    found.sm.C, found.sm.B, found.sm.D = np.eye(n), np.eye(n), np.ones(n)  # its C begins a little off 1
    return found


@pytest.mark.parametrize(("n", "size"), [(3, 8), (10, 10), (10, 60), (40, None), (5, 4)])
def test_it_equals_the_package_cma_on_equal_samples(n: int, size: int | None) -> None:
    search = CovarianceMatrixAdaptation(torch.linspace(-1, 1, n), sigma=0.3, population_size=size)
    other = oracle(search, 0.3)
    for _ in range(150):
        candidates = torch.tensor(np.array(other.ask()))
        fitness = rosenbrock(candidates)
        search.tell(candidates, fitness)
        other.tell(list(candidates.numpy()), (-fitness).tolist())
        torch.testing.assert_close(search.mean, torch.tensor(other.mean), rtol=1e-8, atol=1e-8)
        torch.testing.assert_close(float(search.sigma), float(other.sigma), rtol=1e-8, atol=0.0)
        torch.testing.assert_close(search.C, torch.tensor(other.sm.C), rtol=1e-8, atol=1e-8)
    assert search.generation == 150


def test_weights_and_rates_are_those_of_the_package_cma() -> None:
    search = CovarianceMatrixAdaptation(torch.zeros(10))
    other = oracle(search, 0.5)
    assert search.population_size == 10
    np.testing.assert_allclose(search.weights.numpy(), other.sp.weights, rtol=1e-12)
    assert (search.rate_path, search.rate_one, search.rate_mu) == pytest.approx(
        (other.sp.cc, other.sp.c1, other.sp.cmu), rel=1e-12
    )


@pytest.mark.parametrize("n", [2, 10])
def test_it_finds_the_top_of_a_curved_ridge(n: int) -> None:
    search, generator = CovarianceMatrixAdaptation(torch.zeros(n)), torch.Generator().manual_seed(0)
    for _ in range(200 * n):
        candidates = search.ask(generator)
        search.tell(candidates, rosenbrock(candidates))
    torch.testing.assert_close(search.mean, torch.ones(n, dtype=torch.float64), rtol=0, atol=1e-6)


def test_it_learns_the_scales_of_a_function() -> None:
    scales = torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64)
    search, generator = CovarianceMatrixAdaptation(torch.ones(3)), torch.Generator().manual_seed(0)
    for _ in range(100):
        candidates = search.ask(generator)
        search.tell(candidates, -(candidates * scales).square().sum(1))
    ratios = search.C.diagonal().sqrt() * scales
    assert ratios.max() / ratios.min() < 2.0  # wide where the function is flat


def test_its_state_goes_on_bitwise_from_a_state_dict() -> None:
    def run(search: CovarianceMatrixAdaptation, generator: torch.Generator, generations: int) -> None:
        for _ in range(generations):
            candidates = search.ask(generator)
            search.tell(candidates, rosenbrock(candidates))

    unbroken, generator = CovarianceMatrixAdaptation(torch.zeros(4)), torch.Generator().manual_seed(0)
    run(unbroken, generator, 7)
    kept = {name: tensor.clone() for name, tensor in unbroken.state_dict().items()}
    resumed, again = CovarianceMatrixAdaptation(torch.ones(4), 2.0), torch.Generator()
    resumed.load_state_dict(kept)
    again.set_state(generator.get_state())
    run(unbroken, generator, 7)
    run(resumed, again, 7)
    assert all(torch.equal(tensor, resumed.state_dict()[name]) for name, tensor in unbroken.state_dict().items())


def test_only_ranks_count_and_equal_values_are_taken_in_their_order() -> None:
    first, second = CovarianceMatrixAdaptation(torch.zeros(3)), CovarianceMatrixAdaptation(torch.zeros(3))
    candidates = first.ask(torch.Generator().manual_seed(0))
    fitness = rosenbrock(candidates)
    first.tell(candidates, fitness)
    second.tell(candidates, fitness.exp())
    assert torch.equal(first.C, second.C)
    assert torch.equal(first.mean, second.mean)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sigma": 0.0}, "sigma is 0.0; it must be more than 0"),
        ({"population_size": 1}, "population_size is 1; it must be at least 2"),
        ({"mean": torch.zeros(10_001)}, "CMA-ES keeps a matrix of 10,001 x 10,001 numbers"),
    ],
)
def test_bad_numbers_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        CovarianceMatrixAdaptation(**{"mean": torch.zeros(3), **arguments})


def test_tell_takes_what_ask_gave() -> None:
    search = CovarianceMatrixAdaptation(torch.zeros(3), population_size=4)
    candidates = search.ask()
    with pytest.raises(ValueError, match="takes 4 candidates of 3 numbers"):
        search.tell(candidates[:2], torch.zeros(2))
    with pytest.raises(ValueError, match="not a number"):
        search.tell(candidates, torch.tensor([0.0, float("nan"), 1.0, 2.0]))
