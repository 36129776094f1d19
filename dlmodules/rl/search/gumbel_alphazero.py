"""AlphaZero with Gumbel noise in place of visits and Dirichlet noise."""

from typing import Any

import numpy as np
from typing_extensions import override

from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.protocols.games import Boards
from dlmodules.rl.search.alphazero import AlphaZero, Decision
from dlmodules.rl.search.gumbel import gumbel_search, improved_policy
from dlmodules.rl.search.inference import Memory
from dlmodules.validation.arguments import check_at_least, require_at_least


class GumbelAlphaZero(AlphaZero):
    """AlphaZero that improves its policy with few simulations.

    At the root moves are drawn without replacement, by Gumbel noise, and simulations go to them by sequential halving;
    the target of the policy is the network's own, moved towards the moves that were found to be better than expected.
    No Dirichlet noise, temperature or count of visits is needed. Below the root the search is that of ``AlphaZero``,
    and so is the whole search of a ``player``.

    Paper: Danihelka et al. 2022, Policy improvement by planning with Gumbel, ICLR.
    Books: vasilev 9.12.

    Logged: what ``AlphaZero`` logs.

    Args:
        simulations: of the search for a move.
        considered: so many moves at most are tried at the root.
        visit_offset: c_visit of the paper: values count as if the most visited move had so many visits more.
        value_scale: c_scale of the paper, for values in [-1, 1]: how much values count against the policy.
    """

    def __init__(
        self,
        simulations: int = 32,
        considered: int = 16,
        visit_offset: float = 50.0,
        value_scale: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            simulations=simulations,
            noise_fraction=0.0,
            noise_concentration=0.0,
            prune_targets=False,
            temperature_plies=0,
            **kwargs,
        )
        save_portable_hyperparameters(self)
        require_at_least(1, considered=considered)
        check_at_least(0, visit_offset=visit_offset, value_scale=value_scale)
        self.considered = considered
        self.visit_offset = visit_offset
        self.value_scale = value_scale

    @override
    def decide(self, boards: Boards, memory: Memory, is_full: bool, generator: np.random.Generator) -> Decision:
        """Search running games; the move that comes out best is one drawn by the improved policy."""
        found, action = gumbel_search(
            self.self_play.game,
            boards,
            memory,
            self.simulations if is_full else self.fast_simulations,
            self.score,
            generator,
            self.considered,
            self.visit_offset,
            self.value_scale,
        )
        return Decision(action, improved_policy(found, self.visit_offset, self.value_scale), found.value)
