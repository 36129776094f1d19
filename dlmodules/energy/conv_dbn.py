"""The convolutional deep belief network: edges, and from them parts of objects, without labels."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.energy.conv_rbm import ConvRBM
from dlmodules.energy.greedy_module import GreedyModule
from dlmodules.errors import UserError
from dlmodules.training.greedy import GreedyStack
from dlmodules.validation.images import check_image_shape


class ConvDBN(GreedyModule):
    """Two convolutional RBMs with probabilistic max-pooling learn a hierarchy of features: 26,033 parameters.

    The units of a map share a filter, and at most one in each block of a map is on. The next machine sees which blocks
    have one. ``filters`` returns what the units of each layer respond to.

    Paper: Lee, Grosse, Ranganath & Ng 2009, Convolutional Deep Belief Networks for Scalable Unsupervised Learning of
        Hierarchical Representations.
    Books: vasilev 3.2.

    Args:
        image_shape: channels, height and width of the images, in [0, 1].
        hidden_channels: filters of each machine, from the bottom up.
        kernel_sizes: sides of each machine's filters.
        pools: sides of each machine's blocks.
        epochs_per_layer: epochs that each machine learns for, 1 or more. After that the top one continues.
        k: steps of Gibbs sampling for an update, 1 or more.
        visible: ``binary`` pixels, sampled in each step with their grey value as probability; or ``gaussian``, for
            photographs: each image is standardized to mean 0 and variance 1.
        sparsity: fraction of pooling units that should be on in each map; None leaves it to the data.
        sparsity_cost: weight of the squared difference between a map's mean and ``sparsity``.
        optimizer: makes the optimizer.
        **kwargs: arguments of ``GreedyModule``.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        hidden_channels: Sequence[int] = (24, 40),
        kernel_sizes: Sequence[int] = (9, 5),
        pools: Sequence[int] = (2, 2),
        epochs_per_layer: int = 5,
        k: int = 1,
        visible: Literal["binary", "gaussian"] = "binary",
        sparsity: float | None = None,
        sparsity_cost: float = 1.0,
        optimizer: OptimizerCallable = lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        **kwargs: Any,
    ) -> None:
        shape = _top_shape(image_shape, hidden_channels, kernel_sizes, pools)
        channels = [image_shape[0], *hidden_channels]
        stack = GreedyStack(
            [
                ConvRBM(before, after, kernel, pool, visible if index == 0 else "binary", sparsity, sparsity_cost)
                for index, ((before, after), kernel, pool) in enumerate(
                    zip(pairwise(channels), kernel_sizes, pools, strict=True)
                )
            ],
            epochs_per_layer,
            k,
        )
        super().__init__(stack=stack, image_shape=image_shape, optimizer=optimizer, **kwargs)
        self.latent_dim = shape[0] * shape[1] * shape[2]
        self.gaussian = visible == "gaussian"

    @property
    def machines(self) -> list[ConvRBM]:
        """The machines, from the bottom up."""
        return [layer for layer in self.stack.layers if isinstance(layer, ConvRBM)]

    @override
    def visible(self, x: Tensor) -> Tensor:
        """Return the pixels of images, of mean 0 and variance 1 in each where the units are Gaussian."""
        if not self.gaussian:
            return x
        mean, std = _moments(x)
        return (x - mean) / std

    @override
    def sample_visible(self, visible: Tensor) -> Tensor:
        """Sample binary units; Gaussian ones are the data."""
        return visible if self.gaussian else super().sample_visible(visible)

    @override
    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the images after a pass up and down again; going down, a unit is placed where it was going up."""
        seen = [self.visible(x)]
        for machine in self.machines:
            seen.append(machine.features(seen[-1]))
        down = seen.pop()
        for machine, below in zip(reversed(self.machines), reversed(seen), strict=True):
            down = machine.visible_given(machine.unpool(down, below))
        if not self.gaussian:
            return down
        mean, std = _moments(x)
        return (down * std + mean).clamp(0.0, 1.0)

    @torch.no_grad()
    def filters(self) -> dict[str, Tensor]:
        """Return for each layer above the first what its units respond to: images ``(filters, C, H, W)``.

        A unit's filter is projected through the filters below, spread evenly over the blocks. The filters of the first
        layer are its weights themselves.
        """
        found = {}
        for depth in range(1, len(self.machines)):
            picture = self.machines[depth].up.weight
            for machine in reversed(self.machines[:depth]):
                spread = F.interpolate(picture, scale_factor=float(machine.pool)) / machine.pool**2
                picture = F.conv_transpose2d(spread, machine.up.weight)
            found[f"layer_{depth + 1}"] = picture
        return found


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation ``(B, 1, 1, 1)`` of each image, at least 0.01."""
    mean, std = x.mean(dim=(1, 2, 3), keepdim=True), x.std(dim=(1, 2, 3), keepdim=True)
    return mean, std.clamp(min=1e-2)


def _top_shape(
    image_shape: Sequence[int], channels: Sequence[int], kernels: Sequence[int], pools: Sequence[int]
) -> tuple[int, int, int]:
    """Return the shape (C, H, W) of the top layer. Raises UserError where the numbers do not fit together."""
    check_image_shape(image_shape)
    if not channels or not len(channels) == len(kernels) == len(pools):
        raise UserError("hidden_channels, kernel_sizes and pools must have a number for each layer, and at least one")
    if min(*channels, *kernels, *pools) < 1:
        raise UserError("hidden_channels, kernel_sizes and pools must be 1 or more")
    height, width = image_shape[1:]
    for layer, (kernel, pool) in enumerate(zip(kernels, pools, strict=True), 1):
        height, width = height - kernel + 1, width - kernel + 1
        if min(height, width) < 1 or height % pool or width % pool:
            raise UserError(
                f"layer {layer}: a kernel of {kernel} leaves {height}x{width} places, which cannot be parted in"
                f" blocks of {pool}x{pool}: choose another kernel_sizes or pools"
            )
        height, width = height // pool, width // pool
    return channels[-1], height, width
