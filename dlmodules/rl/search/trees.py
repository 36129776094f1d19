"""The search trees of many games, as arrays: each simulation adds one leaf to every tree, without a loop over games."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from dlmodules.protocols.games import Boards, Flags, Floats, Game, Integers

Score = Callable[[Floats, Floats, Floats], Floats]
"""What a search goes by: visits, values summed and priors of the actions of B nodes ``(B, A)`` to scores ``(B, A)``.

Values are from the side of the player to move; an action that is not legal is never followed, whatever its score.
"""

Evaluate = Callable[[Boards], tuple[Floats, Floats]]
"""The priors ``(B, A)`` of the actions in B running games, and what they are worth to the player to move, ``(B,)``."""


class Leaves(NamedTuple):
    """Where a simulation came to in each game.

    Attributes:
        boards: the positions.
        ended: ``(N,)``, whether the game has ended there.
        value: ``(N,)``, what it is then worth to the player to move.
        nodes: ``(N,)``, the nodes of the positions.
        games: ``(E,)``, the game of each edge on the ways there.
        edges: ``(E,)``, the edges: node times A plus action.
        signs: ``(E,)``, 1 where the player to move at the edge's node is the one to move at the leaf, else -1.
    """

    boards: Boards
    ended: Flags
    value: Floats
    nodes: Integers
    games: Integers
    edges: Integers
    signs: Floats


class Trees:
    """One tree for each of N games, with room for a root and ``simulations`` nodes below it.

    What belongs to an action lies with the node that it leaves, and values there are from the side of the player to
    move at that node: a value changes its sign with each step up the tree. Node k of game i is row
    ``i * (simulations + 1) + k``.

    Args:
        game: the rules.
        boards: the positions of the roots.
        prior: ``(N, A)`` the priors of the actions there.
        simulations: how many may follow.

    Attributes:
        visits: ``(rows, A)``, how often an action was followed.
        value_sum: ``(rows, A)``, what came of it, summed.
        prior: ``(rows, A)``.
        legal: ``(rows, A)``.
        child: ``(rows, A)``, the node an action leads to, -1 where none has been there.
        ended: ``(rows,)``, whether the game has ended there.
        outcome: ``(rows,)``, what it is then worth to the player to move.
    """

    def __init__(self, game: Game, boards: Boards, prior: Floats, simulations: int) -> None:
        self.game = game
        self.num_games = len(boards.ply)
        self.room = simulations + 1
        rows, actions = self.num_games * self.room, game.num_actions
        self.visits: Floats = np.zeros((rows, actions), np.float32)
        self.value_sum: Floats = np.zeros((rows, actions), np.float32)
        self.prior: Floats = np.zeros((rows, actions), np.float32)
        self.legal: Flags = np.zeros((rows, actions), np.bool_)
        self.child: Integers = np.full((rows, actions), -1, np.int64)
        self.ended: Flags = np.zeros(rows, np.bool_)
        self.outcome: Floats = np.zeros(rows, np.float32)
        self.boards = Boards(np.zeros(rows, np.uint64), np.zeros(rows, np.uint64), np.zeros(rows, np.int64))
        self.size: Integers = np.ones(self.num_games, np.int64)
        self.roots: Integers = np.arange(self.num_games) * self.room
        self._place(self.roots, boards)
        self.prior[self.roots] = prior

    @property
    def root_visits(self) -> Floats:
        """How often each action was followed at the roots, ``(N, A)``: a view."""
        return self._at_roots(self.visits)

    @property
    def root_values(self) -> Floats:
        """The mean value of each action at the roots, ``(N, A)``; 0 for one that was never followed."""
        mean: Floats = self._at_roots(self.value_sum) / np.maximum(self.root_visits, np.float32(1))
        return mean

    @property
    def root_prior(self) -> Floats:
        """The priors at the roots, ``(N, A)``: a view, so that noise may be put in."""
        return self._at_roots(self.prior)

    @property
    def root_legal(self) -> Flags:
        """The legal actions at the roots, ``(N, A)``: a view."""
        legal: Flags = self.legal.reshape(self.num_games, self.room, *self.legal.shape[1:])[:, 0]
        return legal

    def select(self, score: Score, at_root: Score | None = None) -> Leaves:
        """Follow the best-scored actions in each tree to a position it does not have, or to the end of the game.

        Args:
            score: what is followed.
            at_root: what is followed at the roots instead.
        """
        actions = self.game.num_actions
        child = self.child.reshape(-1)
        nodes = self.roots.copy()
        active = np.flatnonzero(~self.ended[nodes])
        games, edges = [], []
        length = np.zeros(self.num_games, np.int64)
        last_edge = np.zeros(self.num_games, np.int64)
        is_new = np.zeros(self.num_games, np.bool_)
        here = at_root or score
        while len(active):
            node = nodes[active]
            scores = here(self.visits[node], self.value_sum[node], self.prior[node])
            edge = node * actions + np.where(self.legal[node], scores, -np.inf).argmax(1)
            games.append(active)
            edges.append(edge)
            length[active] += 1
            last_edge[active] = edge
            below = child[edge]
            is_known = below >= 0
            is_new[active[~is_known]] = True
            active, below = active[is_known], below[is_known]
            nodes[active] = below
            active = active[~self.ended[below]]
            here = score
        fresh = np.flatnonzero(is_new)
        nodes[fresh] = self._grow(fresh, last_edge[fresh])
        whose = np.concatenate(games) if games else np.zeros(0, np.int64)
        depth = np.repeat(np.arange(len(games)), [len(group) for group in games])
        return Leaves(
            boards=self.boards.at(nodes),
            ended=self.ended[nodes],
            value=self.outcome[nodes],
            nodes=nodes,
            games=whose,
            edges=np.concatenate(edges) if edges else whose,
            signs=(1 - 2 * ((length[whose] - depth) % 2)).astype(np.float32),
        )

    def back_up(self, leaves: Leaves, value: Floats) -> None:
        """Add what leaves are worth to the player to move there, ``(N,)``, to every action on the way to them."""
        # A way meets no edge twice, and no two games share one: a plain sum by index is enough.
        self.visits.reshape(-1)[leaves.edges] += 1
        self.value_sum.reshape(-1)[leaves.edges] += leaves.signs * value[leaves.games]

    def simulate(self, score: Score, evaluate: Evaluate, at_root: Score | None = None) -> None:
        """Do one simulation in every tree: select a leaf, evaluate it, and back its value up."""
        leaves = self.select(score, at_root)
        value = leaves.value.copy()
        running = np.flatnonzero(~leaves.ended)
        if len(running):
            self.prior[leaves.nodes[running]], value[running] = evaluate(leaves.boards.at(running))
        self.back_up(leaves, value)

    def principal_variation(self, index: int) -> list[int]:
        """Return the moves of game ``index`` that were followed most, from its root on."""
        line, node = [], int(self.roots[index])
        while node >= 0 and self.visits[node].any():
            line.append(int(self.visits[node].argmax()))
            node = int(self.child[node, line[-1]])
        return line

    def _at_roots(self, array: Floats) -> Floats:
        return array.reshape(self.num_games, self.room, *array.shape[1:])[:, 0]

    def _grow(self, games: Integers, edges: Integers) -> Integers:
        """Give each of the games the node that its edge leads to, and return the nodes."""
        parents, actions = np.divmod(edges, self.game.num_actions)
        nodes = self.roots[games] + self.size[games]
        self.size[games] += 1
        self.child.reshape(-1)[edges] = nodes
        self._place(nodes, self.game.play(self.boards.at(parents), actions))
        return nodes

    def _place(self, nodes: Integers, boards: Boards) -> None:
        for array, rows in zip(self.boards, boards, strict=True):
            array[nodes] = rows
        self.ended[nodes], self.outcome[nodes] = self.game.outcome(boards)
        self.legal[nodes] = self.game.legal(boards)
