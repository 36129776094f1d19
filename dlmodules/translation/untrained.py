"""A classifier with random weights, in place of one that knows what is what: to compare with, and to try out."""

import torch
from torch import nn

UNTRAINED = "untrained"
CLASSES = 10


def untrained_classifier(shape: tuple[int, ...]) -> nn.Module:
    """Return a small network with first weights that are always the same: they are in no checkpoint."""
    draw = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Conv2d(shape[0], 16, 4, stride=4), nn.Tanh(), nn.Flatten(), nn.LazyLinear(CLASSES))
    network(torch.zeros(1, *shape))
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3, generator=draw)
    return network
