"""Networks of the agents that learn the values of actions."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from torch import Tensor, nn

from dlmodules.layers.mlp import mlp_layers
from dlmodules.rl.noisy_linear import NoisyLinear


class MLPQNetwork(nn.Module):
    """Linear layers with ReLU between them map an observation to one value for each action.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        hidden_dims: units of each hidden layer.
    """

    def __init__(self, observation_dim: int, num_actions: int, hidden_dims: Sequence[int] = (256, 256, 256)) -> None:
        super().__init__()
        self.observation_dim = observation_dim
        self.num_actions = num_actions
        self.hidden_dims = tuple(hidden_dims)
        dims = [observation_dim, *hidden_dims]
        self.layers = nn.Sequential(*mlp_layers(dims), nn.Linear(dims[-1], num_actions))

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(B, ...)`` to values ``(B, num_actions)``."""
        values: Tensor = self.layers(observation.flatten(1))
        return values


class CartPoleQNetwork(nn.Module):
    """The book's network for cart-pole: one layer of tanh, and weights that are nearly 0 (vasilev 8.18).

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        hidden_dim: units of the hidden layer.
    """

    def __init__(self, observation_dim: int = 4, num_actions: int = 2, hidden_dim: int = 20) -> None:
        super().__init__()
        self.observation_dim = observation_dim
        self.num_actions = num_actions
        self.hidden_dim = hidden_dim
        self.layers = nn.Sequential(
            nn.Linear(observation_dim, hidden_dim), nn.Tanh(), nn.Linear(hidden_dim, num_actions)
        )
        for layer in (self.layers[0], self.layers[2]):
            assert isinstance(layer, nn.Linear)
            nn.init.trunc_normal_(layer.weight, std=0.01, a=-0.02, b=0.02)  # TensorFlow cuts at two deviations
            nn.init.zeros_(layer.bias)

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(B, observation_dim)`` to values ``(B, num_actions)``."""
        values: Tensor = self.layers(observation)
        return values


def _hidden_layers(dims: Sequence[int], layer_norm: bool) -> list[nn.Module]:
    """Return [linear, layer norm where asked for, ReLU] from each of ``dims`` to the next."""
    if not layer_norm:
        return mlp_layers(dims)
    layers: list[nn.Module] = []
    for before, after in pairwise(dims):
        layers += [nn.Linear(before, after), nn.LayerNorm(after), nn.ReLU()]
    return layers


class LayerNormQNetwork(nn.Module):
    """[linear, layer norm, ReLU] for each hidden layer, then one value for each action.

    The norm bounds what an update changes elsewhere, which replaces a target network (Gallici et al. 2024).

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        hidden_dims: units of each hidden layer.
    """

    def __init__(self, observation_dim: int, num_actions: int, hidden_dims: Sequence[int] = (120, 84)) -> None:
        super().__init__()
        self.observation_dim = observation_dim
        self.num_actions = num_actions
        self.hidden_dims = tuple(hidden_dims)
        dims = [observation_dim, *hidden_dims]
        self.layers = nn.Sequential(*_hidden_layers(dims, layer_norm=True), nn.Linear(dims[-1], num_actions))

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(B, ...)`` to values ``(B, num_actions)``."""
        values: Tensor = self.layers(observation.flatten(1))
        return values


class DuelingHead(nn.Module):
    """The value of a state, and what each action adds to it, by two streams of a hidden layer each (Wang et al. 2016).

    What the actions add is 0 in the mean over them, so that both are determined.

    Args:
        in_features: units of the layer before.
        hidden_dim: units of each stream.
        num_actions: number of actions.
        num_atoms: numbers for each action: 1 for a value, K for the logits of a distribution.
        linear: makes a linear layer of its numbers of inputs and outputs.
        layer_norm: put a layer norm before the ReLU of each stream.
    """

    def __init__(
        self,
        in_features: int,
        hidden_dim: int,
        num_actions: int,
        num_atoms: int = 1,
        linear: Callable[[int, int], nn.Module] = nn.Linear,
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        self.num_actions = num_actions

        def stream(outputs: int) -> nn.Sequential:
            norm = [nn.LayerNorm(hidden_dim)] if layer_norm else []
            return nn.Sequential(linear(in_features, hidden_dim), *norm, nn.ReLU(), linear(hidden_dim, outputs))

        self.value, self.advantage = stream(num_atoms), stream(num_actions * num_atoms)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(B, in_features)`` to ``(B, num_actions, num_atoms)``."""
        value: Tensor = self.value(features).unsqueeze(1)
        advantage: Tensor = self.advantage(features).unflatten(1, (self.num_actions, -1))
        return value + advantage - advantage.mean(dim=1, keepdim=True)


class DuelingQNetwork(nn.Module):
    """Linear layers with ReLU, and a ``DuelingHead`` whose streams have the last of the hidden sizes.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        hidden_dims: units of each hidden layer; the last is that of both streams.
    """

    def __init__(self, observation_dim: int, num_actions: int, hidden_dims: Sequence[int] = (256, 256, 256)) -> None:
        super().__init__()
        self.observation_dim = observation_dim
        self.num_actions = num_actions
        self.hidden_dims = tuple(hidden_dims)
        dims = [observation_dim, *hidden_dims]
        self.trunk = nn.Sequential(*mlp_layers(dims[:-1]))
        self.head = DuelingHead(dims[-2], dims[-1], num_actions)

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(B, ...)`` to values ``(B, num_actions)``."""
        values: Tensor = self.head(self.trunk(observation.flatten(1))).squeeze(2)
        return values


class NoisyQNetwork(nn.Module):
    """Linear layers with ReLU, of which the last two are noisy, to one value for each action.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        hidden_dims: units of each hidden layer.
        sigma: how large the noise begins; see ``NoisyLinear``.
        layer_norm: put a layer norm before each ReLU.
    """

    def __init__(
        self,
        observation_dim: int,
        num_actions: int,
        hidden_dims: Sequence[int] = (256, 256, 256),
        sigma: float = 0.5,
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        self.observation_dim = observation_dim
        self.num_actions = num_actions
        self.hidden_dims = tuple(hidden_dims)
        self.sigma = sigma
        self.layer_norm = layer_norm
        dims = [observation_dim, *hidden_dims]
        self.trunk = nn.Sequential(*_hidden_layers(dims[:-1], layer_norm))
        self.head = nn.Sequential(
            NoisyLinear(dims[-2], dims[-1], sigma),
            *([nn.LayerNorm(dims[-1])] if layer_norm else []),
            nn.ReLU(),
            NoisyLinear(dims[-1], num_actions, sigma),
        )

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(B, ...)`` to values ``(B, num_actions)``."""
        values: Tensor = self.head(self.trunk(observation.flatten(1)))
        return values


class CategoricalQNetwork(nn.Module):
    """Linear layers with ReLU to the logits of a distribution over returns for each action.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        num_atoms: values of the distribution.
        hidden_dims: units of each hidden layer.
    """

    def __init__(
        self, observation_dim: int, num_actions: int, num_atoms: int, hidden_dims: Sequence[int] = (256, 256, 256)
    ) -> None:
        super().__init__()
        self.observation_dim = observation_dim
        self.num_actions = num_actions
        self.num_atoms = num_atoms
        self.hidden_dims = tuple(hidden_dims)
        dims = [observation_dim, *hidden_dims]
        self.layers = nn.Sequential(*mlp_layers(dims), nn.Linear(dims[-1], num_actions * num_atoms))

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(B, ...)`` to logits ``(B, num_actions, num_atoms)``."""
        logits: Tensor = self.layers(observation.flatten(1)).unflatten(1, (self.num_actions, -1))
        return logits


class RainbowQNetwork(nn.Module):
    """Linear layers with ReLU, and a noisy ``DuelingHead`` to the logits of a distribution for each action.

    Args:
        observation_dim: numbers in an observation.
        num_actions: number of actions.
        num_atoms: values of the distribution.
        hidden_dims: units of each hidden layer; the last is that of both streams.
        sigma: how large the noise begins; see ``NoisyLinear``.
        layer_norm: put a layer norm before each ReLU.
    """

    def __init__(
        self,
        observation_dim: int,
        num_actions: int,
        num_atoms: int,
        hidden_dims: Sequence[int] = (256, 256, 256),
        sigma: float = 0.5,
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        self.observation_dim = observation_dim
        self.num_actions = num_actions
        self.num_atoms = num_atoms
        self.hidden_dims = tuple(hidden_dims)
        self.sigma = sigma
        self.layer_norm = layer_norm
        dims = [observation_dim, *hidden_dims]
        self.trunk = nn.Sequential(*_hidden_layers(dims[:-1], layer_norm))
        noisy = partial(NoisyLinear, sigma=sigma)
        self.head = DuelingHead(dims[-2], dims[-1], num_actions, num_atoms, noisy, layer_norm)

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(B, ...)`` to logits ``(B, num_actions, num_atoms)``."""
        logits: Tensor = self.head(self.trunk(observation.flatten(1)))
        return logits
