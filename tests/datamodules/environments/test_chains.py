import numpy as np
import pytest
import torch

from datamodules.environments.chains import MaximizationBias, RandomWalk
from datamodules.environments.environment import EnvironmentDataModule
from dlmodules.errors import UserError
from tests.dlmodules.rl.tabular.exact import uniform, value_of


def test_a_walk_is_worth_a_tenth_a_state() -> None:
    found = EnvironmentDataModule("dlmodules/RandomWalk-v0").transitions
    values = value_of(found, uniform(found), 1.0)
    torch.testing.assert_close(values[1:-1], torch.arange(-9, 10, dtype=torch.float64) / 10)
    assert found.terminal.nonzero().flatten().tolist() == [0, 20]
    assert found.initial.argmax() == 10
    assert found.max_steps == 1_000


def test_a_walk_of_three_states_by_hand() -> None:
    env = RandomWalk(length=3)
    assert env.reset(seed=0)[0] == 2
    assert [env.step(action)[:3] for action in (0, 1, 1, 1)] == [
        (1, 0.0, False),
        (2, 0.0, False),
        (3, 0.0, False),
        (4, 1.0, True),
    ]
    env.reset()
    assert [env.step(0)[:3] for _ in range(2)] == [(1, 0.0, False), (0, -1.0, True)]


def test_left_looks_good_and_is_not() -> None:
    found = EnvironmentDataModule("dlmodules/MaximizationBias-v0").transitions
    assert (found.num_states, found.num_actions) == (3, 10)
    mean = (found.probability * found.reward).sum(2)
    square = (found.probability * found.reward**2).sum(2)
    torch.testing.assert_close(mean[0], torch.full((10,), -0.1, dtype=torch.float64))
    torch.testing.assert_close((square - mean**2)[0], torch.ones(10, dtype=torch.float64))
    env = MaximizationBias()
    assert env.reset(seed=0)[0] == 1
    assert env.step(0)[:3] == (0, 0.0, False)
    assert env.step(3)[1:3] in [(-1.1, True), (0.9, True)]
    env.reset()
    assert env.step(9)[:3] == (2, 0.0, True)


def test_a_chain_is_seen() -> None:
    env = RandomWalk(length=3, render_mode="rgb_array")
    env.reset(seed=0)
    image = env.render()
    assert image.shape == (32, 160, 3)
    assert np.array_equal(image[16, 80], (40, 90, 200))


@pytest.mark.parametrize(
    ("made", "message"), [(lambda: RandomWalk(4), "an odd number"), (lambda: MaximizationBias(1), "2 or more")]
)
def test_arguments_are_checked(made, message) -> None:
    with pytest.raises(UserError, match=message):
        made()
