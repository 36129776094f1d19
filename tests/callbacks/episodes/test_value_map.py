"""The map of values over two numbers of an observation."""

import pytest

from callbacks import ValueMap
from dlmodules.errors import UserError
from dlmodules.rl.semi_gradient import SemiGradientQLearning
from dlmodules.rl.semi_gradient_td import SemiGradientTD
from dlmodules.rl.tile_coding import LinearValues
from tests.dlmodules.rl import agent_runs


def test_the_plane_lies_where_it_is_asked_for():
    states = ValueMap([0, -1], [1, 1], axes=[3, 1], at=[7, 7, 7, 7], size=3).states(4)
    assert states[:, [0, 2]].unique().tolist() == [7]
    assert states[:4, 3].tolist() == [0, 0, 0, 0.5]
    assert states[:4, 1].tolist() == [-1, 0, 1, -1]
    assert ValueMap([0, 0], [1, 1], size=2).states(3)[:, 2].unique().tolist() == [0]


@pytest.mark.parametrize(("cls", "outputs"), [(SemiGradientQLearning, 2), (SemiGradientTD, 1)])
def test_a_picture_of_values_and_of_actions(tmp_path, cls, outputs):
    callback = ValueMap([-0.2, -1], [0.2, 1], axes=[2, 3], size=5, names=["angle", "speed"])
    trainer = agent_runs.trainer(default_root_dir=tmp_path, callbacks=[callback])
    agent = cls(4, 2, network=LinearValues(4, outputs))
    trainer.fit(agent, agent_runs.data(total_steps=300))
    assert list((tmp_path / "media").glob("value_map*.png"))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"low": [0], "high": [1]}, "of two numbers each"),
        ({"low": [0, 1], "high": [1, 1]}, "low must be below high"),
        ({"low": [0, 0], "high": [1, 1], "size": 1}, "size 2 or more"),
    ],
)
def test_mistakes(arguments, line):
    with pytest.raises(UserError, match=line):
        ValueMap(**arguments)
