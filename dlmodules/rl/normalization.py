"""Observations and rewards on a common scale, by running statistics of what an agent collects.

The statistics are buffers of modules: they are in checkpoints, go with a network that is exported, and are the same
after a resume. ``Agent`` alone updates them, by what it collects in training; to evaluate it, to film it or to sample
from it does not move them. Those of observations move after an iteration, so that it acts and learns by the same ones,
and a probability that is computed again is the same; those of rewards as soon as they are paid.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.training.ranks import of_all_ranks
from dlmodules.validation.arguments import check_positive

EPSILON = 1e-8
"""Added to a variance, so that what is always the same is not divided by nothing."""


class RunningMoments(nn.Module):
    """Count, mean and variance of all values that were seen, as float64 buffers, whatever batches they came in.

    Processes that train together have the same ones, of what all of them saw.

    Args:
        shape: of one value.
    """

    count: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, shape: Sequence[int] = ()) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(tuple(shape), dtype=torch.float64))
        self.register_buffer("variance", torch.ones(tuple(shape), dtype=torch.float64))

    @torch.no_grad()
    def update(self, values: Tensor) -> None:
        """Take in ``values`` ``(N, ...)`` of any dtype; each counts once. All processes must call it, with equal N."""
        batch = of_all_ranks(values.to(self.mean))
        total = self.count + len(batch)
        variance, mean = torch.var_mean(batch, 0, correction=0)
        fraction = len(batch) / total.double()
        # Merged by sizes, means and variances (Chan et al. 1979), since sums of squares would lose digits.
        distance = mean - self.mean
        self.variance.lerp_(variance, fraction).add_(distance.square() * fraction * (1 - fraction))
        self.mean.add_(distance * fraction)
        self.count.copy_(total)

    @property
    def deviation(self) -> Tensor:
        """The standard deviation ``(...)``; 1 before anything was seen."""
        return (self.variance + EPSILON).sqrt()


class ObservationNormalizer(RunningMoments):
    """Moves observations to mean 0 and deviation 1; in the first iteration of a run it but clips them.

    Args:
        shape: of one observation.
        clip: what is further from 0 is cut to it; None leaves it.
    """

    def __init__(self, shape: Sequence[int], clip: float | None = 10.0) -> None:
        super().__init__(shape)
        check_positive(clip=clip)
        self.clip = clip

    def forward(self, observation: Tensor) -> Tensor:
        """Return observations ``(B, ...)`` of any dtype as float32. Raises ValueError for another shape."""
        if observation.shape[1:] != self.mean.shape:
            raise ValueError(f"observations of shape {tuple(self.mean.shape)} are normalized here")
        return _clipped((observation.double() - self.mean) / self.deviation, self.clip)


class RewardNormalizer(nn.Module):
    """Divides rewards by the deviation of the discounted return, so that values are of the order of 1.

    The return is summed up forwards, for each environment from the beginning of its episode. Nothing is subtracted:
    that would change which policy is the best.

    Args:
        gamma: discount of the return, in [0, 1].
        clip: a reward further from 0 is cut to it; None leaves it.
    """

    def __init__(self, gamma: float, clip: float | None = 10.0) -> None:
        super().__init__()
        check_positive(clip=clip)
        self.gamma = gamma
        self.clip = clip
        self.moments = RunningMoments()
        self.returns = torch.zeros(0, dtype=torch.float64)
        """Discounted sums of the running episodes, ``(N,)``: in the ``state_dict``, though their number varies."""

    @torch.no_grad()
    def update(self, reward: Tensor, ended: Tensor) -> None:
        """Take in the rewards ``(N,)`` of one step of N environments, and where episodes ``ended`` with it."""
        running = self.returns if len(self.returns) == len(reward) else torch.zeros(len(reward), dtype=torch.float64)
        returns = self.gamma * running + reward
        self.moments.update(returns)
        self.returns = torch.where(ended, 0.0, returns)

    def forward(self, reward: Tensor) -> Tensor:
        """Return rewards ``(...)`` as float32."""
        return _clipped(reward.double() / self.moments.deviation, self.clip)

    @override
    def get_extra_state(self) -> Tensor:
        return self.returns

    @override
    def set_extra_state(self, state: Tensor) -> None:
        self.returns = state.cpu().clone()


class NormalizedNetwork(nn.Module):
    """A network behind an ``ObservationNormalizer``: it is given raw observations.

    An agent that has it, given as its ``network`` too, updates the statistics. A copy, such as a target network, is
    updated by the same observations, and so has the same statistics at all times.

    Args:
        network: maps normalized observations ``(B, ...)``.
        shape: of one observation.
        clip: see ``ObservationNormalizer``.
    """

    def __init__(self, network: nn.Module, shape: Sequence[int], clip: float | None = 10.0) -> None:
        super().__init__()
        self.normalizer = ObservationNormalizer(shape, clip)
        self.network = network

    def forward(self, observation: Tensor) -> Tensor:
        """Return what the network gives for observations ``(B, ...)``."""
        found: Tensor = self.network(self.normalizer(observation))
        return found


def normalizers_of(module: nn.Module) -> tuple[list[ObservationNormalizer], list[RewardNormalizer]]:
    """Return all of a module and its parts, each once."""
    parts = list(module.modules())
    return (
        [part for part in parts if isinstance(part, ObservationNormalizer)],
        [part for part in parts if isinstance(part, RewardNormalizer)],
    )


def _clipped(values: Tensor, clip: float | None) -> Tensor:
    return (values if clip is None else values.clamp(-clip, clip)).float()
