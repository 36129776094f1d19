"""What plays the episodes that are kept: random actions, an agent of a checkpoint, or an expert."""

from typing import Any, Protocol

import numpy as np
import torch
from typing_extensions import override

from datamodules.environments.racing.expert import EXPERTS
from dlmodules.checkpoints.loading import load_module
from dlmodules.errors import UserError
from dlmodules.protocols import Acts, ActsWithMemory, Memory

PERSISTENCE = 0.95
"""Part of an action's distance from the mean that is left after a step of a ``Course``."""


DRIVERS = {"expert": "wheel", "expert_calm": "calm", "expert_keys": "keys"}
"""Policies that are experts of CarRacing, by their names among these."""

NAMED = ("random", "smooth", *DRIVERS)
"""Policies that are no files."""


class RolloutPolicy(Protocol):
    """Chooses the actions of one episode after another; what it does follows from the seeds alone."""

    def begin(self, seed: int) -> None:
        """Begin an episode."""
        ...

    def act(self, observation: Any) -> Any:
        """Return the action for one observation."""
        ...


class RandomPolicy(RolloutPolicy):
    """Draws an action of the space and holds it for some steps (foster F8.3).

    Args:
        space: of the actions.
        hold: steps, 1 or more.
    """

    def __init__(self, space: Any, hold: int) -> None:
        self.space, self.hold = space, hold

    @override
    def begin(self, seed: int) -> None:
        self.space.seed(seed)
        self._steps = 0
        self._action = None

    @override
    def act(self, observation: Any) -> Any:
        if self._steps % self.hold == 0:
            self._action = self.space.sample()
        self._steps += 1
        return self._action


class Course:
    """Moves each number of an action about a mean, a little each step, and holds it within its bounds.

    Args:
        space: of the actions, a ``Box`` with bounds.
        spread: standard deviation of each number, before it is held within its bounds; None is half of their distance.

    Raises:
        UserError: there is another number of spreads.
    """

    def __init__(self, space: Any, spread: list[float] | None = None) -> None:
        self.low, self.high, self.dtype = space.low.astype(np.float64), space.high.astype(np.float64), space.dtype
        self.spread = _numbers("policy_spread", spread, (self.high - self.low) / 2)

    def begin(self, seed: int) -> None:
        """Begin an episode."""
        self._draw = np.random.default_rng(seed)
        self._course = self._draw.standard_normal(self.spread.shape)

    def about(self, mean: Any) -> Any:
        """Return the next action about ``mean``."""
        action = np.clip(mean + self.spread * self._course, self.low, self.high).astype(self.dtype)
        pushed = np.sqrt(1 - PERSISTENCE**2) * self._draw.standard_normal(self.spread.shape)
        self._course = PERSISTENCE * self._course + pushed
        return action


class SmoothPolicy(RolloutPolicy):
    """Moves each number of an action about a mean of its own, a little each step: it stays on a course for a while.

    Args:
        space: of the actions, a ``Box`` with bounds.
        mean: of each number; None is the middle of its bounds.
        spread: of ``Course``.

    Raises:
        UserError: the actions are of another kind, or there is another number of means or spreads.
    """

    def __init__(self, space: Any, mean: list[float] | None = None, spread: list[float] | None = None) -> None:
        from gymnasium.spaces import Box

        if not isinstance(space, Box) or not space.is_bounded():
            raise UserError(f"policy smooth moves actions within bounds, and these are {space}: choose random")
        self.course = Course(space, spread)
        self.mean = _numbers("policy_mean", mean, (self.course.low + self.course.high) / 2)

    @override
    def begin(self, seed: int) -> None:
        self.course.begin(seed)

    @override
    def act(self, observation: Any) -> Any:
        return self.course.about(self.mean)


class ExpertPolicy(RolloutPolicy):
    """Drives CarRacing by the state of the environment, as ``datamodules.environments.racing.expert`` says.

    Args:
        env: it, perhaps in wrappers.
        expert: one of its ``EXPERTS``.
        spread: of the ``Course`` that its actions are moved by, so that it comes off its line; None leaves them.

    Raises:
        UserError: it is another environment, or there is another number of spreads.
    """

    def __init__(self, env: Any, expert: str, spread: list[float] | None = None) -> None:
        self.expert = EXPERTS[expert](env)
        self.course = None if spread is None else Course(env.action_space, spread)

    @override
    def begin(self, seed: int) -> None:
        """Begin an episode: the expert finds its track by itself."""
        if self.course is not None:
            self.course.begin(seed)

    @override
    def act(self, observation: Any) -> Any:
        action = self.expert.act()
        return action if self.course is None else self.course.about(action)


class AgentPolicy(RolloutPolicy):
    """Plays as the agent of a checkpoint does.

    Args:
        path: the checkpoint.

    Raises:
        UserError: it cannot be read, or is not of an agent.
    """

    def __init__(self, path: str) -> None:
        self.agent = load_module(path)
        if not isinstance(self.agent, (Acts, ActsWithMemory)):
            raise UserError(f"{path} is of {type(self.agent).__name__}, which does not act")

    @override
    def begin(self, seed: int) -> None:
        self._state: Memory = self.agent.initial_state(1) if isinstance(self.agent, ActsWithMemory) else {}

    @override
    @torch.no_grad()
    def act(self, observation: Any) -> Any:
        seen = torch.from_numpy(np.asarray(observation)[None])
        if isinstance(self.agent, ActsWithMemory):
            action, self._state = self.agent.act(seen, self._state)
        else:
            assert isinstance(self.agent, Acts)
            action = self.agent.act(seen)
        return action[0].cpu().numpy()


def make_policy(
    policy: str, env: Any, hold: int, mean: list[float] | None = None, spread: list[float] | None = None
) -> RolloutPolicy:
    """Return one of the policies of ``NAMED``, or the agent of a checkpoint. Raises UserError where there is none."""
    if policy == "random":
        return RandomPolicy(env.action_space, hold)
    if policy == "smooth":
        return SmoothPolicy(env.action_space, mean, spread)
    if policy in DRIVERS:
        return ExpertPolicy(env, DRIVERS[policy], spread)
    return AgentPolicy(policy)


def _numbers(name: str, given: list[float] | None, usual: Any) -> Any:
    if given is None:
        return usual
    if np.shape(given) != usual.shape:
        raise UserError(f"{name} has {len(given)} numbers, and an action has {usual.size}")
    return np.array(given, dtype=np.float64)
