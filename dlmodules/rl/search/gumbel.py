"""Sequential halving of moves with Gumbel noise: a search of few simulations that still improves the policy."""

from math import ceil, log2

import numpy as np

from dlmodules.protocols.games import Boards, Floats, Game, Integers
from dlmodules.rl.search.puct import Found, ProvingTrees, found_in
from dlmodules.rl.search.trees import Evaluate, Score

LESS, NEVER = np.float32(1e4), np.float32(1e6)
"""What an action that is not due is ranked below the others by, and one that is proven to lose."""


def visits_before(considered: int, simulations: int) -> list[int]:
    """Return for each simulation how many visits the move that it follows has had before.

    Sequential halving gives the ``considered`` moves the same number of visits, then the better half of them, and so
    on until two are left; a move is one of the considered as long as it has as many visits as this says.
    """
    if considered <= 1:
        return list(range(simulations))
    sequence: list[int] = []
    phases, done, left = ceil(log2(considered)), [0] * considered, considered
    while len(sequence) < simulations:
        for _ in range(max(1, int(simulations / (phases * left)))):
            sequence += done[:left]
            done[:left] = [visits + 1 for visits in done[:left]]
        left = max(2, left // 2)
    return sequence[:simulations]


def completed_values(found: Found) -> Floats:
    """Return values ``(N, A)`` of the actions in which one without visits is worth what the others let expect."""
    visited = found.visits > 0
    weight = np.where(visited, found.prior, 0)
    of_visited = (weight * found.q).sum(1) / np.maximum(weight.sum(1), 1e-8)
    count = found.visits.sum(1)
    mixed = (found.network_value + count * of_visited) / (1 + count)
    known = visited | found.winning | found.refuted
    values: Floats = np.where(known, found.q, mixed[:, None]).astype(np.float32)
    return values


def scale(visits: Floats, visit_offset: float, value_scale: float) -> Floats:
    """Return by how much ``(N, 1)`` values are multiplied where they are added to logarithms of probabilities."""
    factor: Floats = np.float32(value_scale) * (np.float32(visit_offset) + visits.max(1, keepdims=True))
    return factor


def improved_policy(found: Found, visit_offset: float, value_scale: float) -> Floats:
    """Return the policy ``(N, A)`` of the network, moved towards the actions that the search found to be better."""
    logits = np.log(np.maximum(found.prior, 1e-20))
    scores = logits + scale(found.visits, visit_offset, value_scale) * completed_values(found)
    scores = np.where(found.prior > 0, scores, -np.inf)
    weights = np.exp(scores - scores.max(1, keepdims=True))
    policy: Floats = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return policy


def gumbel_search(
    game: Game,
    boards: Boards,
    evaluate: Evaluate,
    simulations: int,
    score: Score,
    generator: np.random.Generator,
    considered: int = 16,
    visit_offset: float = 50.0,
    value_scale: float = 0.5,
) -> tuple[Found, Integers]:
    """Search N running games; return what was found and the actions ``(N,)`` to be played.

    Args:
        game: the rules.
        boards: the positions.
        evaluate: the network.
        simulations: for each game.
        score: what is followed below the roots.
        generator: draws the noise.
        considered: so many moves at most are tried at the roots.
        visit_offset: c_visit of the paper.
        value_scale: c_scale of the paper, for values in [-1, 1].
    """
    prior, value = evaluate(boards)
    trees = ProvingTrees(game, boards, prior, simulations)
    legal = game.legal(boards)
    noise = generator.gumbel(size=prior.shape).astype(np.float32)
    noisy = np.where(legal, np.log(np.maximum(prior, np.float32(1e-20))), np.float32(-np.inf)) + noise
    count = np.minimum(legal.sum(1), considered)
    table = np.array([visits_before(number, simulations) for number in range(considered + 1)])[count]

    def ranks() -> Floats:
        visits, q = trees.root_visits, trees.root_values
        q = np.where(trees.winning, np.float32(1), np.where(trees.refuted, np.float32(-1), q))
        ranked: Floats = noisy + scale(visits, visit_offset, value_scale) * np.where(visits > 0, q, np.float32(0))
        return ranked

    for step in range(simulations):
        # A refuted move is out; where none has the number of visits that is due, the best of the others is followed.
        due = trees.root_visits == table[:, step : step + 1]
        rank = ranks() - LESS * ~due
        trees.simulate(score, evaluate, at_root=lambda *_, rank=rank: rank)
    most = trees.root_visits.max(1, keepdims=True)
    final = ranks() - LESS * (trees.root_visits < most) * ~trees.winning - NEVER * trees.refuted
    action = np.where(legal, final + NEVER * trees.winning, -np.inf).argmax(1)
    return found_in(trees, prior, value), action
