"""All the improvements of deep Q-learning together."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from typing_extensions import override

from dlmodules.rl.c51 import C51, take_action
from dlmodules.rl.n_step_dqn import NStepDQN
from dlmodules.rl.networks import RainbowQNetwork
from dlmodules.rl.noisy_dqn import NoisyDQN
from dlmodules.rl.prioritized_dqn import PrioritizedDQN


class Rainbow(NoisyDQN, PrioritizedDQN, NStepDQN, C51):
    """DQN with all six: double choice, dueling and noisy network, priorities, several steps, distributions.

    Each parent gives the one thing that it is about:

    - ``NoisyDQN`` explores, and updates, with noise in the weights;
    - ``PrioritizedDQN`` draws by the size of the errors, and weighs the losses;
    - ``NStepDQN`` joins the rewards of ``n`` steps;
    - ``C51`` learns distributions; their divergence is the error that sets the priorities.

    Here remain the network that is dueling, noisy and distributional at once, and the double choice.

    Paper: Hessel et al. 2018, Rainbow: Combining Improvements in Deep Reinforcement Learning, arXiv:1710.02298.
    Books: vasilev 9.2.

    Args:
        alpha: power of the errors by which transitions are drawn, in [0, 1]; the paper's is 0.5 here, 0.6 alone.
    """

    def __init__(self, alpha: float = 0.5, **kwargs: Any) -> None:
        super().__init__(alpha=alpha, **kwargs)

    @override
    def make_network(self, observation_dim: int, num_actions: int, hidden_dims: Sequence[int]) -> nn.Module:
        """Return a ``RainbowQNetwork``."""
        return RainbowQNetwork(observation_dim, num_actions, self.num_atoms, hidden_dims, self.sigma, self.layer_norm)

    @override
    def next_distribution(self, next_observation: Tensor) -> Tensor:
        """Return the target network's distribution ``(B, num_atoms)`` for the online network's best action."""
        distribution = self._logits(self.target_network, next_observation).softmax(dim=2)
        return take_action(distribution, self(next_observation).argmax(dim=1))
