"""A world model that was never trained: what random features are worth."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.protocols import Memory
from dlmodules.validation.arguments import check_at_least_one

PARTS = 64


class UntrainedWorld(nn.Module):
    """Random projections of what is seen, and a random recurrent network that remembers it; no weight is learnt.

    It stands in for a world model of any environment: as a baseline, and to try a controller with.

    Args:
        latent_dim: numbers in a code.
        hidden_dim: units of the recurrent network.
    """

    def __init__(self, latent_dim: int = 16, hidden_dim: int = 16) -> None:
        super().__init__()
        check_at_least_one(latent_dim=latent_dim, hidden_dim=hidden_dim)
        self.latent_dim, self.hidden_dim = latent_dim, hidden_dim
        self.look = nn.Linear(PARTS, latent_dim)
        self.cell = nn.RNNCell(latent_dim, hidden_dim)

    def initial_state(self, n: int) -> Memory:
        """Return what is remembered of ``n`` episodes before they begin."""
        return {"hidden": torch.zeros(n, self.hidden_dim, device=self.look.weight.device)}

    @torch.no_grad()
    def see(self, observation: Tensor) -> Tensor:
        """Return the codes ``(N, latent_dim)`` of observations ``(N, ...)`` of any kind."""
        numbers = observation.to(self.look.weight.device).flatten(1).float()
        if observation.dtype == torch.uint8:
            numbers = numbers / 255
        code: Tensor = self.look(F.adaptive_avg_pool1d(numbers.unsqueeze(1), PARTS).squeeze(1)).tanh()
        return code

    def hidden(self, state: Memory) -> Tensor:
        """Return the hidden state ``(N, hidden_dim)``."""
        return state["hidden"]

    @torch.no_grad()
    def remember(self, z: Tensor, action: Tensor, state: Memory) -> Memory:
        """Return the state after ``z`` ``(N, latent_dim)`` was seen, whatever was done."""
        return {"hidden": self.cell(z, state["hidden"])}
