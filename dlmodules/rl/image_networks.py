"""Convolutional networks of the agents that learn the values of actions from pictures."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from dlmodules.errors import UserError


class ImageQNetwork(nn.Module):
    """Convolutions, a hidden layer and one value for each action; base of the networks that look at pictures.

    With ``layer_norm`` a norm over all outputs of a layer stands between it and its ReLU, which replaces a target
    network (Gallici et al. 2024).

    Args:
        observation_shape: ``(C, H, W)`` of a picture; C is the number of frames where they are stacked.
        num_actions: number of actions.
        convolutions: ``(channels, kernel size, stride)`` of each convolution; none is padded.
        hidden_dim: units of the hidden layer.
        layer_norm: whether each layer has a norm.

    Raises:
        UserError: the pictures are too small for the convolutions.
    """

    highest: ClassVar[int] = 255
    """Of the whole numbers in an observation; the network divides by it."""
    memory_format: ClassVar[torch.memory_format] = torch.contiguous_format
    """Of pictures in the convolutions: where these are large, a CPU takes a quarter less time with channels last."""

    def __init__(
        self,
        observation_shape: Sequence[int],
        num_actions: int,
        convolutions: Sequence[tuple[int, int, int]],
        hidden_dim: int,
        layer_norm: bool,
    ) -> None:
        super().__init__()
        self.observation_shape = tuple(observation_shape)
        self.num_actions = num_actions
        self.hidden_dim = hidden_dim
        self.layer_norm = layer_norm
        channels, height, width = self.observation_shape
        layers: list[nn.Module] = []
        for after, kernel_size, stride in convolutions:
            if min(height, width) < kernel_size:
                raise UserError(f"{type(self).__name__}: pictures of {self.observation_shape} are too small for it")
            height, width = ((side - kernel_size) // stride + 1 for side in (height, width))
            layers.append(nn.Conv2d(channels, after, kernel_size, stride))
            layers += [nn.LayerNorm([after, height, width]), nn.ReLU()] if layer_norm else [nn.ReLU()]
            channels = after
        layers += [nn.Flatten(), nn.Linear(channels * height * width, hidden_dim)]
        layers += [nn.LayerNorm(hidden_dim), nn.ReLU()] if layer_norm else [nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden_dim, num_actions))

    def forward(self, observation: Tensor) -> Tensor:
        """Map observations ``(B, C, H, W)``, whole numbers from 0 to ``highest``, to values ``(B, num_actions)``."""
        pictures = (observation.float() / self.highest).contiguous(memory_format=self.memory_format)
        values: Tensor = self.layers(pictures)
        return values

    def example_observations(self, n: int, device: torch.device) -> Tensor:
        """Return ``n`` made-up observations ``(n, C, H, W)`` uint8."""
        generator = torch.Generator().manual_seed(0)
        shape = (n, *self.observation_shape)
        return torch.randint(self.highest + 1, shape, generator=generator, dtype=torch.uint8).to(device)


class NatureQNetwork(ImageQNetwork):
    """The network of Mnih et al. 2015 for Atari (vasilev 9.2): 1,686,180 parameters for 4 actions.

    Convolutions of 32 8x8 with stride 4, 64 4x4 with stride 2 and 64 3x3, and a layer of 512 units.

    Args:
        observation_shape: ``(C, H, W)`` of the stacked frames.
        num_actions: number of actions.
        layer_norm: a norm after each layer, as PQN needs.
    """

    memory_format: ClassVar[torch.memory_format] = torch.channels_last

    def __init__(
        self, observation_shape: Sequence[int] = (4, 84, 84), num_actions: int = 4, layer_norm: bool = False
    ) -> None:
        super().__init__(observation_shape, num_actions, [(32, 8, 4), (64, 4, 2), (64, 3, 1)], 512, layer_norm)


class MinAtarQNetwork(ImageQNetwork):
    """The network of Young and Tian 2019 for MinAtar: 132,179 parameters for 4 channels and 3 actions.

    A convolution of 16 3x3 and a layer of 128 units.

    Args:
        observation_shape: ``(C, H, W)`` of what is in each cell.
        num_actions: number of actions.
        layer_norm: a norm after each layer, as PQN needs.
    """

    highest: ClassVar[int] = 1

    def __init__(
        self, observation_shape: Sequence[int] = (4, 10, 10), num_actions: int = 3, layer_norm: bool = False
    ) -> None:
        super().__init__(observation_shape, num_actions, [(16, 3, 1)], 128, layer_norm)
