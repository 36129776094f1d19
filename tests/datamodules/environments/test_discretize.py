import gymnasium as gym
import numpy as np
import pytest

from datamodules.environments.discretize import Discretize
from datamodules.environments.environment import EnvironmentDataModule
from dlmodules.errors import UserError

LIMITS = {"low": [-2.4, -3.0, -0.21, -3.5], "high": [2.4, 3.0, 0.21, 3.5]}


class Row(gym.Env):
    """Shows what it is told."""

    action_space = gym.spaces.Discrete(2)

    def __init__(self, size: int = 2) -> None:
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (size,), np.float64)


def state_of(env: Discretize, *numbers: float) -> int:
    return int(env.observation(np.array(numbers)))


def test_bins_are_of_equal_width_and_numbers_beyond_are_in_the_outer_ones() -> None:
    env = Discretize(Row(1), low=[0.0], high=[10.0], bins=5)
    numbers = [-np.inf, -7.0, -0.1, 0.0, 1.99, 2.0, 5.0, 9.99, 10.0, 11.0, np.inf]
    assert [state_of(env, number) for number in numbers] == [0, 0, 0, 0, 0, 1, 2, 4, 4, 4, 4]


def test_the_first_number_counts_most() -> None:
    env = Discretize(Row(), low=[0, -1], high=[1, 1], bins=[2, 3])
    assert env.observation_space == gym.spaces.Discrete(6)
    states = [state_of(env, first, second) for first in (0.2, 0.7) for second in (-0.9, 0.0, 0.9)]
    assert states == [0, 1, 2, 3, 4, 5]


def test_every_state_is_a_product_of_bins_as_numpy_counts_them() -> None:
    env = Discretize(Row(4), **LIMITS, bins=[3, 5, 7, 4])
    rng = np.random.default_rng(0)
    for numbers in rng.normal(0, [2, 3, 0.2, 3], size=(200, 4)):
        edges = [
            np.linspace(low, high, count + 1)[1:-1]
            for low, high, count in zip(LIMITS["low"], LIMITS["high"], env.bins, strict=True)
        ]
        digits = [np.searchsorted(edge, number, side="right") for edge, number in zip(edges, numbers, strict=True)]
        assert state_of(env, *numbers) == np.ravel_multi_index(digits, env.bins)


def test_cart_pole_of_ten_steps_for_each_number_has_10000_states() -> None:
    wrapper = {"class_path": "datamodules.environments.discretize.Discretize", "init_args": {**LIMITS, "bins": 10}}
    data = EnvironmentDataModule("CartPole-v1", num_envs=2, wrappers=[wrapper])
    assert data.num_states == 10_000
    assert data.train_envs.observation.dtype.is_floating_point is False
    assert all(4_000 < state < 6_000 for state in data.train_envs.observation.tolist())  # near the middle
    single = EnvironmentDataModule("CartPole-v1", num_envs=1, wrappers=[wrapper])
    assert isinstance(single.train_envs.step_states(0).next_state, int)


@pytest.mark.parametrize(
    ("env", "arguments", "message"),
    [
        (Row(), {"low": [0], "high": [1]}, "must have 2 numbers"),
        (Row(), {"low": [0, 0], "high": [1, 1], "bins": [3]}, "must have 2 numbers"),
        (Row(), {"low": [0, 1], "high": [1, 1]}, "must be below high"),
        (Row(), {"low": [0, 0], "high": [1, float("inf")]}, "both finite"),
        (Row(), {"low": [0, 0], "high": [1, 1], "bins": 0}, "must be 1 or more each"),
        (Row(), {"low": [0, 0], "high": [1, 1], "bins": 100_000}, "less than 2\\^31 states"),
        (gym.make("FrozenLake-v1"), {"low": [0], "high": [1]}, "a row of numbers"),
    ],
)
def test_arguments_must_fit_the_observations(env: gym.Env, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Discretize(env, **arguments)


def test_an_observation_that_is_not_a_number_is_told() -> None:
    with pytest.raises(UserError, match="not a number"):
        state_of(Discretize(Row(1), [0.0], [1.0]), float("nan"))
