"""A small convolutional network for images, and the classifier that trains it."""

import itertools
from collections.abc import Sequence
from math import prod
from typing import Any

from torch import Tensor, nn

from dlmodules.classifiers.classifier import Classifier
from dlmodules.errors import UserError
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.validation.arguments import check_dropout, check_widths


class CNN(nn.Module):
    """3x3 convolutions without padding, each with ReLU, a max pooling by 2 between them; dropout; a linear layer."""

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        filters: Sequence[int] = (64, 64, 64),
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.image_shape, self.num_classes = tuple(image_shape), num_classes
        self.filters, self.dropout = tuple(filters), dropout
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise([image_shape[0], *filters]):
            layers += [nn.Conv2d(before, after, 3), nn.ReLU(), nn.MaxPool2d(2)]
        self.hidden = nn.Sequential(*layers[:-1], nn.Flatten(), nn.Dropout(dropout))
        self.head = nn.Linear(prod(self._bottom()), num_classes)
        glorot_uniform_(self)

    def _bottom(self) -> tuple[int, int, int]:
        sides = list(self.image_shape[1:])
        for index in range(len(self.filters)):
            sides = [(side // 2 if index else side) - 2 for side in sides]
        if min(sides) < 1:
            height, width = self.image_shape[1:]
            raise UserError(
                f"images of {height}x{width} are too small for {len(self.filters)} convolutions with a pooling between"
                " them: take larger images or fewer filters"
            )
        return self.filters[-1], sides[0], sides[1]

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to logits ``(B, num_classes)``."""
        logits: Tensor = self.head(self.hidden(x))
        return logits


class CNNClassifier(Classifier):
    """Three convolutions with poolings between them classify a digit: 80,266 parameters.

    Paper: LeCun, Bottou, Bengio & Haffner 1998, Gradient-Based Learning Applied to Document Recognition.
    Books: atienza 1.4.1, atienza 2.1.1, vasilev 4.10, vasilev 4.16, foster F2.3, foster F2.5.

    Args:
        input_shape: channels, height and width of the images.
        num_classes: number of classes.
        filters: of each convolution of the default network.
        dropout: probability in [0, 1) with which the default network drops a feature before its last layer.
        network: maps images ``(B, C, H, W)`` to logits ``(B, num_classes)``, such as those of
            ``dlmodules.classifiers.cnn_networks``; None builds ``CNN``.
        **kwargs: arguments of ``Classifier``.
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        filters: Sequence[int] = (64, 64, 64),
        dropout: float = 0.2,
        network: nn.Module | None = None,
        **kwargs: Any,
    ) -> None:
        check_dropout(dropout)
        check_widths("filters", filters)
        if network is None:
            network = CNN(input_shape, num_classes, filters, dropout)
        super().__init__(network=network, num_classes=num_classes, input_shape=input_shape, **kwargs)
        use_channels_last(self)
