"""Residual networks for small images, of depth 6n + 2 (v1) and 9n + 2 (v2)."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.classifiers.classifier import Classifier
from dlmodules.errors import UserError
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.layers.initialization import he_normal_
from dlmodules.layers.normalization import keras_batch_norm
from dlmodules.layers.same_padding import SameConv2d

STAGES = 3


class BasicBlock(nn.Module):
    """Version 1: two 3x3 convolutions with batch norm, the shortcut added, then ReLU."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = SameConv2d(before, after, 3, stride=stride), keras_batch_norm(after)
        self.conv2, self.norm2 = SameConv2d(after, after, 3), keras_batch_norm(after)
        # A projection has neither batch norm nor activation in the book.
        self.shortcut = nn.Identity() if before == after else SameConv2d(before, after, 1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, before, H, W)`` to ``(B, after, H / stride, W / stride)``."""
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class PreactivationBottleneck(nn.Module):
    """Version 2: [batch norm, ReLU, convolution] of 1x1, 3x3 and 1x1, and the block's own input added.

    The first block of all follows the stem's batch norm and ReLU, and so leaves out its first ones.
    """

    def __init__(self, before: int, middle: int, after: int, stride: int, first: bool) -> None:
        super().__init__()
        self.norm1: nn.Module = nn.Identity() if first else keras_batch_norm(before)
        self.first = first
        self.conv1, self.norm2 = SameConv2d(before, middle, 1, stride=stride), keras_batch_norm(middle)
        self.conv2, self.norm3 = SameConv2d(middle, middle, 3), keras_batch_norm(middle)
        self.conv3 = SameConv2d(middle, after, 1)
        self.shortcut = nn.Identity() if before == after else SameConv2d(before, after, 1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, before, H, W)`` to ``(B, after, H / stride, W / stride)``."""
        y = self.conv1(x if self.first else F.relu(self.norm1(x)))
        y = self.conv2(F.relu(self.norm2(y)))
        y = self.conv3(F.relu(self.norm3(y)))
        total: Tensor = y + self.shortcut(x)
        return total


class ResNet(nn.Module):
    """A stem of 16 filters, three stages (the last two halve the image), global average pooling, a linear layer.

    Version 1 has 16, 32, 64 filters and n = (depth - 2) / 6 blocks in each stage; version 2 has 64, 128, 256 and
    n = (depth - 2) / 9.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (3, 32, 32),
        num_classes: int = 10,
        depth: int = 20,
        version: Literal[1, 2] = 1,
    ) -> None:
        super().__init__()
        unit = {1: 6, 2: 9}[version]
        if depth < unit + 2 or (depth - 2) % unit:
            raise UserError(
                f"a ResNet v{version} has a depth of {unit}n + 2: {unit + 2}, {2 * unit + 2}, ...; not {depth}"
            )
        self.image_shape, self.num_classes = tuple(image_shape), num_classes
        self.depth, self.version = depth, version
        self.stem, self.stem_norm = SameConv2d(image_shape[0], 16, 3), keras_batch_norm(16)
        blocks: list[nn.Module] = []
        width = 16
        for stage in range(STAGES):
            for index in range((depth - 2) // unit):
                stride = 2 if stage > 0 and index == 0 else 1
                if version == 1:
                    blocks.append(BasicBlock(width, 16 * 2**stage, stride))
                    width = 16 * 2**stage
                else:
                    middle = 16 if stage == 0 else 32 * 2**stage
                    blocks.append(PreactivationBottleneck(width, middle, 64 * 2**stage, stride, first=not blocks))
                    width = 64 * 2**stage
        self.blocks = nn.Sequential(*blocks)
        self.last_norm = keras_batch_norm(width) if version == 2 else None
        self.head = nn.Linear(width, num_classes)
        he_normal_(self)

    def hidden(self, x: Tensor) -> Tensor:
        """Return the features ``(B, F)``: each channel's mean over the image."""
        x = self.blocks(F.relu(self.stem_norm(self.stem(x))))
        if self.last_norm is not None:
            x = F.relu(self.last_norm(x))
        return x.mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to logits ``(B, num_classes)``."""
        logits: Tensor = self.head(self.hidden(x))
        return logits


class ResNetClassifier(Classifier):
    """A residual network classifies a small image: 273,066 trainable parameters at depth 20.

    Keras counts 274,442, with the 1,376 running statistics, which are buffers here.

    Paper: He, Zhang, Ren & Sun 2016, Deep Residual Learning for Image Recognition, arXiv:1512.03385; Identity
    Mappings in Deep Residual Networks, arXiv:1603.05027.
    Books: atienza 2.2.1, atienza 2.3.1, vasilev 5.3.

    Args:
        input_shape: channels, height and width of the images.
        num_classes: number of classes.
        depth: 6n + 2 for version 1 (20, 32, 44, 56, 110), 9n + 2 for version 2 (29, 56, 110).
        version: 1 adds, then activates; 2 activates before each convolution, in bottlenecks.
        **kwargs: arguments of ``Classifier``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"input_shape": (3, 16, 16), "depth": 20}

    def __init__(
        self,
        input_shape: Sequence[int] = (3, 32, 32),
        num_classes: int = 10,
        depth: int = 20,
        version: Literal[1, 2] = 1,
        **kwargs: Any,
    ) -> None:
        network = ResNet(input_shape, num_classes, depth, version)
        super().__init__(network=network, num_classes=num_classes, input_shape=input_shape, **kwargs)
        use_channels_last(self)
