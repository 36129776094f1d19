"""CyCADA: a CycleGAN whose translations must still be read as what they were."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.checkpoints.loading import load_module
from dlmodules.errors import UserError
from dlmodules.translation.cyclegan import CycleGAN
from dlmodules.translation.pairs import ImagePairs
from dlmodules.translation.sizes import check_one_shape
from dlmodules.translation.untrained import UNTRAINED, untrained_classifier
from dlmodules.validation.arguments import check_at_least


class CyCADA(CycleGAN):
    """A CycleGAN with the semantic loss: a frozen classifier must read a translation as it read the image itself.

    A CycleGAN between two kinds of digits is free to make a 3 of each 8 if it makes an 8 of each 3 on the way
    back. The classifier was trained on images of ``a``, the labelled domain; those of ``b`` need no labels. What is
    translated from ``a``, with its labels, then trains a classifier of ``b``.

    Logged beside what ``CycleGAN`` logs: ``train/semantic_loss``, in nats, the sum of both ways; for validation and
    test ``read_a2b``, the part of the images of ``a`` whose translation is read as their label, and ``read_b2a``
    likewise, both where the batch has labels.

    Paper: Hoffman et al. 2017, CyCADA: Cycle-Consistent Adversarial Domain Adaptation, arXiv:1711.03213.
    Books: atienza 7.1.7.

    Args:
        classifier: checkpoint of a classifier of images of ``a``, such as a ``CNNClassifier``; a network that maps
            them, in [0, 1], to logits; or ``untrained``, one with random weights, which does not know what is what.
            It is loaded when training, validation or the test begins, and is in no checkpoint of this module.
        semantic: weight of the semantic loss.
        **kwargs: of ``CycleGAN``.

    Raises:
        UserError: for a number out of range, domains of different shapes, and a classifier that cannot be read.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {**CycleGAN.small_arguments, "classifier": UNTRAINED}

    def __init__(self, classifier: str | nn.Module | None = None, semantic: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_at_least(0, semantic=semantic)
        check_one_shape(self.source_shape, self.image_shape)
        self.semantic = semantic
        # A frozen network is no part of the module: neither of its parameters nor of its checkpoints.
        self._classifiers: list[str | nn.Module | None] = [classifier]

    @property
    def classifier(self) -> nn.Module:
        """The frozen classifier; it is loaded when it is first asked for.

        Raises:
            UserError: there is none, or it cannot be read.
        """
        source = self._classifiers[0]
        if isinstance(source, nn.Module):
            return source
        if source is None:
            raise UserError(
                "CyCADA needs a classifier of the images of a: train one, such as CNNClassifier, and give its"
                " checkpoint as --model.classifier"
            )
        found = untrained_classifier(self.source_shape) if source == UNTRAINED else load_module(source)
        self._classifiers[0] = found.requires_grad_(False).eval()
        return found

    @override
    def setup(self, stage: str) -> None:
        """Load the classifier, for all but ``predict``."""
        super().setup(stage)
        if stage != "predict":
            _ = self.classifier

    def logits(self, images: Tensor) -> Tensor:
        """Return what the classifier makes of ``images`` ``(B, C, H, W)`` in the networks' range, ``(B, K)``."""
        classifier = self.classifier.to(images.device)
        found: Tensor = classifier(self.to_unit_range(images).clamp(0, 1))
        return found

    def semantic_loss(self, pairs: ImagePairs, fakes: ImagePairs) -> Tensor:
        """Return the cross-entropy of the classes of both domains' images, as they are read, in their translations."""
        with torch.no_grad():
            seen = [self.logits(images).argmax(dim=1) for images in (pairs.a, pairs.b)]
        translated = fakes.b, fakes.a
        return torch.stack(
            [F.cross_entropy(self.logits(x), classes) for x, classes in zip(translated, seen, strict=True)]
        ).sum()

    @override
    def generator_losses(self, pairs: ImagePairs, fakes: ImagePairs) -> dict[str, Tensor]:
        losses = super().generator_losses(pairs, fakes)
        if self.semantic > 0:
            semantic = self.semantic_loss(pairs, fakes)
            losses |= {"g_loss": losses["g_loss"] + self.semantic * semantic, "semantic_loss": semantic}
        return losses

    @override
    def log_fakes(self, fakes: ImagePairs, stage: str) -> None:
        for way, images, labels in (("a2b", fakes.b, fakes.labels_b), ("b2a", fakes.a, fakes.labels_a)):
            if labels is not None:
                right = (self.logits(images).argmax(dim=1) == labels).float().mean()
                self.log(f"{stage}/read_{way}", right, batch_size=len(images), prog_bar=True, sync_dist=True)
