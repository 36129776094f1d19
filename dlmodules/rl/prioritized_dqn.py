"""Deep Q-learning with prioritized replay."""

from dataclasses import replace
from math import ceil
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.protocols import Transition
from dlmodules.rl.dqn import DQN
from dlmodules.rl.priorities import Priorities, importance_weights
from dlmodules.training.annealing import linear_annealing
from dlmodules.validation.arguments import check_fractions

LEAST_PRIORITY = 1e-6
"""Added to each error: what was predicted exactly is drawn again at times."""


class PrioritizedDQN(DQN):
    """DQN that replays a transition the more often the more its value missed its target.

    The batches of a round of updates are drawn at once. Weights in the loss undo what of that would change the values
    that are learnt: a part of it at first, all of it when the budget is used up.

    Paper: Schaul et al. 2016, Prioritized Experience Replay, arXiv:1511.05952.
    Books: vasilev 8.17, atienza 9.6.1-D.

    Logged besides what ``DQN`` logs: ``train/beta``.

    Args:
        alpha: power of the errors by which transitions are drawn, in [0, 1]; 0 draws uniformly.
        beta: how far the weights undo the draw at first, in [0, 1]; it rises to 1 along a line.
    """

    def __init__(self, alpha: float = 0.6, beta: float = 0.4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_fractions(alpha=alpha, beta=beta)
        self.alpha = alpha
        self.beta_start = beta
        self.priorities = Priorities(self.buffer_capacity, alpha)
        self._errors = torch.empty(0)

    @override
    def setup(self, stage: str) -> None:
        super().setup(stage)
        if stage == "fit":
            self.priorities = Priorities(self.buffer_capacity, self.alpha)

    @property
    def beta(self) -> float:
        """How far the weights undo the draw now."""
        return linear_annealing(self.env_steps, self.beta_start, 1.0, self.environments.total_steps)

    @override
    def observe(self, transition: Transition) -> None:
        assert self.buffer is not None
        self.priorities.add(self.buffer.add(transition))

    @override
    def draw(self, n: int) -> Transition:
        """Return transitions with their ``place`` and ``weight``, each ``(n,)``, in ``info``."""
        assert self.buffer is not None
        places, probabilities = self.priorities.sample(n, self.generator)
        size, beta = len(self.buffer), self.beta
        # The largest weight of each batch is 1: over all batches the least likely one would make the others tiny.
        batches = probabilities.tensor_split(ceil(n / self.batch_size))
        weights = torch.cat([importance_weights(batch, size, beta) for batch in batches])
        drawn = self.buffer.get(places)
        return replace(drawn, info={**drawn.info, "place": places, "weight": weights})

    @override
    def td_loss(self, batch: Transition) -> Tensor:
        """Return the weighted mean loss of a batch, and keep the sizes of its errors."""
        error = self.td_error(batch)
        self._errors = error.detach().abs()
        return (batch.info["weight"] * self.losses(error)).mean()

    @override
    def update(self, batch: Transition) -> Tensor:
        """Do one gradient step on a batch, and give its transitions the sizes of their errors as priorities."""
        loss = super().update(batch)
        self.priorities.update(batch.info["place"].cpu(), self._errors.cpu() + LEAST_PRIORITY)
        return loss

    @override
    def exploration(self) -> dict[str, Tensor]:
        return {**super().exploration(), "beta": torch.tensor(self.beta)}

    @override
    def agent_state(self) -> dict[str, Any]:
        return {**super().agent_state(), "priorities": self.priorities.state_dict()}

    @override
    def load_agent_state(self, state: dict[str, Any]) -> None:
        super().load_agent_state(state)
        if self.buffer is not None:
            self.priorities.load_state_dict(state["priorities"])
