"""Deep Q-learning with a dueling network."""

from collections.abc import Sequence

from torch import nn
from typing_extensions import override

from dlmodules.rl.dqn import DQN
from dlmodules.rl.networks import DuelingQNetwork


class DuelingDQN(DQN):
    """DQN whose network adds the value of a state and what each action adds to it; 199,427 parameters.

    What one action teaches about a state is then learnt for all of them.

    Paper: Wang et al. 2016, Dueling Network Architectures for Deep Reinforcement Learning, arXiv:1511.06581.
    Books: atienza 9.6.1-D.
    """

    @override
    def make_network(self, observation_dim: int, num_actions: int, hidden_dims: Sequence[int]) -> nn.Module:
        """Return a ``DuelingQNetwork``."""
        return DuelingQNetwork(observation_dim, num_actions, hidden_dims)
