"""The smallest environments in which one part of an agent shows whether it works; observations are one-hot."""

from typing import Any

import gymnasium as gym
import numpy as np


class Probe(gym.Env):
    """States 0..n-1, shown one-hot. A child says what an action does."""

    states = 1
    actions = 2

    def __init__(self) -> None:
        self.observation_space = gym.spaces.Box(0.0, 1.0, (self.states,), np.float32)
        self.action_space = gym.spaces.Discrete(self.actions)
        self.state = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.state = self.begin()
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.state, reward, end = self.move(int(action))
        return self._observation(), float(reward), end, False, {}

    def begin(self) -> int:
        return 0

    def move(self, action: int) -> tuple[int, float, bool]:
        raise NotImplementedError

    def _observation(self) -> Any:
        return np.eye(self.states, dtype=np.float32)[self.state]


class Five(Probe):
    """Five probes at once, in one of which an episode begins: a run shows what an agent makes of each.

    A constant reward: ``constant`` pays 1. A value that the observation tells: ``bad`` costs 1, ``good`` pays 1. A
    reward that comes a step later: ``first`` leads to ``second``, which pays 1. The action that pays: in ``choice``
    action 1 pays 1, action 0 costs 1. Time limits: ``cut`` and ``over`` pay 1 and lead to themselves; after ten steps
    the one is truncated, the other terminated.
    """

    names = ("constant", "bad", "good", "first", "second", "choice", "cut", "over")
    states = len(names)

    def begin(self) -> int:
        self.steps = 0
        return int(self.np_random.choice([0, 1, 2, 3, 5, 6, 7]))

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        name = self.names[self.state]
        self.steps += 1
        over = {"first": False, "cut": False, "over": self.steps == 10}.get(name, True)
        reward = {"bad": -1.0, "first": 0.0, "choice": 2.0 * int(action) - 1.0}.get(name, 1.0)
        self.state += name == "first"
        return self._observation(), reward, over, name == "cut" and self.steps == 10, {}


class Numbered(gym.ObservationWrapper[Any, Any, Any]):
    """The number of what is shown one-hot, for tables."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        assert env.observation_space.shape is not None
        self.observation_space = gym.spaces.Discrete(env.observation_space.shape[0])

    def observation(self, observation: Any) -> Any:
        return observation.argmax()


class ValueByObservation(Probe):
    """One step that pays 1 in state 1 and -1 in state 0."""

    states = 2

    def begin(self) -> int:
        return int(self.np_random.integers(2))

    def move(self, action: int) -> tuple[int, float, bool]:
        return self.state, 2.0 * self.state - 1.0, True


class NoisyReward(Probe):
    """The second of two steps pays -0.1 in the mean and 1 more or less, whichever of 8 actions it is.

    The largest of noisy estimates of it is above that.
    """

    states = 2
    actions = 8

    def move(self, action: int) -> tuple[int, float, bool]:
        if self.state == 0:
            return 1, 0.0, False
        return 1, self.np_random.normal(-0.1, 1.0), True


class Delayed(Probe):
    """Ten steps whatever one does; the last pays 1."""

    states = 10

    def move(self, action: int) -> tuple[int, float, bool]:
        end = self.state == self.states - 1
        return min(self.state + 1, self.states - 1), float(end), end


class Rare(Probe):
    """One step in a hundred pays 10 and shows its own state; the rest pay nothing."""

    states = 2

    def begin(self) -> int:
        return int(self.np_random.random() < 0.01)

    def move(self, action: int) -> tuple[int, float, bool]:
        return self.state, 10.0 * self.state, True


class Chain(Probe):
    """One action goes on along five states, of which the last pays 1; the other ends it, for 0.01."""

    states = 5
    right = (1, 0, 0, 1, 0)

    def move(self, action: int) -> tuple[int, float, bool]:
        if action != self.right[self.state]:
            return self.state, 0.01, True
        end = self.state == self.states - 1
        return min(self.state + 1, self.states - 1), float(end), end


class TwoValued(Probe):
    """One step that pays 1 or -1, each every second time."""

    def move(self, action: int) -> tuple[int, float, bool]:
        return 0, float(self.np_random.choice([-1.0, 1.0])), True


PROBES = {probe.__name__: probe for probe in Probe.__subclasses__()}


def register() -> None:
    """Make them known to Gymnasium as ``Probe<Name>-v0``."""
    for name, probe in PROBES.items():
        if f"Probe{name}-v0" not in gym.registry:
            gym.register(f"Probe{name}-v0", entry_point=probe)
