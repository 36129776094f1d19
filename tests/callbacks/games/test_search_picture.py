"""A picture of what is thought of a position, the same position each time."""

import numpy as np
import pytest

from callbacks import SearchPicture
from datamodules.games import ConnectFour
from dlmodules.errors import UserError
from dlmodules.sampling.openings import random_opening
from tests.dlmodules.rl.agent_runs import trainer
from tests.dlmodules.rl.search.test_alphazero import games, learner


def test_the_position_is_made_by_its_seed_and_goes_on() -> None:
    game = ConnectFour()
    first, again, other = (random_opening(game, 6, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert first.ply[0] == 6
    for seed in range(20):
        assert not game.outcome(random_opening(game, 42, np.random.default_rng(seed)))[0][0]


@pytest.mark.parametrize("simulations", [0, 8])
def test_a_run_leaves_a_picture_and_is_not_disturbed(simulations: int, tmp_path) -> None:
    found = []
    for callbacks in ([], [SearchPicture(simulations, plies=2, every_n_steps=2)]):
        module = learner()
        trainer(callbacks=callbacks, limit_val_batches=0, default_root_dir=tmp_path, max_steps=5).fit(module, games())
        found.append([value.numpy() for value in module.state_dict().values()])
    assert all(np.array_equal(one, other) for one, other in zip(*found, strict=True))
    assert list(tmp_path.glob("media/search*.png"))


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(UserError, match="0 or more"):
        SearchPicture(simulations=-1)
