"""The network of matrix capsules: a class is present where many parts agree about its pose."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.classifiers.classifier import Classifier
from dlmodules.classifiers.matrix_capsules import (
    ClassMatrixCapsules,
    MatrixCapsules,
    PrimaryMatrixCapsules,
    spread_loss,
)
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least_one, check_positive, check_widths

FIRST_MARGIN, LAST_MARGIN = 0.2, 0.9  # of the spread loss


class MatrixCapsNet(nn.Module):
    """A 5x5 convolution, primary capsules, two convolutions of capsules, and one capsule for each class."""

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        channels: int,
        capsules: Sequence[int],
        iterations: int,
        sharpness: float,
    ) -> None:
        super().__init__()
        if min(image_shape[1:]) < 17:
            raise UserError(f"MatrixCapsNet reads images of 17x17 or more, not {image_shape[1]}x{image_shape[2]}")
        height, width = ((side - 5) // 2 + 1 for side in image_shape[1:])
        primary, first, second = capsules
        self.conv = nn.Conv2d(image_shape[0], channels, 5, stride=2)
        self.primary = PrimaryMatrixCapsules(channels, primary)
        self.capsules1 = MatrixCapsules(height, width, primary, first, iterations, sharpness, stride=2)
        self.capsules2 = MatrixCapsules(
            self.capsules1.height, self.capsules1.width, first, second, iterations, sharpness
        )
        self.classes = ClassMatrixCapsules(
            self.capsules2.height, self.capsules2.width, second, num_classes, iterations, sharpness
        )

    def _class_capsules(self, x: Tensor) -> tuple[Tensor, Tensor]:
        capsules = self.primary(F.relu(self.conv(x)))
        capsules = self.capsules2(*self.capsules1(*capsules))
        poses, activations = self.classes(*capsules)
        return poses, activations

    def hidden(self, x: Tensor) -> Tensor:
        """Return the poses ``(B, num_classes, 16)`` of the classes' capsules."""
        return self._class_capsules(x)[0]

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to the activations ``(B, num_classes)`` of the classes' capsules, in [0, 1]."""
        return self._class_capsules(x)[1]


class MatrixCapsNetClassifier(Classifier):
    """Capsules with a 4x4 pose and an activation, routed by expectation-maximisation: 318,964 parameters.

    Its outputs are activations in [0, 1], not logits. They are trained by the spread loss, whose margin grows
    from 0.2 to 0.9 in training and is 0.9 in validation and test.

    Paper: Hinton, Sabour & Frosst 2018, Matrix Capsules with EM Routing, ICLR.
    Books: vasilev 5.11.

    Args:
        input_shape: channels, height and width of the images, in [0, 1], of 17x17 pixels or more.
        num_classes: number of classes.
        channels: filters of the first convolution.
        capsules: kinds of primary capsules and of the two layers above them.
        iterations: of the routing.
        sharpness: how sharply an activation depends on the cost of its capsule's votes, the routing's final inverse
            temperature. A cost grows with the number of votes, so small networks need more than the authors' 0.01.
        margin_steps: training steps over which the margin grows.
        optimizer: makes the optimizer.
        **kwargs: arguments of ``Classifier``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"channels": 16, "capsules": (2, 4, 4)}

    def __init__(
        self,
        input_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        channels: int = 32,
        capsules: Sequence[int] = (32, 32, 32),
        iterations: int = 3,
        sharpness: float = 0.01,
        margin_steps: int = 10_000,
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=3e-3),
        **kwargs: Any,
    ) -> None:
        check_at_least_one(channels=channels, iterations=iterations, margin_steps=margin_steps)
        check_widths("capsules", capsules)
        if len(capsules) != 3:
            raise UserError(f"capsules has {len(capsules)} numbers; three layers of capsules need 3")
        check_positive(sharpness=sharpness)
        network = MatrixCapsNet(input_shape, num_classes, channels, capsules, iterations, sharpness)
        super().__init__(
            network=network, num_classes=num_classes, optimizer=optimizer, input_shape=input_shape, **kwargs
        )
        self.margin_steps = margin_steps

    @property
    def margin(self) -> float:
        """The spread loss's margin at this training step."""
        return FIRST_MARGIN + (LAST_MARGIN - FIRST_MARGIN) * min(1.0, self.global_step / self.margin_steps)

    @override
    def loss(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return the spread loss of the capsules' activations ``(B, K)``, at the full margin in evaluation."""
        return spread_loss(logits, y, self.margin if self.training else LAST_MARGIN)

    @override
    def probabilities(self, logits: Tensor) -> Tensor:
        """Return the activations ``(B, K)`` themselves, each the probability that its class is there."""
        return logits
