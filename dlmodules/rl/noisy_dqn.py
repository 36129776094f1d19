"""Deep Q-learning that explores by noise in its weights."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.protocols import Transition
from dlmodules.rl.dqn import DQN
from dlmodules.rl.networks import NoisyQNetwork
from dlmodules.rl.noisy_linear import NoisyLinear, noise_of


class NoisyDQN(DQN):
    """DQN without random actions: the weights of its last two layers have noise, the size of which is learnt.

    Each step of each environment, and each update, has noise of its own, drawn by the agent's generator. An agent that
    is evaluated has none.

    Paper: Fortunato et al. 2018, Noisy Networks for Exploration, arXiv:1706.10295.
    Books: vasilev 9.2.

    Logged in place of ``train/epsilon``: ``train/noise``, the mean size of the weights' deviations.

    Args:
        sigma: the deviation of a weight's noise at first, times the root of the inputs of its layer; at least 0.
        layer_norm: put a layer norm before each ReLU of the default network, whose values then grow beyond all returns
            less often.
    """

    def __init__(self, sigma: float = 0.5, layer_norm: bool = False, **kwargs: Any) -> None:
        self.sigma, self.layer_norm = sigma, layer_norm  # before the networks are made of them
        super().__init__(
            epsilon_start=0.0, epsilon_end=0.0, epsilon_steps=1, epsilon_schedule="linear", epsilon_delay=0, **kwargs
        )

    @override
    def make_network(self, observation_dim: int, num_actions: int, hidden_dims: Sequence[int]) -> nn.Module:
        """Return a ``NoisyQNetwork``."""
        return NoisyQNetwork(observation_dim, num_actions, hidden_dims, self.sigma, self.layer_norm)

    @override
    def explore(self, observation: Tensor) -> Tensor:
        """Return the best actions by weights with noise, another one for each environment."""
        with noise_of(self.network, generator=self.generator, rows=len(observation)):
            return self.act(observation).cpu()

    @override
    def update(self, batch: Transition) -> Tensor:
        """Do one gradient step with noise in both networks, the same for the whole batch."""
        with noise_of(self.network, self.target_network, generator=self.generator):
            return super().update(batch)

    @override
    def exploration(self) -> dict[str, Tensor]:
        layers = [layer for layer in self.network.modules() if isinstance(layer, NoisyLinear)]
        sizes = [layer.weight_sigma.detach().abs().mean() for layer in layers]
        others = {name: value for name, value in super().exploration().items() if name != "epsilon"}
        return {**others, "noise": torch.stack(sizes).mean()} if sizes else others
