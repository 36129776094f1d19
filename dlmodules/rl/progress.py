"""How far an agent is, and how fast it gets on."""

from time import perf_counter

import torch

from dlmodules.protocols import EnvironmentStream


class Progress:
    """The clock of a run, which stands still during validation, and what it says about the steps between two looks."""

    def __init__(self) -> None:
        self._clock = perf_counter()
        self._steps_at_clock = 0

    def start(self, env_steps: int) -> None:
        """Begin to count at so many environment steps."""
        self._clock, self._steps_at_clock = perf_counter(), env_steps

    def pause(self) -> None:
        """Stop the clock."""
        self._clock -= perf_counter()

    def go_on(self) -> None:
        """Let the clock run on."""
        self._clock += perf_counter()

    def speed(self, env_steps: int) -> float:
        """Return the environment steps per second since the last look or start, and begin to count anew."""
        speed = (env_steps - self._steps_at_clock) / (perf_counter() - self._clock)
        self.start(env_steps)
        return speed


def recent_episodes(envs: EnvironmentStream) -> dict[str, torch.Tensor]:
    """Return ``return`` and ``episode_length``, means of the last finished episodes; nothing where none has ended."""
    if not envs.recent_returns:
        return {}
    returns, lengths = torch.tensor(envs.recent_returns), torch.tensor(envs.recent_lengths)
    return {"return": returns.mean(), "episode_length": lengths.float().mean()}


def env_steps_metrics(env_steps: int) -> dict[str, float]:
    """Return what makes environment steps the x-axis: Lightning takes a metric of the name ``step`` as that."""
    return {"step": float(env_steps), "env_steps": float(env_steps)}
