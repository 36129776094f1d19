"""DenseNet-BC for small images: every layer receives the outputs of all layers before it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.classifiers.classifier import Classifier
from dlmodules.errors import UserError
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.layers.initialization import he_normal_
from dlmodules.layers.normalization import keras_batch_norm
from dlmodules.validation.arguments import check_at_least_one, check_dropout

STAGES = 3


class BottleneckLayer(nn.Module):
    """Batch norm, ReLU, 1x1 convolution to 4k channels, batch norm, ReLU, 3x3 convolution to k, joined to the input."""

    def __init__(self, before: int, growth_rate: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.conv1 = keras_batch_norm(before), nn.Conv2d(before, 4 * growth_rate, 1)
        self.norm2 = keras_batch_norm(4 * growth_rate)
        self.conv2 = nn.Conv2d(4 * growth_rate, growth_rate, 3, padding=1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, before, H, W)`` to ``(B, before + growth_rate, H, W)``."""
        y = self.dropout(self.conv1(F.relu(self.norm1(x))))
        y = self.dropout(self.conv2(F.relu(self.norm2(y))))
        return torch.cat([x, y], dim=1)


class Transition(nn.Module):
    """Batch norm, 1x1 convolution to fewer channels, average pooling by 2. The book has no ReLU here."""

    def __init__(self, before: int, after: int, dropout: float) -> None:
        super().__init__()
        self.norm, self.conv, self.dropout = keras_batch_norm(before), nn.Conv2d(before, after, 1), nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, before, H, W)`` to ``(B, after, H / 2, W / 2)``."""
        return F.avg_pool2d(self.dropout(self.conv(self.norm(x))), 2)


class DenseNet(nn.Module):
    """A stem joined to the image itself, three dense blocks with transitions between, average pooling, a linear layer.

    Each block has (depth - 4) / 6 bottleneck layers. A transition keeps the fraction ``compression`` of the book's
    counter of channels, which starts at 2k and leaves out the image's own.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (3, 32, 32),
        num_classes: int = 10,
        depth: int = 100,
        growth_rate: int = 12,
        compression: float = 0.5,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if depth < 10 or (depth - 4) % 6:
            raise UserError(f"a DenseNet-BC has a depth of 6n + 4: 10, 16, ..., 40, 100, 190, 250; not {depth}")
        self.image_shape, self.num_classes, self.depth = tuple(image_shape), num_classes, depth
        self.growth_rate, self.compression, self.dropout = growth_rate, compression, dropout
        channels = image_shape[0]
        self.stem_norm, self.stem = keras_batch_norm(channels), nn.Conv2d(channels, 2 * growth_rate, 3, padding=1)
        counter, width = 2 * growth_rate, 2 * growth_rate + channels
        layers: list[nn.Module] = []
        for stage in range(STAGES):
            for _ in range((depth - 4) // 6):
                layers.append(BottleneckLayer(width, growth_rate, dropout))
                counter, width = counter + growth_rate, width + growth_rate
            if stage < STAGES - 1:
                counter = int(counter * compression)
                layers.append(Transition(width, counter, dropout))
                width = counter
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(width, num_classes)
        he_normal_(self)

    def hidden(self, x: Tensor) -> Tensor:
        """Return the features ``(B, F)``: each channel's mean over the image."""
        x = torch.cat([x, self.stem(F.relu(self.stem_norm(x)))], dim=1)
        x = self.layers(x)
        return x.mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to logits ``(B, num_classes)``."""
        logits: Tensor = self.head(self.hidden(x))
        return logits


class DenseNetClassifier(Classifier):
    """DenseNet-BC of depth 100 and growth rate 12 classifies a small image: 774,376 trainable parameters.

    Keras counts 797,788, with the 23,412 running statistics, which are buffers here.

    Paper: Huang, Liu, van der Maaten & Weinberger 2017, Densely Connected Convolutional Networks, arXiv:1608.06993.
    Books: atienza 2.4.1, vasilev 5.9.

    Args:
        input_shape: channels, height and width of the images.
        num_classes: number of classes.
        depth: 6n + 4, for n layers in each of the three blocks.
        growth_rate: channels that each layer adds.
        compression: fraction of its channels that a transition keeps, in (0, 1].
        dropout: probability in [0, 1) with which an output of a convolution is dropped in training; the book
            and the paper take 0.2 where images are not augmented.
        optimizer: makes the optimizer; the default, the book's, is RMSprop with Keras' settings.
        **kwargs: arguments of ``Classifier``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"input_shape": (3, 16, 16), "depth": 10}

    def __init__(
        self,
        input_shape: Sequence[int] = (3, 32, 32),
        num_classes: int = 10,
        depth: int = 100,
        growth_rate: int = 12,
        compression: float = 0.5,
        dropout: float = 0.0,
        optimizer: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=1e-3, alpha=0.9, eps=1e-7),
        **kwargs: Any,
    ) -> None:
        check_dropout(dropout)
        check_at_least_one(growth_rate=growth_rate)
        if not 0.0 < compression <= 1.0:
            raise UserError(f"compression is {compression}; it must lie in (0, 1]")
        network = DenseNet(input_shape, num_classes, depth, growth_rate, compression, dropout)
        super().__init__(
            network=network, num_classes=num_classes, optimizer=optimizer, input_shape=input_shape, **kwargs
        )
        use_channels_last(self)
