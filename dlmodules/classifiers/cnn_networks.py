"""The books' other convolutional networks, for ``CNNClassifier(network=...)``. Parameter counts are for 10 classes."""

from collections.abc import Sequence

from torch import Tensor, nn

from dlmodules.classifiers.standardize import CIFAR10_MEAN, CIFAR10_STD, Standardize
from dlmodules.errors import UserError
from dlmodules.layers.activations import KERAS_LEAK
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.layers.normalization import keras_batch_norm
from dlmodules.layers.same_padding import SameConv2d


class ConvNetwork(nn.Module):
    """Base of the networks below: ``hidden`` maps images to features, ``head`` features to logits."""

    hidden: nn.Sequential
    head: nn.Linear

    def __init__(self, image_shape: Sequence[int], num_classes: int) -> None:
        super().__init__()
        self.image_shape, self.num_classes = tuple(image_shape), num_classes

    def set_layers(self, layers: Sequence[nn.Module], features: int) -> None:
        """Set ``hidden`` and ``head`` with Keras' initial weights; there are ``features`` before the last layer."""
        if features < 1:
            height, width = self.image_shape[1:]
            raise UserError(f"{type(self).__name__} cannot read images as small as {height}x{width}")
        self.hidden = nn.Sequential(*layers)
        self.head = nn.Linear(features, self.num_classes)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to logits ``(B, num_classes)``."""
        logits: Tensor = self.head(self.hidden(x))
        return logits


class PooledCNN(ConvNetwork):
    """Two 3x3 convolutions of 32 filters, one pooling, a dense layer of 64 (vasilev 4.10): 305,194 parameters."""

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), num_classes: int = 10) -> None:
        super().__init__(image_shape, num_classes)
        height, width = ((side - 4) // 2 for side in image_shape[1:])
        layers = [
            *(nn.Conv2d(image_shape[0], 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU()),
            *(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(max(0, 32 * height * width), 64), nn.ReLU()),
        ]
        self.set_layers(layers, 64 if min(height, width) > 0 else 0)


class ELUCNN(ConvNetwork):
    """Three pairs of convolutions (32, 64, 128), each with batch norm and ELU (vasilev 4.16): 293,034 parameters.

    A pooling and dropout (0.2, 0.2, 0.5) end each pair; the third one has no padding. Keras counts 896 running
    statistics besides. Images are standardized by CIFAR10's mean and spread, as the book does with its data.

    Args:
        image_shape: channels, height and width of the images.
        num_classes: number of classes.
        companion: the network of the book's companion code: ELU before batch norm, and padding in the third pair too:
            308,394 parameters. The book's figures may be of either.
    """

    def __init__(
        self, image_shape: Sequence[int] = (3, 32, 32), num_classes: int = 10, companion: bool = False
    ) -> None:
        super().__init__(image_shape, num_classes)
        self.companion = companion
        layers: list[nn.Module] = [Standardize(CIFAR10_MEAN, CIFAR10_STD)]
        before = image_shape[0]
        for filters, padding, dropout in ((32, 1, 0.2), (64, 1, 0.2), (128, int(companion), 0.5)):
            for channels in (before, filters):
                after: list[nn.Module] = [keras_batch_norm(filters), nn.ELU()]
                layers += [nn.Conv2d(channels, filters, 3, padding=padding), *(after[::-1] if companion else after)]
            layers += [nn.MaxPool2d(2), nn.Dropout(dropout)]
            before = filters
        lost = 0 if companion else 4
        height, width = ((side // 4 - lost) // 2 for side in image_shape[1:])
        self.set_layers([*layers, nn.Flatten()], 128 * max(0, height) * max(0, width))


class StridedLinearCNN(ConvNetwork):
    """Two stride-2 convolutions (10 of 4x4, 20 of 3x3) without activations (foster F2.3): 15,120 parameters."""

    def __init__(self, image_shape: Sequence[int] = (3, 32, 32), num_classes: int = 10) -> None:
        super().__init__(image_shape, num_classes)
        height, width = (-(-side // 4) for side in image_shape[1:])
        layers = [SameConv2d(image_shape[0], 10, 4, stride=2), SameConv2d(10, 20, 3, stride=2), nn.Flatten()]
        self.set_layers(layers, 20 * height * width)


class StridedCNN(ConvNetwork):
    """Four convolutions with batch norm and leaky ReLU, every second of stride 2, then a dense layer of 128.

    Foster F2.5: 591,914 parameters, and 640 running statistics that Keras counts as well.
    """

    def __init__(self, image_shape: Sequence[int] = (3, 32, 32), num_classes: int = 10) -> None:
        super().__init__(image_shape, num_classes)
        layers: list[nn.Module] = []
        before = image_shape[0]
        for filters, stride in ((32, 1), (32, 2), (64, 1), (64, 2)):
            convolution = SameConv2d(before, filters, 3, stride=stride)
            layers += [convolution, keras_batch_norm(filters), nn.LeakyReLU(KERAS_LEAK)]
            before = filters
        height, width = (-(-side // 4) for side in image_shape[1:])
        layers += [nn.Flatten(), nn.Linear(64 * height * width, 128), nn.BatchNorm1d(128, eps=1e-3, momentum=0.01)]
        self.set_layers([*layers, nn.LeakyReLU(KERAS_LEAK), nn.Dropout(0.5)], 128)
