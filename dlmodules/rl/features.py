"""Features of states that were learnt before, for policies and critics to build on."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from dlmodules.checkpoints.loading import load_checkpoint
from dlmodules.errors import UserError
from dlmodules.layers.mlp import mlp_layers


class StateFeatures(nn.Module):
    """The encoder of a ``StateAutoencoder``, whose weights stay as they are (atienza 10.6.1).

    An agent's checkpoint keeps them, so the autoencoder's is needed but where the agent's training begins.

    Args:
        observation_dim: numbers in an observation.
        features: how many features there are.
        hidden_dims: units of the encoder's hidden layers.
        ckpt_path: checkpoint of the autoencoder; None leaves the random weights of the beginning.

    Raises:
        UserError: the checkpoint is of no autoencoder with such an encoder.
    """

    is_learnt: Tensor

    def __init__(
        self,
        observation_dim: int = 2,
        features: int = 32,
        hidden_dims: Sequence[int] = (256, 128),
        ckpt_path: str | None = None,
    ) -> None:
        super().__init__()
        self.observation_dim, self.features = observation_dim, features
        self.hidden_dims, self.ckpt_path = tuple(hidden_dims), ckpt_path
        dims = [observation_dim, *hidden_dims]
        self.layers = nn.Sequential(*mlp_layers(dims), nn.Linear(dims[-1], features))
        self.register_buffer("is_learnt", torch.tensor(False))
        if ckpt_path is not None and Path(ckpt_path).is_file():
            self._load(ckpt_path)
        self.requires_grad_(False)

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(B, observation_dim)`` to features ``(B, features)``."""
        found: Tensor = self.layers(observation)
        return found

    def require_learnt(self) -> None:
        """Raise UserError where neither the autoencoder's checkpoint nor one of an agent gave the weights."""
        if self.ckpt_path is not None and not self.is_learnt:
            raise UserError(
                f"there is no checkpoint {self.ckpt_path} for the features: train an autoencoder first, such as"
                " configs/autoencoders/state_mountain_car.yaml"
            )

    def _load(self, path: str) -> None:
        weights = load_checkpoint(path)["state_dict"]
        beginning = "encoder.layers."
        own = {name.removeprefix(beginning): part for name, part in weights.items() if name.startswith(beginning)}
        try:
            self.layers.load_state_dict(own)
        except RuntimeError as error:
            raise UserError(
                f"{path} is not of a StateAutoencoder with {self.features} features of {self.observation_dim} numbers"
                f" and hidden layers of {list(self.hidden_dims)}"
            ) from error
        self.is_learnt.fill_(True)
