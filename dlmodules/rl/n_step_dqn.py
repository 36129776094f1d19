"""Deep Q-learning from several steps at a time."""

from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.protocols import Transition
from dlmodules.rl.dqn import DQN
from dlmodules.rl.n_step_replay import NStepReplay
from dlmodules.validation.arguments import require_at_least


class NStepDQN(DQN):
    """DQN whose targets hold the rewards of up to ``n`` steps before they bootstrap.

    A reward reaches the n states before it by one update. The steps after the first are those that were done, not the
    best ones, and nothing corrects for it.

    Paper: Hessel et al. 2018, Rainbow: Combining Improvements in Deep Reinforcement Learning, arXiv:1710.02298.
    Books: vasilev 8.10, vasilev 9.2.

    Args:
        n: most rewards of a target, at least 1; fewer where the episode ends before.
    """

    def __init__(self, n: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_at_least(1, n=n)
        self.n = n

    @override
    def make_buffer(self, shape: tuple[int, ...], dtype: torch.dtype, stacked_frames: int) -> NStepReplay:
        return NStepReplay(self.buffer_capacity, shape, dtype, stacked_frames, self.n, self.gamma)

    @override
    def discount(self, batch: Transition) -> Tensor:
        """Return gamma to the power of the number of steps ``(B,)``."""
        return batch.info["discount"]
