"""The capsule network: the length of a class's vector is its probability, its direction the digit's appearance."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.classifiers.capsules import PrimaryCapsules, RoutedCapsules, margin_loss
from dlmodules.classifiers.classifier import Classifier
from dlmodules.errors import UserError
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.layers.mlp import mlp_layers
from dlmodules.sampling.labels import one_hot
from dlmodules.validation.arguments import check_at_least_one, check_widths


class CapsNet(nn.Module):
    """A 9x9 convolution, primary capsules of 8 numbers, and one capsule of 16 for each class, found by routing."""

    def __init__(
        self, image_shape: Sequence[int], num_classes: int, channels: int, capsules: int, dim: int, iterations: int
    ) -> None:
        super().__init__()
        height, width = ((side - 8 - 9) // 2 + 1 for side in image_shape[1:])
        if min(height, width) < 1:
            raise UserError(f"CapsNet reads images of 18x18 or more, not {image_shape[1]}x{image_shape[2]}")
        self.conv = nn.Conv2d(image_shape[0], channels, 9)
        self.primary = PrimaryCapsules(channels, capsules, 8, 9, stride=2)
        self.classes = RoutedCapsules(capsules * height * width, 8, num_classes, dim, iterations)

    def hidden(self, x: Tensor) -> Tensor:
        """Return the classes' capsules ``(B, num_classes, dim)``."""
        capsules: Tensor = self.classes(self.primary(F.relu(self.conv(x))))
        return capsules

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to the lengths ``(B, num_classes)`` of the classes' capsules, in [0, 1)."""
        lengths: Tensor = self.hidden(x).norm(dim=2)
        return lengths


class CapsNetClassifier(Classifier):
    """Capsules with dynamic routing classify a digit and reconstruct it: 8,215,568 parameters.

    Its outputs are lengths of capsules in [0, 1), not logits: no softmax makes them probabilities of one class, since
    two digits may be there at once. Besides a classifier's metrics it logs ``margin_loss`` and
    ``reconstruction_loss`` (summed over pixels, averaged over images).

    Paper: Sabour, Frosst & Hinton 2017, Dynamic Routing Between Capsules, arXiv:1710.09829.
    Books: vasilev 5.10.

    Args:
        input_shape: channels, height and width of the images, in [0, 1].
        num_classes: number of classes.
        channels: filters of the first convolution.
        capsules: blocks of primary capsules.
        dim: size of a class's capsule.
        iterations: of the routing.
        reconstruction_weight: of the reconstruction loss, which keeps the capsules' directions meaningful.
        decoder_dims: hidden units of the decoder.
        optimizer: makes the optimizer.
        **kwargs: arguments of ``Classifier``.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"channels": 32, "capsules": 4}

    def __init__(
        self,
        input_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        channels: int = 256,
        capsules: int = 32,
        dim: int = 16,
        iterations: int = 3,
        reconstruction_weight: float = 0.0005,
        decoder_dims: Sequence[int] = (512, 1024),
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3),
        **kwargs: Any,
    ) -> None:
        check_at_least_one(channels=channels, capsules=capsules, dim=dim, iterations=iterations)
        check_widths("decoder_dims", decoder_dims, fewest=0)
        network = CapsNet(input_shape, num_classes, channels, capsules, dim, iterations)
        super().__init__(
            network=network, num_classes=num_classes, optimizer=optimizer, input_shape=input_shape, **kwargs
        )
        self.reconstruction_weight = reconstruction_weight
        widths = [num_classes * dim, *decoder_dims]
        self.decoder = nn.Sequential(*mlp_layers(widths), nn.Linear(widths[-1], prod(input_shape)), nn.Sigmoid())
        use_channels_last(self)

    @override
    def loss(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return the margin loss of the capsules' lengths ``(B, K)``."""
        return margin_loss(logits, y)

    @override
    def losses(self, x: Tensor, y: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the lengths, and the margin loss plus the error of the true class's reconstruction."""
        capsules = self.network.hidden(x)  # type: ignore[operator]  # a method of the network
        lengths: Tensor = capsules.norm(dim=2)
        margin = self.loss(lengths, y)
        reconstruction = (self.decode_capsules(capsules, y) - x).square().flatten(1).sum(dim=1).mean()
        total = margin + self.reconstruction_weight * reconstruction
        return lengths, {"loss": total, "margin_loss": margin, "reconstruction_loss": reconstruction}

    @override
    def probabilities(self, logits: Tensor) -> Tensor:
        """Return the lengths ``(B, K)`` themselves, each the probability that its class is there."""
        return logits

    def decode_capsules(self, capsules: Tensor, y: Tensor) -> Tensor:
        """Reconstruct images ``(B, C, H, W)`` from capsules ``(B, K, dim)``, all masked but class ``y``'s ``(B,)``."""
        mask = one_hot(y, self.num_classes, capsules.dtype).unsqueeze(2)
        images: Tensor = self.decoder((capsules * mask).flatten(1))
        assert self.input_shape is not None
        return images.view(-1, *self.input_shape)

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the reconstructions by the longest capsule of each image ``(B, C, H, W)``, of the same shape."""
        capsules = self.network.hidden(x)  # type: ignore[operator]  # a method of the network
        return self.decode_capsules(capsules, capsules.norm(dim=2).argmax(dim=1))
