"""The device on which random numbers are drawn."""

import torch


def sampling_device(generator: torch.Generator | None, device: torch.device) -> torch.device:
    """Return the device to draw on: that of ``generator``, which draws nowhere else; ``device`` where there is none."""
    return device if generator is None else generator.device
