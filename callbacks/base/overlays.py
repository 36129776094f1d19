"""Images above themselves, lit by a map."""

import torch
from torch import Tensor


def above_maps(images: Tensor, maps: Tensor) -> Tensor:
    """Put each image ``(B, 1 or 3, H, W)`` above itself, lit by its map ``(B, 1, H, W)``: ``(B, 3, 2 H + gap, W)``."""
    from matplotlib import colormaps

    images = images.expand(-1, 3, -1, -1)
    strength = (maps / maps.amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-12))[:, 0]
    colors = torch.from_numpy(colormaps["inferno"](strength.numpy())[..., :3]).float().permute(0, 3, 1, 2)
    gap = images.new_ones(len(images), 3, max(1, images.shape[2] // 28), images.shape[3])
    return torch.cat([images, gap, 0.35 * images + 0.65 * colors], dim=2)
