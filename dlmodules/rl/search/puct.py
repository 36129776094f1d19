"""Search led by a network: PUCT in trees that keep what they have proven."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from typing_extensions import override

from dlmodules.protocols.games import Boards, Flags, Floats, Game, Integers
from dlmodules.rl.search.trees import Evaluate, Leaves, Score, Trees

Noise = Callable[[Floats, Flags], Floats]
"""Takes priors and legal actions ``(N, A)``, and returns other priors ``(N, A)``."""


@dataclass(frozen=True)
class PessimisticPUCT:
    """AlphaZero's rule, in which an action that was never followed is worth less than its node.

    Args:
        c: how much is explored.
        reduction: how much less than the mean of the node's simulations it is worth.
    """

    c: float = 1.5
    reduction: float = 0.2

    def __call__(self, visits: Floats, value_sum: Floats, prior: Floats) -> Floats:
        """Return the scores ``(B, A)``."""
        total = np.maximum(visits.sum(1, keepdims=True), 1)
        unvisited = value_sum.sum(1, keepdims=True) / total - np.float32(self.reduction)
        mean = np.where(visits > 0, value_sum / np.maximum(visits, 1), unvisited)
        # Before the first visit the prior alone decides.
        scores: Floats = mean + np.float32(self.c) * prior * np.sqrt(total) / (1 + visits)
        return scores


class ProvingTrees(Trees):
    """Trees that conclude from the ends of games, as far as a simulation has seen them, and search no further there.

    A node with a move to a lost position is won; a move to a won position is refuted and not followed again; a node all
    of whose moves are decided is worth the best of them. A root is searched on, but for its refuted moves.

    Attributes:
        refuted: ``(N, A)``, the moves at the roots that lose.
        winning: ``(N, A)``, the moves at the roots that win.
    """

    def __init__(self, game: Game, boards: Boards, prior: Floats, simulations: int) -> None:
        super().__init__(game, boards, prior, simulations)
        self.parent_edge: Integers = np.full(len(self.ended), -1, np.int64)
        self.refuted: Flags = np.zeros((self.num_games, game.num_actions), np.bool_)
        self.winning: Flags = np.zeros_like(self.refuted)

    @override
    def _grow(self, games: Integers, edges: Integers) -> Integers:
        nodes = super()._grow(games, edges)
        self.parent_edge[nodes] = edges
        return nodes

    @override
    def back_up(self, leaves: Leaves, value: Floats) -> None:
        """Add what leaves are worth to the way there, and conclude from those that are decided."""
        super().back_up(leaves, value)
        nodes = leaves.nodes[leaves.ended]
        nodes = nodes[self.parent_edge[nodes] >= 0]
        while nodes.size:
            nodes = self._conclude(nodes)

    def _conclude(self, nodes: Integers) -> Integers:
        """Take into the nodes above what decided ``nodes`` mean; return those that are decided by it."""
        edges = self.parent_edge[nodes]
        above, action = np.divmod(edges, self.game.num_actions)
        is_root, game = above % self.room == 0, above // self.room
        wins, loses = self.outcome[nodes] < 0, self.outcome[nodes] > 0
        self.winning[game[is_root & wins], action[is_root & wins]] = True
        self.refuted[game[is_root & loses], action[is_root & loses]] = True
        below = self.child[above]
        decided = (below >= 0) & self.ended[below]
        all_decided = (decided | ~self.legal[above]).all(1) & ~wins
        worth = np.where(decided, -self.outcome[below], -np.float32(1)).max(1)
        ends = (wins | all_decided) & ~is_root
        self.ended[above[ends]], self.outcome[above[ends]] = True, np.where(wins, np.float32(1), worth)[ends]
        # At a root one move is left, so that a search has something to follow and a player something to play.
        forbids = loses & (~is_root | (self.legal[above].sum(1) > 1)) & ~ends
        self.legal.reshape(-1)[edges[forbids]] = False
        up: Integers = above[ends]
        return up


@dataclass(frozen=True)
class Found:
    """What a search found at the roots of N games.

    Attributes:
        visits: ``(N, A)``, how many simulations followed an action.
        q: ``(N, A)``, the mean values of the actions, or what was proven; 0 for one that was never followed.
        value: ``(N,)``, what the positions are worth to the player to move, by the search.
        prior: ``(N, A)``, by the network alone.
        network_value: ``(N,)``, by the network alone.
        refuted: ``(N, A)``, the actions that are proven to lose.
        winning: ``(N, A)``, the actions that are proven to win.
        lines: the moves of each game that were followed most; none unless they were asked for.
    """

    visits: Floats
    q: Floats
    value: Floats
    prior: Floats
    network_value: Floats
    refuted: Flags
    winning: Flags
    lines: list[list[int]] = field(default_factory=list)


def found_in(trees: ProvingTrees, prior: Floats, value: Floats, lines: bool = False) -> Found:
    """Return what a search has found.

    Args:
        trees: those of the search.
        prior: ``(N, A)``, the network's at the roots, without noise.
        value: ``(N,)``, the network's at the roots.
        lines: whether the principal variations are wanted.
    """
    visits = trees.root_visits.copy()
    value_sum = trees.root_values * visits
    mean = (value + value_sum.sum(1)) / (1 + visits.sum(1))
    q = np.where(trees.winning, np.float32(1), np.where(trees.refuted, np.float32(-1), trees.root_values))
    mean = np.where(trees.winning.any(1), np.float32(1), mean).astype(np.float32)
    variations = [trees.principal_variation(index) for index in range(len(mean))] if lines else []
    return Found(visits, q, mean, prior, value, trees.refuted, trees.winning, variations)


def search(
    game: Game,
    boards: Boards,
    evaluate: Evaluate,
    simulations: int,
    score: Score,
    noise: Noise | None = None,
    lines: bool = False,
) -> Found:
    """Search N running games with ``simulations`` each, the network being asked once a simulation for all of them.

    Args:
        game: the rules.
        boards: the positions.
        evaluate: the network.
        simulations: for each game.
        score: what is followed.
        noise: changes the priors ``(N, A)`` of the roots; None leaves them.
        lines: whether the principal variations are wanted.
    """
    prior, value = evaluate(boards)
    noisy = prior if noise is None else noise(prior, game.legal(boards))
    trees = ProvingTrees(game, boards, noisy, simulations)
    for _ in range(simulations):
        trees.simulate(score, evaluate)
    return found_in(trees, prior, value, lines)
