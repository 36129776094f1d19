"""A convolutional restricted Boltzmann machine with probabilistic max-pooling."""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.layers.rbm import BoltzmannLayer


class ConvRBM(BoltzmannLayer):
    """Hidden units in maps that share a filter each; of every block of a map at most one unit is on.

    With ``I = W * v + b`` the energy is ``-h I - c v``, plus ``v v / 2`` for Gaussian visible units of variance 1. A
    pooling unit is on where a unit of its block is: the next layer sees maps ``pool`` times smaller.

    Args:
        channels: of the visible units.
        filters: maps of hidden units.
        kernel_size: side of a filter.
        pool: side of a block.
        visible: ``binary`` or ``gaussian`` units.
        sparsity: fraction of pooling units that should be on; None leaves it to the data.
        sparsity_cost: weight of the squared difference between a map's mean and ``sparsity``.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        kernel_size: int,
        pool: int,
        visible: Literal["binary", "gaussian"] = "binary",
        sparsity: float | None = None,
        sparsity_cost: float = 1.0,
    ) -> None:
        super().__init__()
        if sparsity is not None and not 0 < sparsity < 1:
            raise UserError(f"sparsity is {sparsity}; it must lie between 0 and 1")
        if visible not in ("binary", "gaussian"):
            raise UserError(f"visible units are binary or gaussian, not {visible}")
        self.up = nn.Conv2d(channels, filters, kernel_size)  # W and b
        self.visible_bias = nn.Parameter(torch.zeros(channels))
        self.pool = pool
        self.gaussian = visible == "gaussian"
        self.sparsity = sparsity
        self.sparsity_cost = sparsity_cost
        # Smaller ones leave the filters of an upper layer alike for long; but the means of Gaussian units are sums of
        # many filters, and larger ones drive the Gibbs steps apart.
        nn.init.normal_(self.up.weight, std=0.01 if self.gaussian else 0.05)
        assert self.up.bias is not None
        # With equal inputs I = b a pooling unit is on with the wanted probability.
        start = 0.0 if sparsity is None else math.log(sparsity / (1 - sparsity) / pool**2)
        nn.init.constant_(self.up.bias, start)

    @override
    def initialize_biases(self, v: Tensor) -> None:
        """Set the biases of binary visible units, as in every layer; Gaussian ones have mean 0."""
        if not self.gaussian:
            super().initialize_biases(v)

    def _blocks(self, inputs: Tensor) -> Tensor:
        """Sort maps ``(B, K, H, W)`` by blocks: ``(B, K, H/p, W/p, p * p)``."""
        b, k, h, w = inputs.shape
        p = self.pool
        split = inputs.view(b, k, h // p, p, w // p, p)
        return split.permute(0, 1, 2, 4, 3, 5).reshape(b, k, h // p, w // p, p * p)

    def _maps(self, blocks: Tensor) -> Tensor:
        """Undo ``_blocks``."""
        b, k, h, w, _ = blocks.shape
        p = self.pool
        split = blocks.view(b, k, h, w, p, p).permute(0, 1, 2, 4, 3, 5)
        return split.reshape(b, k, h * p, w * p)

    def _block_probabilities(self, inputs: Tensor) -> Tensor:
        """Return the probabilities ``(B, K, H/p, W/p, p * p + 1)`` of each unit of a block, and last of none."""
        blocks = self._blocks(inputs)
        return torch.cat([blocks, torch.zeros_like(blocks[..., :1])], dim=-1).softmax(dim=-1)

    def hidden_given(self, v: Tensor) -> Tensor:
        """Return the probabilities ``(B, K, H, W)`` of hidden units, given visible ones ``(B, C, H', W')``."""
        return self._maps(self._block_probabilities(self.up(v))[..., :-1])

    @override
    def features(self, v: Tensor) -> Tensor:
        """Return the probabilities ``(B, K, H/p, W/p)`` of pooling units, given visible ones."""
        return 1.0 - self._block_probabilities(self.up(v))[..., -1]

    def unpool(self, pooled: Tensor, v: Tensor) -> Tensor:
        """Return hidden units ``(B, K, H, W)`` for pooling units, each put where ``v`` would have it in its block."""
        blocks = self._blocks(self.up(v)).softmax(dim=-1)
        return self._maps(pooled.unsqueeze(-1) * blocks)

    @override
    def visible_given(self, h: Tensor) -> Tensor:
        """Return the probabilities, or means, ``(B, C, H', W')`` of visible units given hidden ones."""
        down = F.conv_transpose2d(h, self.up.weight, self.visible_bias)
        return down if self.gaussian else torch.sigmoid(down)

    @override
    def sample_hidden(self, v: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Sample hidden units: at most one of each block is 1."""
        ends = self._block_probabilities(self.up(v)).cumsum(dim=-1)
        uniform = torch.rand(ends[..., :1].shape, generator=generator, device=v.device)
        # The unit whose part of [0, 1) the number falls in: the first end that is greater.
        below = (ends[..., :-1] <= uniform).sum(dim=-1)
        return self._maps(F.one_hot(below, ends.shape[-1])[..., :-1].to(v.dtype))

    @override
    def sample_visible(self, mean: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Sample visible units around ``mean``."""
        if not self.gaussian:
            return super().sample_visible(mean, generator)
        return mean + torch.randn(mean.shape, generator=generator, device=mean.device)

    @override
    def free_energy(self, v: Tensor) -> Tensor:
        """Return ``-c v - sum over blocks of log(1 + sum of exp(I))`` ``(B,)``, plus ``v v / 2`` for Gaussian ``v``."""
        blocks = self._blocks(self.up(v))
        hidden = torch.cat([blocks, torch.zeros_like(blocks[..., :1])], dim=-1).logsumexp(dim=-1)
        energy = -(v * self.visible_bias.view(-1, 1, 1)).flatten(1).sum(dim=1) - hidden.flatten(1).sum(dim=1)
        return energy + v.square().flatten(1).sum(dim=1) / 2 if self.gaussian else energy

    @override
    def contrastive_divergence(self, v: Tensor, k: int, chain: Tensor | None = None) -> Tensor:
        """Return the contrastive divergence, divided by the number of hidden units of a map, plus the sparsity's cost.

        All positions of a map share their filter: without the division the step would grow with the image. The cost
        moves only the biases of the maps.
        """
        with torch.no_grad():
            bare = F.conv2d(v, self.up.weight)
        loss = super().contrastive_divergence(v, k, chain) / bare[0, 0].numel()
        if self.sparsity is None:
            return loss
        assert self.up.bias is not None
        on = 1.0 - self._block_probabilities(bare + self.up.bias.view(-1, 1, 1))[..., -1]
        return loss + self.sparsity_cost * (on.mean(dim=(0, 2, 3)) - self.sparsity).square().sum()
