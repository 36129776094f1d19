"""A small classifier of a face's attributes, by which edited faces are measured."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def train_reader(
    loader: Iterable[tuple[Tensor, Tensor]], attributes: int, epochs: int, steps: int, seed: int
) -> nn.Module:
    """Train a network on images ``(B, 3, 64, 64)`` and their attributes ``(B, A)`` and return it for evaluation.

    Its answers are the logits ``(B, A)`` of a yes. ``steps`` are the batches of an epoch.
    """
    torch.manual_seed(seed)
    network = _network(attributes)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=epochs * steps)
    for _ in range(epochs):
        for _, (x, y) in zip(range(steps), loader, strict=False):
            loss = F.binary_cross_entropy_with_logits(network(x), y.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def _network(attributes: int) -> nn.Module:
    layers: list[nn.Module] = []
    for before, after in ((3, 16), (16, 32), (32, 64), (64, 64)):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 4 * 4, attributes))


@torch.no_grad()
def read(network: nn.Module, images: Tensor) -> Tensor:
    """Return the verdicts ``(B, A)`` bool on images ``(B, 3, 64, 64)``, read 256 at a time."""
    return torch.cat([network(part) > 0 for part in images.split(256)])
