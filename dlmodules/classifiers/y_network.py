"""The Y-network: two convolutional branches, one with dilated kernels, that are concatenated before the last layer."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dlmodules.classifiers.classifier import Classifier
from dlmodules.errors import UserError
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.validation.arguments import check_at_least_one, check_dropout, check_widths


class YNetwork(nn.Module):
    """Two branches of [3x3 convolution, ReLU, dropout, max pooling]; the second one's kernels are dilated."""

    def __init__(
        self, image_shape: Sequence[int], num_classes: int, filters: Sequence[int], dilation: int, dropout: float
    ) -> None:
        super().__init__()
        self.plain = branch(image_shape[0], filters, 1, dropout)
        self.dilated = branch(image_shape[0], filters, dilation, dropout)
        height, width = (side // 2 ** len(filters) for side in image_shape[1:])
        if min(height, width) < 1:
            raise UserError(
                f"images of {image_shape[1]}x{image_shape[2]} cannot be halved {len(filters)} times:"
                " take larger images or fewer filters"
            )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * filters[-1] * height * width, num_classes)
        glorot_uniform_(self)

    def hidden(self, x: Tensor) -> Tensor:
        """Return the features ``(B, F)`` of both branches, side by side."""
        both = torch.cat([self.plain(x), self.dilated(x)], dim=1)
        features: Tensor = self.dropout(both.flatten(1))
        return features

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)``, given to both branches, to logits ``(B, num_classes)``."""
        logits: Tensor = self.head(self.hidden(x))
        return logits


def branch(channels: int, filters: Sequence[int], dilation: int, dropout: float) -> nn.Sequential:
    """Return one branch of the Y: each convolution keeps the size, each pooling halves it."""
    layers: list[nn.Module] = []
    for count in filters:
        layers += [nn.Conv2d(channels, count, 3, padding=dilation, dilation=dilation), nn.ReLU()]
        layers += [nn.Dropout(dropout), nn.MaxPool2d(2)]
        channels = count
    return nn.Sequential(*layers)


class YNetworkClassifier(Classifier):
    """Two branches classify the same digit with narrow and with dilated kernels: 208,394 parameters.

    Paper: Yu & Koltun 2016, Multi-Scale Context Aggregation by Dilated Convolutions, arXiv:1511.07122.
    Books: atienza 2.1.2.

    Args:
        input_shape: channels, height and width of the images.
        num_classes: number of classes.
        filters: of each convolution of a branch; each of them halves the image.
        dilation: of the second branch's kernels.
        dropout: probability in [0, 1) with which a feature is dropped in training.
        **kwargs: arguments of ``Classifier``.
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        filters: Sequence[int] = (32, 64, 128),
        dilation: int = 2,
        dropout: float = 0.4,
        **kwargs: Any,
    ) -> None:
        check_dropout(dropout)
        check_at_least_one(dilation=dilation)
        check_widths("filters", filters)
        network = YNetwork(input_shape, num_classes, filters, dilation, dropout)
        super().__init__(network=network, num_classes=num_classes, input_shape=input_shape, **kwargs)
        use_channels_last(self)
