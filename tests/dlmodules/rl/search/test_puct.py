"""Search led by a network: what is counted, what is proven, and that it does not know left from right."""

import numpy as np
import pytest

from datamodules.games import ConnectFour, Othello6, TicTacToe
from dlmodules.protocols import Boards
from dlmodules.rl.search.minimax import action_values
from dlmodules.rl.search.puct import PessimisticPUCT, ProvingTrees, search
from dlmodules.rl.search.trees import Trees
from tests.datamodules.games.random_games import random_games
from tests.dlmodules.rl.search.positions import GAME, after, at_random

SCORE = PessimisticPUCT()


def uniform(game):
    """Return what thinks all legal actions alike, and all positions even."""

    def evaluate(boards):
        legal = game.legal(boards).astype(np.float32)
        return legal / legal.sum(1, keepdims=True), np.zeros(len(boards.ply), np.float32)

    return evaluate


def by_planes(game, seed=0):
    """Return a network by hand that treats every symmetry of the game alike: it adds up over all of them."""
    rng = np.random.default_rng(seed)
    squares = np.prod(game.board_shape)
    weight = rng.normal(size=(2 * squares, game.num_actions)).astype(np.float32)
    worth = rng.normal(size=2 * squares).astype(np.float32)

    def evaluate(boards):
        flat = game.planes(boards).reshape(len(boards.ply), 2, -1)
        logits, value = np.zeros((len(flat), game.num_actions)), np.zeros(len(flat))
        for symmetry in game.symmetries:
            turned = flat[..., symmetry.squares].reshape(len(flat), -1)
            logits[:, symmetry.actions] += turned @ weight
            value += turned @ worth
        scores = np.where(game.legal(boards), logits, -np.inf)
        weights = np.exp(scores - scores.max(1, keepdims=True))
        return (weights / weights.sum(1, keepdims=True)).astype(np.float32), np.tanh(value / 4).astype(np.float32)

    return evaluate


@pytest.mark.parametrize(("game", "ply"), [(TicTacToe(), 2), (ConnectFour(), 12), (Othello6(), 20)])
def test_visits_sum_to_the_simulations(game, ply):
    boards = random_games(game, 40, seed=1)[0][ply][1]
    found = search(game, boards, uniform(game), 30, SCORE)
    assert np.array_equal(found.visits.sum(1), np.full(len(boards.ply), 30))
    assert not found.visits[~game.legal(boards)].any()
    assert np.abs(found.q).max() <= 1
    assert np.abs(found.value).max() <= 1


def test_no_games_are_searched_without_a_word():
    boards = GAME.start(3).at(np.zeros(3, dtype=bool))
    found = search(GAME, boards, uniform(GAME), 8, SCORE)
    assert found.visits.shape == found.q.shape == (0, GAME.num_actions)


def test_a_win_is_found_and_a_forced_loss_is_known_by_its_sign():
    wins = after(0, 6, 1, 6, 2, 5)  # the first player has 0, 1 and 2 in the lowest row
    found = search(GAME, wins, uniform(GAME), 60, SCORE)
    assert found.visits[0].argmax() == 3
    assert found.winning[0].tolist() == [column == 3 for column in range(7)]
    assert found.value[0] == 1
    lost = after(2, 0, 3, 0, 4)  # both ends of the row are open
    found = search(GAME, lost, uniform(GAME), 400, SCORE)
    assert found.refuted[0].sum() >= 6
    assert found.value[0] < -0.5
    blocked = after(0, 6, 1, 6, 2)  # all other moves lose at once
    found = search(GAME, blocked, uniform(GAME), 100, SCORE)
    assert found.visits[0].argmax() == 3
    assert found.refuted[0].tolist() == [column != 3 for column in range(7)]


def test_what_is_proven_is_true():
    game = TicTacToe()
    boards = Boards.joined([boards for _, boards, _ in random_games(game, 60, seed=3)[0][2:7]])
    found = search(game, boards, uniform(game), 120, SCORE)
    true = action_values(game, boards)
    assert found.winning.sum() > 50
    assert found.refuted.sum() > 50
    assert (true[found.winning] > 0).all()
    assert (true[found.refuted] < 0).all()
    # With so many simulations all that wins within a move is found.
    at_once = np.isclose(true, true.max(1, keepdims=True)) & (true > 0.985)
    assert found.winning.any(1)[at_once.any(1)].all()


def test_without_an_end_in_sight_nothing_is_proven_and_trees_are_plain():
    boards, evaluate = after(3, 3), by_planes(GAME)
    prior, _ = evaluate(boards)
    plain, proving = (kind(GAME, boards, prior, 40) for kind in (Trees, ProvingTrees))
    for trees in (plain, proving):
        for _ in range(40):
            trees.simulate(SCORE, evaluate)
    assert not proving.ended.any()
    assert np.array_equal(plain.visits, proving.visits)
    assert np.array_equal(plain.value_sum, proving.value_sum)


@pytest.mark.parametrize(("game", "ply"), [(ConnectFour(), 9), (TicTacToe(), 2)])
def test_turned_positions_have_turned_policies(game, ply):
    boards = random_games(game, 30, seed=2)[0][ply][1]
    evaluate = by_planes(game)
    found = search(game, boards, evaluate, 50, SCORE)
    flat = game.planes(boards).reshape(len(boards.ply), 2, -1)
    for symmetry in game.symmetries[1:]:
        turned = boards_of(game, flat[..., symmetry.squares], boards.ply)
        again = search(game, turned, evaluate, 50, SCORE)
        np.testing.assert_allclose(again.prior, found.prior[:, symmetry.actions], atol=1e-5)
        # Where two moves are exactly alike the first of them is followed, and which is first is not symmetric.
        ties = [len(set(row[row > 0].round(5).tolist())) < (row > 0).sum() for row in found.prior]
        same = np.isclose(again.visits, found.visits[:, symmetry.actions]).all(1)
        assert same[~np.array(ties)].mean() >= 0.9
        assert (~np.array(ties)).sum() > 8


def boards_of(game, planes, ply):
    """Return the boards with the given planes ``(N, 2, H * W)``."""
    bits = np.uint64(1) << game.squares.reshape(-1)
    own, other = ((planes[:, side] > 0) * bits for side in (0, 1))
    return Boards(own.sum(1, dtype=np.uint64), other.sum(1, dtype=np.uint64), ply)


def test_many_games_are_searched_as_each_alone():
    boards, evaluate = at_random(6, seed=4, first=8, last=12), by_planes(GAME)
    together = search(GAME, boards, evaluate, 40, SCORE)
    for index in range(0, len(boards.ply), 7):
        alone = search(GAME, boards.at([index]), evaluate, 40, SCORE)
        assert np.array_equal(alone.visits[0], together.visits[index])
