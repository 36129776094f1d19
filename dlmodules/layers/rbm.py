"""Restricted Boltzmann machines as layers: features, Gibbs sampling and contrastive divergence."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.sampling.devices import sampling_device


class BoltzmannLayer(nn.Module):
    """Base of restricted Boltzmann machines: a subclass defines the energy; contrastive divergence is the same for all.

    A subclass has ``visible_bias`` and ``free_energy``, ``features``, ``visible_given`` and ``sample_hidden``.
    """

    visible_bias: nn.Parameter

    def free_energy(self, v: Tensor) -> Tensor:
        """Return minus the log of the unnormalized probabilities ``(B,)`` of visible units."""
        raise NotImplementedError

    def features(self, v: Tensor) -> Tensor:
        """Return the probabilities that the next layer is given."""
        raise NotImplementedError

    def visible_given(self, h: Tensor) -> Tensor:
        """Return the probabilities, or means, of visible units given hidden ones."""
        raise NotImplementedError

    def sample_hidden(self, v: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Sample hidden units, zeros and ones, given visible ones."""
        raise NotImplementedError

    def sample_visible(self, mean: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Sample visible units, zeros and ones, with probabilities ``mean``."""
        return torch.bernoulli(mean, generator=generator)

    def forward(self, v: Tensor) -> Tensor:
        """Return the free energies ``(B,)`` of visible units."""
        return self.free_energy(v)

    @torch.no_grad()
    def initialize_biases(self, v: Tensor) -> None:
        """Set visible biases that are still 0 to the log-odds of the first visible units.

        Else the weights would first learn how often each unit is on, and all hidden units would become alike.
        """
        if self.visible_bias.any():
            return
        mean = v.transpose(0, 1).flatten(1).mean(dim=1)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(mean)
            mean /= torch.distributed.get_world_size()
        self.visible_bias.copy_(mean.clamp(0.01, 0.99).logit())

    @torch.no_grad()
    def gibbs(self, v: Tensor, steps: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Sample hidden from visible and visible from hidden units ``steps`` times, starting at ``v``.

        Returns the last visible units, and the probabilities or means that they were sampled from.
        """
        means = v
        for _ in range(steps):
            means = self.visible_given(self.sample_hidden(v, generator))
            v = self.sample_visible(means, generator)
        return v, means

    def contrastive_divergence(self, v: Tensor, k: int, chain: Tensor | None = None) -> Tensor:
        """Return the mean free energy of ``v`` minus that of samples ``k`` Gibbs steps away; its gradient is CD-k.

        The steps start at ``v``, or at ``chain``, which is set to where they end: persistent contrastive divergence.
        """
        negative, _ = self.gibbs(v if chain is None else chain, k)
        if chain is not None:
            chain.copy_(negative)
        loss: Tensor = self(v).mean() - self(negative).mean()
        return loss


class BinaryRBM(BoltzmannLayer):
    """Two layers of binary units with a weight between each pair, and none within a layer.

    The energy is ``E(v, h) = -h W v - b v - c h``. So each layer's units are independent given the other layer.

    Args:
        visible: units of the visible layer.
        hidden: units of the hidden layer.
    """

    def __init__(self, visible: int, hidden: int) -> None:
        super().__init__()
        self.up = nn.Linear(visible, hidden)  # W and c
        self.visible_bias = nn.Parameter(torch.zeros(visible))
        nn.init.normal_(self.up.weight, std=0.01)
        nn.init.zeros_(self.up.bias)

    def initial_states(self, n: int, kept: Tensor | None, generator: torch.Generator | None = None) -> Tensor:
        """Return ``n`` visible states ``(n, visible)`` to start Gibbs steps at: random ones of ``kept``, or noise."""
        place = self.visible_bias.device
        device = sampling_device(generator, place)
        if kept is not None:
            rows = torch.randint(len(kept), (n,), generator=generator, device=device)
            return kept[rows.to(place)]
        half = torch.full((n, len(self.visible_bias)), 0.5, device=device)
        return torch.bernoulli(half, generator=generator).to(place)

    @override
    def features(self, v: Tensor) -> Tensor:
        """Return the probabilities ``(B, hidden)`` that hidden units are on, given visible ones ``(B, visible)``."""
        return torch.sigmoid(self.up(v))

    @override
    def visible_given(self, h: Tensor) -> Tensor:
        """Return the probabilities ``(B, visible)`` that visible units are on, given hidden ones ``(B, hidden)``."""
        return torch.sigmoid(F.linear(h, self.up.weight.T, self.visible_bias))

    @override
    def sample_hidden(self, v: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Sample hidden units ``(B, hidden)`` given visible ones ``(B, visible)``."""
        return torch.bernoulli(self.features(v), generator=generator)

    @override
    def free_energy(self, v: Tensor) -> Tensor:
        """Return ``-b v - sum log(1 + exp(W v + c))`` ``(B,)``: minus the log of v's unnormalized probability."""
        return -v @ self.visible_bias - F.softplus(self.up(v)).sum(dim=1)
