"""How an agent comes to do other actions than the best known, and how the probability of that falls."""

from collections.abc import Callable
from math import ceil, log
from typing import Literal

import torch
from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.training.annealing import linear_annealing
from dlmodules.validation.arguments import check_fractions, require_at_least


class Epsilon(nn.Module):
    """The same probability of a random action throughout, and the base of those that change.

    It is a module so that what it remembers is in the agent's checkpoint.

    Args:
        epsilon: in [0, 1].
    """

    def __init__(self, epsilon: float = 0.1) -> None:
        super().__init__()
        check_fractions(epsilon=epsilon)
        self.epsilon = epsilon

    def value(self, env_steps: int, episodes: int) -> float:
        """Return the probability after so many environment steps and finished episodes."""
        return self.epsilon

    def end_episodes(self, returns: list[float]) -> None:
        """Take note of the returns of episodes that have just ended."""


class LinearEpsilon(Epsilon):
    """A probability that falls along a line.

    Args:
        start: the first.
        end: the last.
        steps: environment steps from the one to the other.
    """

    def __init__(self, start: float = 1.0, end: float = 0.05, steps: int = 10_000) -> None:
        super().__init__(start)
        check_fractions(end=end)
        require_at_least(1, steps=steps)
        self.end = end
        self.steps = steps

    def value(self, env_steps: int, episodes: int) -> float:
        """Return the probability after so many environment steps."""
        return linear_annealing(env_steps, self.epsilon, self.end, self.steps)


class DecayingEpsilon(Epsilon):
    """A probability that is multiplied by a factor again and again, while it is above ``end`` (atienza 9.3.1, 9.5.1).

    Args:
        start: the first.
        end: it falls while it is above that; the last one is at most that.
        factor: in (0, 1).
        per: whether each ``episode`` multiplies it, or each ``step`` of an environment.
    """

    def __init__(
        self,
        start: float = 0.9,
        end: float = 0.1,
        factor: float = 0.9,
        per: Literal["episode", "step"] = "episode",
    ) -> None:
        super().__init__(start)
        check_fractions(end=end, factor=factor)
        if not 0 < factor < 1 or not end > 0:
            raise UserError(f"factor is {factor} and end {end}; both must be above 0, and factor below 1")
        self.factor = factor
        self.per = per
        self.times = max(0, ceil(log(end / start) / log(factor) - 1e-9)) if start > 0 else 0

    def value(self, env_steps: int, episodes: int) -> float:
        """Return the probability after so many environment steps and finished episodes."""
        return float(self.epsilon * self.factor ** min(self.times, episodes if self.per == "episode" else env_steps))


class AdaptiveEpsilon(Epsilon):
    """The lab's rule (lab L3): every thousand episodes it is halved where enough of them were good, doubled else.

    Nothing is changed at the first of these checks.

    Args:
        start: the first probability.
        low: the least one.
        high: the largest one.
        good_return: an episode is good from this return on.
        good_episodes: more than so many good ones halve the probability.
        every: episodes between two checks.
    """

    good: Tensor
    seen: Tensor
    checks: Tensor
    current: Tensor

    def __init__(
        self,
        start: float = 0.1,
        low: float = 0.02,
        high: float = 0.15,
        good_return: float = 180.0,
        good_episodes: int = 166,
        every: int = 1_000,
    ) -> None:
        super().__init__(start)
        check_fractions(low=low, high=high)
        require_at_least(1, every=every)
        self.low, self.high = low, high
        self.good_return, self.good_episodes, self.every = good_return, good_episodes, every
        for name in ("good", "seen", "checks"):
            self.register_buffer(name, torch.zeros((), dtype=torch.int64))
        self.register_buffer("current", torch.tensor(start, dtype=torch.float64))

    def value(self, env_steps: int, episodes: int) -> float:
        """Return the probability that the last check left."""
        return float(self.current)

    def end_episodes(self, returns: list[float]) -> None:
        """Count good episodes, and check where there were enough."""
        for value in returns:
            self.seen += 1
            self.good += int(value >= self.good_return)
            if int(self.seen) == self.every:
                self._check()

    def _check(self) -> None:
        self.checks += 1
        if int(self.checks) > 1:
            is_good = int(self.good) > self.good_episodes
            epsilon = float(self.current)
            self.current.fill_(max(self.low, epsilon / 2) if is_good else min(self.high, 2 * epsilon))
        self.seen.zero_()
        self.good.zero_()


def epsilon_greedy(
    act: Callable[[Tensor], Tensor], observation: Tensor, num_actions: int, epsilon: float, generator: torch.Generator
) -> Tensor:
    """Return actions ``(N,)`` on the CPU: random ones with probability ``epsilon``, else those of ``act``.

    Args:
        act: maps observations ``(N, ...)`` to the best known actions ``(N,)``.
        observation: ``(N, ...)``.
        num_actions: random actions are drawn from so many.
        epsilon: in [0, 1], for each of the N alone.
        generator: draws them.
    """
    n = len(observation)
    action = torch.randint(num_actions, (n,), generator=generator)
    greedy = torch.rand(n, generator=generator) >= epsilon
    return torch.where(greedy, act(observation).cpu(), action) if greedy.any() else action
