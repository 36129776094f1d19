"""CMA-ES by itself: a normal distribution that moves to where an objective is large, for any objective."""

from math import exp, lgamma, log, sqrt

import torch
from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_positive, require_at_least

MOST_NUMBERS = 10_000
"""Largest dimension: the covariance matrix of so many numbers takes 800 MB, and its eigenvectors minutes."""


class CovarianceMatrixAdaptation(nn.Module):
    """A search for the largest value of a function of n numbers, of which nothing but its values is known.

    ``ask`` samples candidates from a normal distribution, ``tell`` moves it towards the better ones: its mean, its
    width ``sigma`` and the shape ``C`` of its covariance ``sigma ** 2 * C``. Only the ranks of the values count. All of
    its state are float64 buffers, so it lives in a ``state_dict`` and goes on from one bitwise.

    The update is the active one, with weighted ranks and both paths, of Hansen's tutorial. Paper: Hansen 2016, The CMA
    Evolution Strategy: A Tutorial, arXiv:1604.00772.

    Args:
        mean: ``(n,)`` where the search begins.
        sigma: first standard deviation of each number, above 0: about a third of the way to where the best may lie.
        population_size: candidates of a generation, 2 or more; None takes the usual ``4 + 3 * log(n)``.

    Raises:
        UserError: a number out of range, or so large an n that the matrix is out of reach.
    """

    mean: Tensor
    sigma: Tensor
    C: Tensor
    path_sigma: Tensor
    path_c: Tensor
    generation: Tensor

    def __init__(self, mean: Tensor, sigma: float = 0.5, population_size: int | None = None) -> None:
        super().__init__()
        n = len(mean)
        size = 4 + int(3 * log(n)) if population_size is None else population_size
        check_positive(sigma=sigma)
        require_at_least(2, population_size=size)
        if n > MOST_NUMBERS:
            raise UserError(
                f"CMA-ES keeps a matrix of {n:,} x {n:,} numbers for {n:,} weights; it goes to {MOST_NUMBERS:,}:"
                " choose fewer hidden units, or OpenAIES"
            )
        self.population_size = size
        self.register_buffer("mean", mean.detach().double().clone())
        self.register_buffer("sigma", torch.tensor(sigma, dtype=torch.float64))
        self.register_buffer("C", torch.eye(n, dtype=torch.float64))
        self.register_buffer("path_sigma", torch.zeros(n, dtype=torch.float64))
        self.register_buffer("path_c", torch.zeros(n, dtype=torch.float64))
        self.register_buffer("generation", torch.zeros((), dtype=torch.int64))
        self._set_rates(n, size)
        # Those of C, which cost more than all the rest: kept until it changes.
        self._axes: tuple[Tensor, Tensor] | None = None
        self.register_load_state_dict_post_hook(  # type: ignore[no-untyped-call]  # torch's has no types
            _forget_axes
        )

    def _set_rates(self, n: int, size: int) -> None:
        """Set the weights of the ranks and the rates of learning, by the formulas of the tutorial."""
        raw = log((size + 1) / 2) - torch.arange(1, size + 1, dtype=torch.float64).log()
        self.parents = int((raw > 0).sum())
        above, below = raw[: self.parents], raw[self.parents :]
        self.mu_eff = float(above.sum() ** 2 / above.square().sum())
        mu_eff_below = float(below.sum() ** 2 / below.square().sum())
        self.rate_sigma = (self.mu_eff + 2) / (n + self.mu_eff + 5)
        self.damping = 1 + 2 * max(0.0, sqrt((self.mu_eff - 1) / (n + 1)) - 1) + self.rate_sigma
        self.rate_path = (4 + self.mu_eff / n) / (n + 4 + 2 * self.mu_eff / n)
        self.rate_one = min(1.0, size / 6) * 2 / ((n + 1.3) ** 2 + self.mu_eff)
        rate_mu = 2 * (0.25 + self.mu_eff + 1 / self.mu_eff - 2) / ((n + 2) ** 2 + self.mu_eff)
        self.rate_mu = min(1 - self.rate_one, rate_mu)
        # The worse candidates count negatively, so much that the matrix neither fades nor loses a positive eigenvalue.
        total_below = min(
            1 + self.rate_one / self.rate_mu,
            1 + 2 * mu_eff_below / (self.mu_eff + 2),
            (1 - self.rate_one - self.rate_mu) / (n * self.rate_mu),
        )
        self.weights = torch.cat([above / above.sum(), total_below * below / -below.sum()])
        self.usual_length = sqrt(2) * exp(lgamma((n + 1) / 2) - lgamma(n / 2))  # of a row of n standard normal numbers

    def axes(self) -> tuple[Tensor, Tensor]:
        """Return the standard deviations ``(n,)`` along the axes of ``C``, rising, and these as columns ``(n, n)``."""
        if self._axes is None or self._axes[0].device != self.C.device:
            variances, axes = torch.linalg.eigh(self.C)
            self._axes = variances.clamp(min=torch.finfo(variances.dtype).tiny).sqrt(), axes
        return self._axes

    @torch.no_grad()
    def ask(self, generator: torch.Generator | None = None) -> Tensor:
        """Return candidates ``(population_size, n)`` float64; the ``generator`` is one of the CPU."""
        normal = torch.randn(self.population_size, len(self.mean), generator=generator, dtype=torch.float64)
        deviations, axes = self.axes()
        return self.mean + self.sigma * (normal.to(self.mean.device) * deviations) @ axes.T

    @torch.no_grad()
    def tell(self, candidates: Tensor, fitness: Tensor) -> None:
        """Learn what candidates of ``ask`` ``(population_size, n)`` are worth ``(population_size,)``: more is better.

        Raises:
            ValueError: there are more or fewer of them, or a fitness is not a number.
        """
        size, n = self.population_size, len(self.mean)
        if candidates.shape != (size, n) or fitness.shape != (size,):
            raise ValueError(f"tell takes {size} candidates of {n} numbers, and as many values")
        if fitness.isnan().any():
            raise ValueError("the fitness of a candidate is not a number")
        self.generation += 1
        order = fitness.to(self.mean.device).argsort(descending=True, stable=True)
        steps = (candidates.to(self.mean)[order] - self.mean) / self.sigma
        weights = self.weights.to(self.mean.device)
        step = weights[: self.parents] @ steps[: self.parents]
        self.mean += self.sigma * step

        deviations, axes = self.axes()  # of the matrix that the candidates were sampled by
        rate = self.rate_sigma
        whitened = axes @ (axes.T @ step / deviations)
        self.path_sigma.mul_(1 - rate).add_(whitened, alpha=sqrt(rate * (2 - rate) * self.mu_eff))
        # A long path says that sigma is too small for what C could learn from it now: C's own path waits.
        so_far = 1 - (1 - rate) ** (2 * int(self.generation))
        waits = bool(self.path_sigma.square().sum() / so_far / n >= 2 + 4 / (n + 1))
        rate = self.rate_path
        self.path_c.mul_(1 - rate)
        if not waits:
            self.path_c.add_(step, alpha=sqrt(rate * (2 - rate) * self.mu_eff))

        # Steps of negative weight count by their direction alone, so that C stays positive definite.
        lengths = ((steps @ axes) / deviations).norm(dim=1) + 1e-9  # never 0
        scaled = torch.where(weights < 0, weights * n / lengths.square(), weights)
        kept = self.rate_one * (1 - rate * (2 - rate)) if waits else self.rate_one
        self.C.mul_(1 - kept - self.rate_mu * weights.sum())
        self.C.add_(torch.outer(self.path_c, self.path_c), alpha=self.rate_one)
        self.C.add_((self.rate_mu * scaled * steps.T) @ steps)
        self.C.copy_((self.C + self.C.T) / 2)
        self._axes = None
        change = self.rate_sigma / self.damping * (self.path_sigma.norm() / self.usual_length - 1)
        self.sigma.mul_(change.clamp(max=1.0).exp())


def _forget_axes(search: nn.Module, incompatible: object) -> None:
    assert isinstance(search, CovarianceMatrixAdaptation)
    search._axes = None
