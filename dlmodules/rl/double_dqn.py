"""Double deep Q-learning."""

from torch import Tensor
from typing_extensions import override

from dlmodules.rl.dqn import DQN


class DoubleDQN(DQN):
    """DQN whose online network chooses the next action and whose target network values it.

    The largest of several noisy values is too large in the mean. Where one network chooses and another values, their
    errors are not the same ones, and less of that is left.

    Paper: van Hasselt et al. 2016, Deep Reinforcement Learning with Double Q-learning, arXiv:1509.06461.
    Books: atienza 9.6.1-D, vasilev 9.3.
    """

    @override
    def next_value(self, next_observation: Tensor) -> Tensor:
        """Return the target network's value ``(B,)`` of the online network's best action."""
        best = self.network(next_observation).argmax(dim=1, keepdim=True)
        values: Tensor = self.target_network(next_observation)
        return values.gather(1, best).squeeze(1)
