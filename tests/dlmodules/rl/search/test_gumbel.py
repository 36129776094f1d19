"""Sequential halving, and the policy that it makes."""

import numpy as np
import pytest

from dlmodules import GumbelAlphaZero
from dlmodules.errors import UserError
from dlmodules.rl.search.gumbel import completed_values, gumbel_search, improved_policy, visits_before
from dlmodules.rl.search.puct import Found, PessimisticPUCT
from tests.dlmodules.rl.agent_runs import trainer
from tests.dlmodules.rl.search.positions import GAME, after, at_random
from tests.dlmodules.rl.search.test_alphazero import games, learner
from tests.dlmodules.rl.search.test_puct import by_planes, uniform

SCORE = PessimisticPUCT()


def test_halving_by_hand() -> None:
    # Four moves twice, as 16 / (2 * 4) says, then the better two of them until all is used.
    assert visits_before(4, 16) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert visits_before(1, 3) == [0, 1, 2]
    assert visits_before(2, 4) == [0, 0, 1, 1]
    for considered in range(1, 17):
        for simulations in (1, 5, 32):
            assert len(visits_before(considered, simulations)) == simulations


def test_the_improved_policy_by_hand() -> None:
    rows = [np.array([row], np.float32) for row in ([3, 1, 0], [0.5, -0.5, 0], [0.5, 0.3, 0.2])]
    none = np.zeros((1, 3), bool)
    found = Found(rows[0], rows[1], np.zeros(1, np.float32), rows[2], np.array([0.2], np.float32), none, none)
    # The third was not visited: (v + N * (weighted mean of the others)) / (1 + N), the mean by the policy.
    mean = (0.5 * 0.5 - 0.3 * 0.5) / 0.8
    mixed = (0.2 + 4 * mean) / 5
    assert completed_values(found)[0].tolist() == pytest.approx([0.5, -0.5, mixed])
    weights = np.array([0.5, 0.3, 0.2]) * np.exp(0.1 * (2 + 3) * np.array([0.5, -0.5, mixed]))
    assert improved_policy(found, 2, 0.1)[0].tolist() == pytest.approx((weights / weights.sum()).tolist(), rel=1e-5)
    proven = found.__class__(
        **{**vars(found), "refuted": np.array([[True, False, False]]), "q": np.array([[-1, -0.5, 0]])}
    )
    assert improved_policy(proven, 50, 0.5)[0, 0] < 0.01


def test_it_plays_wins_and_never_what_is_refuted() -> None:
    rng = np.random.default_rng(0)
    _, action = gumbel_search(GAME, after(0, 6, 1, 6, 2, 5), uniform(GAME), 16, SCORE, rng)
    assert action[0] == 3
    found, action = gumbel_search(GAME, after(0, 6, 1, 6, 2), uniform(GAME), 200, SCORE, rng)
    assert action[0] == 3
    assert improved_policy(found, 50, 0.5)[0, 3] > 0.99
    boards = at_random(60, seed=6, first=10, last=20)
    found, action = gumbel_search(GAME, boards, by_planes(GAME), 24, SCORE, rng)
    rows = np.arange(len(action))
    assert GAME.legal(boards)[rows, action].all()
    assert not (found.refuted[rows, action] & ~found.refuted.all(1) & ~_all_but_one(found)).any()
    assert found.winning[rows, action][found.winning.any(1)].all()
    assert np.array_equal(found.visits.sum(1), np.full(len(rows), 24))


def _all_but_one(found: Found) -> np.ndarray:
    """Return where a root has one move left, which is kept whatever it is."""
    return np.asarray((found.visits > 0).sum(1) - found.refuted.sum(1) <= 0)


def test_moves_are_drawn_by_the_policy_where_values_say_nothing() -> None:
    boards, evaluate = GAME.start(4_000), by_planes(GAME)

    def even(positions):
        return evaluate(positions)[0], np.zeros(len(positions.ply), np.float32)

    _, action = gumbel_search(GAME, boards, even, 7, SCORE, np.random.default_rng(0))
    counts = np.bincount(action, minlength=7) / len(action)
    np.testing.assert_allclose(counts, evaluate(boards.at([0]))[0][0], atol=0.03)


def test_it_learns_by_its_own_search() -> None:
    module = learner(cls=GumbelAlphaZero)
    assert not {"noise_fraction", "temperature_plies", "prune_targets"} & module.hparams.keys()
    trainer(limit_val_batches=0).fit(module, games())
    assert module.env_steps == 400
    with pytest.raises(UserError, match="considered is 0"):
        GumbelAlphaZero(considered=0)
    with pytest.raises(TypeError, match="multiple values"):
        GumbelAlphaZero(noise_fraction=0.1)
