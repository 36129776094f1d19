"""VisualBackProp: which places of an image made the maps of a convolutional network bright."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.errors import UserError


def visual_backprop(network: nn.Module, x: Tensor) -> Tensor:
    """Return what of ``x`` the convolutions of ``network`` answer to, each of them in turn.

    From the last convolution to the first the mean of its maps behind a ReLU is multiplied by what was found for the
    next one, which a transposed convolution of ones has brought to the same size. It takes one pass forward and no
    gradient. Bojarski et al. 2016, arXiv:1611.05418.

    Args:
        network: its convolutions follow upon each other, in any module; in evaluation mode.
        x: what it takes, ``(B, C, H, W)``.

    Returns:
        Maps ``(B, 1, H, W)`` in [0, 1]; each has its own scale, and one of nothing stays 0.

    Raises:
        UserError: there is no convolution.
    """
    seen: list[tuple[nn.Conv2d, tuple[int, ...], Tensor]] = []

    def remember(layer: nn.Module, args: Any, output: Tensor) -> None:
        assert isinstance(layer, nn.Conv2d)
        seen.append((layer, tuple(args[0].shape[-2:]), output.detach().float().relu().mean(dim=1, keepdim=True)))

    hooks = [part.register_forward_hook(remember) for part in network.modules() if isinstance(part, nn.Conv2d)]
    try:
        with torch.no_grad():
            network(x)
    finally:
        for hook in hooks:
            hook.remove()
    if not seen:
        raise UserError(f"{type(network).__name__} has no convolution whose maps could be followed back to the image")
    found = torch.ones_like(seen[-1][2])
    for layer, size, mean in reversed(seen):
        if found.shape[-2:] != mean.shape[-2:]:  # a pooling stands between two convolutions
            found = F.interpolate(found, mean.shape[-2:], mode="bilinear")
        # Only what is bright in every layer counts, so the scale of one layer is no matter; it would shrink to nothing.
        found = _scaled(found * mean)
        found = _transposed(layer, found, size)
    if found.shape[-2:] != x.shape[-2:]:
        found = F.interpolate(found, x.shape[-2:], mode="bilinear")
    return _scaled(found)


def _transposed(layer: nn.Conv2d, maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Spread each place of ``maps`` over those of the layer's input, of ``size``, that it was computed from."""
    assert not isinstance(layer.padding, str)
    axes = zip(size, maps.shape[-2:], layer.kernel_size, layer.stride, layer.padding, layer.dilation, strict=True)
    missing = [
        wanted - ((side - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1)
        for wanted, side, kernel, stride, padding, dilation in axes
    ]
    ones = maps.new_ones(1, 1, *layer.kernel_size)
    return F.conv_transpose2d(maps, ones, None, layer.stride, layer.padding, missing, 1, layer.dilation)


def _scaled(maps: Tensor) -> Tensor:
    return maps / maps.amax(dim=(1, 2, 3), keepdim=True).clamp(min=torch.finfo(maps.dtype).tiny)
