"""What a driver who learns from an expert looks at, and the network that it looks with."""

import torch
from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_dropout, require_at_least

FRAME, VIEW = 96, 84
"""Pixels of a side of CarRacing's frame, and of the part that is looked at."""
GREY = (299.0, 587.0, 114.0)  # thousandths of red, green and blue (BT.601): sums are whole numbers, exact in float32


def grey_view(frames: Tensor) -> Tensor:
    """Return what is looked at of frames, grey ``(B, K, 84, 84)`` uint8: without the bar at the bottom.

    Args:
        frames: ``(B, 96, 96, 3)`` uint8 as CarRacing shows them, K being 1, or K in a row, ``(B, K, 96, 96, 3)``.
    """
    side = (FRAME - VIEW) // 2
    part = frames[..., :VIEW, side : side + VIEW, :].float()
    grey = (part @ part.new_tensor(GREY) / 1000).round().to(torch.uint8)
    return grey[:, None] if frames.dim() == 4 else grey


def frames_shape(num_frames: int) -> tuple[int, ...]:
    """Return the shape of observations of which ``grey_view`` makes ``num_frames`` pictures."""
    frame = (FRAME, FRAME, 3)
    return frame if num_frames == 1 else (num_frames, *frame)


def require_frames(shape: tuple[int, ...], num_frames: int) -> None:
    """Raise UserError unless observations have the shape of ``num_frames`` frames."""
    if tuple(shape) == frames_shape(num_frames):
        return
    advice = f"set env_kwargs.size to {FRAME}"
    if len(shape) == 4 and tuple(shape[1:]) == frames_shape(1):
        advice = f"set num_frames to {shape[0]}"
    elif tuple(shape) == frames_shape(1):
        advice = "stack them by the wrapper gymnasium.wrappers.FrameStackObservation"
    raise UserError(
        f"cloning looks at {num_frames} frames of {FRAME} x {FRAME} pixels in colour, and an observation is"
        f" {list(shape)}: {advice}"
    )


class CloningNetwork(nn.Module):
    """Three convolutions and two linear layers, with dropout and batch norms: 455,831 parameters.

    Args:
        outputs: numbers that it gives for a view.
        num_frames: pictures in a view.
        dropout: probability in [0, 1) with which a map, and a unit behind them, is dropped in training.
    """

    def __init__(self, outputs: int = 7, num_frames: int = 1, dropout: float = 0.5) -> None:
        super().__init__()
        check_dropout(dropout)
        require_at_least(1, outputs=outputs, num_frames=num_frames)
        self.layers = nn.Sequential(
            *(nn.Conv2d(num_frames, 32, 8, 4), nn.BatchNorm2d(32), nn.ELU(), nn.Dropout2d(dropout)),
            *(nn.Conv2d(32, 64, 4, 2), nn.BatchNorm2d(64), nn.ELU(), nn.Dropout2d(dropout)),
            *(nn.Conv2d(64, 64, 3), nn.ELU(), nn.Flatten(), nn.BatchNorm1d(3136), nn.Dropout(dropout)),
            *(nn.Linear(3136, 120), nn.ELU(), nn.BatchNorm1d(120), nn.Dropout(dropout)),
            nn.Linear(120, outputs),
        )

    def forward(self, view: Tensor) -> Tensor:
        """Map views ``(B, num_frames, 84, 84)`` in [0, 1] to numbers ``(B, outputs)``."""
        found: Tensor = self.layers(view)
        return found
