"""Networks of a position's policy and value."""

import copy

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import fuse_conv_bn_eval


def fused(convolution: nn.Conv2d, norm: nn.Module) -> tuple[nn.Conv2d, nn.Module]:
    """Return a convolution that does what the two did in evaluation mode, and what stands in for the batch norm."""
    assert isinstance(norm, nn.BatchNorm2d)
    return fuse_conv_bn_eval(convolution, norm), nn.Identity()


class ResidualBlock(nn.Module):
    """Two convolutions, to whose output the input is added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.first_norm: nn.Module = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second_norm: nn.Module = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps of the shape of ``x`` ``(B, C, H, W)``."""
        hidden = F.relu(self.first_norm(self.first(x)), inplace=True)
        return F.relu(x + self.second_norm(self.second(hidden)), inplace=True)

    def fuse(self) -> None:
        """Let the convolutions do what the batch norms do in evaluation mode."""
        self.first, self.first_norm = fused(self.first, self.first_norm)
        self.second, self.second_norm = fused(self.second, self.second_norm)


class PolicyValueNetwork(nn.Module):
    """Residual convolutions over the board, then a policy and a value, as AlphaZero has it, but small.

    Args:
        board_shape: rows and columns.
        num_planes: maps that describe a position.
        num_actions: of the game.
        channels: maps of each convolution.
        blocks: residual blocks of two convolutions each.
        head_channels: maps from which policy and value are computed, each.
        hidden_dim: units of the hidden layer of the value.
    """

    def __init__(
        self,
        board_shape: tuple[int, int] = (3, 3),
        num_planes: int = 2,
        num_actions: int = 9,
        channels: int = 32,
        blocks: int = 2,
        head_channels: int = 8,
        hidden_dim: int = 64,
    ) -> None:
        super().__init__()
        squares = board_shape[0] * board_shape[1]
        self.entry = nn.Conv2d(num_planes, channels, 3, padding=1, bias=False)
        self.entry_norm: nn.Module = nn.BatchNorm2d(channels)
        self.blocks = nn.ModuleList(ResidualBlock(channels) for _ in range(blocks))
        self.heads = nn.Conv2d(channels, 2 * head_channels, 1, bias=False)
        self.heads_norm: nn.Module = nn.BatchNorm2d(2 * head_channels)
        self.policy = nn.Linear(head_channels * squares, num_actions)
        self.value = nn.Sequential(
            nn.Linear(head_channels * squares, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, 1), nn.Tanh()
        )

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of the actions ``(B, A)`` and values in [-1, 1] ``(B,)`` of ``planes`` ``(B, C, H, W)``."""
        x = F.relu(self.entry_norm(self.entry(planes)), inplace=True)
        for block in self.blocks:
            x = block(x)
        of_policy, of_value = F.relu(self.heads_norm(self.heads(x))).chunk(2, dim=1)
        return self.policy(of_policy.flatten(1)), self.value(of_value.flatten(1)).squeeze(1)

    def fused(self) -> "PolicyValueNetwork":
        """Return a copy in evaluation mode whose convolutions do what its batch norms did, which is faster."""
        network = copy.deepcopy(self).eval()
        network.entry, network.entry_norm = fused(network.entry, network.entry_norm)
        network.heads, network.heads_norm = fused(network.heads, network.heads_norm)
        for block in network.blocks:
            assert isinstance(block, ResidualBlock)
            block.fuse()
        return network
