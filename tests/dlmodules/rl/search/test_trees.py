"""The trees of many games against one tree of objects, written down as the books say it."""

import math

import numpy as np
import pytest

from datamodules.games import ConnectFour, Othello6, TicTacToe
from dlmodules.rl.search.scores import PUCT, UCT
from dlmodules.rl.search.trees import Trees
from tests.datamodules.games.random_games import random_games
from tests.dlmodules.rl.search.positions import after


def evaluate(game):
    """Return priors and values that hang on the position alone, in float32."""

    def by_position(boards):
        priors, values = [], []
        for own, other in zip(boards.own, boards.other, strict=True):
            rng = np.random.default_rng([int(own), int(other)])
            legal = game.legal(boards)[len(priors)]
            prior = rng.random(game.num_actions).astype(np.float32) * legal
            priors.append(prior / prior.sum())
            values.append(rng.uniform(-1, 1))
        return np.array(priors, np.float32), np.array(values, np.float32)

    return by_position


class Node:
    def __init__(self, game, boards, prior=None):
        self.boards, self.prior = boards, prior
        ended, value = game.outcome(boards)
        self.ended, self.outcome = bool(ended[0]), float(value[0])
        self.legal = np.flatnonzero(game.legal(boards)[0])
        self.children = {}
        self.visits, self.total = np.zeros(game.num_actions), np.zeros(game.num_actions)


def simulate(game, node, score, evaluation):
    """Return what a simulation from ``node`` is worth to the player to move there."""
    if node.ended:
        return node.outcome
    if node.prior is None:
        prior, value = evaluation(node.boards)
        node.prior = prior[0]
        return float(value[0])
    action = max(node.legal, key=lambda a: score(node, a))
    if action not in node.children:
        node.children[action] = Node(game, game.play(node.boards, np.array([action])))
    value = -simulate(game, node.children[action], score, evaluation)
    node.visits[action] += 1
    node.total[action] += value
    return value


def puct(node, action):
    n = node.visits[action]
    mean = node.total[action] / n if n else 0.0
    return mean + 1.25 * node.prior[action] * math.sqrt(max(node.visits.sum(), 1)) / (1 + n)


def uct(node, action):
    n = node.visits[action]
    if n == 0:
        return 1000 + node.prior[action]
    return node.total[action] / n + UCT().c * math.sqrt(math.log(node.visits.sum()) / n)


def middle(game, n):
    """Return positions of games at random, some of them shortly before the end."""
    plies, _ = random_games(game, n, seed=3)
    return plies[len(plies) // 2][1]


@pytest.mark.parametrize(("ours", "theirs"), [(PUCT(), puct), (UCT(), uct)], ids=["puct", "uct"])
@pytest.mark.parametrize("game", [TicTacToe(), ConnectFour(), Othello6()], ids=lambda game: game.name)
def test_many_trees_are_what_a_recursion_makes_of_each(game, ours, theirs):
    boards, evaluation = middle(game, 12), evaluate(game)
    trees = Trees(game, boards, evaluation(boards)[0], 60)
    for _ in range(60):
        trees.simulate(ours, evaluation)
    for index in range(len(boards.ply)):
        alone = boards.at([index])
        root = Node(game, alone, evaluation(alone)[0][0])
        for _ in range(60):
            simulate(game, root, theirs, evaluation)
        assert np.array_equal(trees.root_visits[index], root.visits)
        mean = root.total / np.maximum(root.visits, 1)
        assert np.allclose(trees.root_values[index], mean, atol=1e-5)
        line, node = [], root
        while node is not None and node.visits.any():
            line.append(int(node.visits.argmax()))
            node = node.children.get(line[-1])
        assert trees.principal_variation(index) == line


@pytest.mark.parametrize("game", [TicTacToe(), ConnectFour(), Othello6()], ids=lambda game: game.name)
def test_every_simulation_follows_one_legal_action_of_each_root(game):
    boards, evaluation = middle(game, 12), evaluate(game)
    trees = Trees(game, boards, evaluation(boards)[0], 40)
    for done in range(1, 41):
        trees.simulate(PUCT(), evaluation)
        assert (trees.root_visits.sum(1) == done).all()
    assert not trees.visits[~trees.legal].any()
    known = trees.child >= 0
    # Whoever was visited v times has passed v - 1 visits on, but for the ends of games, which keep theirs.
    below = trees.child[known]
    passed_on = trees.visits[below].sum(1)
    assert np.array_equal(passed_on[~trees.ended[below]], trees.visits[known][~trees.ended[below]] - 1)
    assert not passed_on[trees.ended[below]].any()


def test_a_win_is_a_win_from_below_and_a_loss_from_above():
    # X has three in the first column and O three in the last: whoever is to move wins.
    to_move = after(0, 6, 0, 6, 0, 6)
    before = after(0, 6, 0, 6, 0)

    def nothing(boards):
        return np.full((len(boards.ply), 7), 1 / 7, np.float32), np.zeros(len(boards.ply), np.float32)

    trees = Trees(ConnectFour(), to_move, nothing(to_move)[0], 100)
    for _ in range(100):
        trees.simulate(PUCT(), nothing)
    assert trees.root_visits[0].argmax() == 0
    assert trees.root_values[0, 0] == 1
    trees = Trees(ConnectFour(), before, nothing(before)[0], 400)
    for _ in range(400):
        trees.simulate(PUCT(), nothing)
    assert trees.root_visits[0].argmax() == 0  # all else loses
    assert (trees.root_values[0, 1:] < -0.4).all()


def test_a_mirror_image_is_searched_as_its_original():
    game = ConnectFour()
    original, mirrored = after(1, 2, 2, 5, 1, 0, 3), after(5, 4, 4, 1, 5, 6, 3)
    flip = game.symmetries[1].actions
    plain = evaluate(game)

    def mirror(boards):
        planes = game.planes(boards)[..., ::-1].reshape(len(boards.ply), 2, -1)
        bits = (planes.astype(np.uint64) << game.squares.reshape(-1)).sum(2, dtype=np.uint64)
        return type(boards)(bits[:, 0], bits[:, 1], boards.ply)

    def evaluation(boards):
        """Evaluate whichever is the smaller of a position and its image, and turn the priors back."""
        turned = mirror(boards)
        is_image = (turned.own < boards.own) | ((turned.own == boards.own) & (turned.other < boards.other))
        chosen = type(boards)(*(np.where(is_image, a, b) for a, b in zip(turned, boards, strict=True)))
        prior, value = plain(chosen)
        return np.where(is_image[:, None], prior[:, flip], prior), value

    boards = type(original).joined([original, mirrored])
    trees = Trees(game, boards, evaluation(boards)[0], 200)
    for _ in range(200):
        trees.simulate(PUCT(), evaluation)
    assert np.array_equal(trees.root_visits[0], trees.root_visits[1, flip])
    assert np.array_equal(trees.root_values[0], trees.root_values[1, flip])


def test_roots_that_have_ended_stay_as_they_are():
    ended = after(0, 6, 0, 6, 0, 6, 0)
    boards = type(ended).joined([ended, after(3)])
    evaluation = evaluate(ConnectFour())
    trees = Trees(ConnectFour(), boards, np.full((2, 7), 1 / 7, np.float32), 5)
    for _ in range(5):
        trees.simulate(PUCT(), evaluation)
    assert trees.root_visits.sum(1).tolist() == [0, 5]
    assert trees.principal_variation(0) == []


def test_another_rule_may_hold_at_the_roots():
    game, evaluation = ConnectFour(), evaluate(ConnectFour())
    trees = Trees(game, after(3), np.full((1, 7), 1 / 7, np.float32), 20)

    def only_the_last(visits, value_sum, prior):
        scores = np.zeros_like(visits)
        scores[:, 6] = 1
        return scores

    for _ in range(20):
        trees.simulate(PUCT(), evaluation, at_root=only_the_last)
    assert trees.root_visits[0].tolist() == [0, 0, 0, 0, 0, 0, 20]
