"""ADDA: a classifier comes to read another domain, until an adversary cannot tell which domain its logits are of."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy
from typing_extensions import override

from dlmodules.adversarial.losses import LossName, judgements, loss_named, realness
from dlmodules.adversarial.optimizers import AdversarialAdam
from dlmodules.adversarial.turns import make_turns
from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.checkpoints.inner import frozen_module, keep_whole
from dlmodules.errors import UserError
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.layers.mlp import mlp_layers
from dlmodules.training.manual import ManualOptimizationModule
from dlmodules.training.schedules import with_schedule
from dlmodules.translation.pairs import ImagePairs, check_pair_labels, image_pairs
from dlmodules.translation.untrained import UNTRAINED, untrained_classifier
from dlmodules.validation.arguments import check_widths
from dlmodules.validation.images import check_image_shape, check_images
from dlmodules.validation.networks import check_network


class ADDA(ManualOptimizationModule):
    """A classifier of a labelled domain, whose copy learns to read another domain, of which nobody has labels.

    A discriminator compares the logits that the classifier has for images of ``a`` with those that its copy has for
    images of ``b``, and the copy learns to have such as are taken for those of ``a``. The classifier itself is frozen.
    Where images of ``a`` are translations into ``b`` and the classifier has learned from them, this is the second half
    of CyCADA: what is left of the gap between translations and images of ``b`` is closed in the logits.

    Logged every few steps: ``train/d_loss``; ``train/c_loss``, what the copy minimises; ``train/d_accuracy``,
    ``train/d_real`` and ``train/d_fake``. For validation and test, where the batch has labels: ``read_a``, the part of
    the images of ``a`` that the classifier reads as their label, ``unadapted``, the same of ``b``, and ``read_b``, that
    of ``b`` by its copy. No loss sees a label. ``d_real`` is what the discriminator says of logits of ``a``.

    Paper: Tzeng et al. 2017, Adversarial Discriminative Domain Adaptation, arXiv:1702.05464; Hoffman et al. 2017,
        CyCADA: Cycle-Consistent Adversarial Domain Adaptation, arXiv:1711.03213.
    Books: atienza 7.1.7.

    Args:
        classifier: checkpoint of a classifier of images of ``a`` in [0, 1], such as a ``CNNClassifier``; a network that
            maps them to logits; or ``untrained``, one with random weights, which does not know what is what.
        image_shape: channels, height and width of the images of both domains.
        hidden_dims: units of the discriminator's hidden layers.
        loss: ``non_saturating``, ``minimax``, ``least_squares``, ``wasserstein`` or ``hinge``.
        optimizer_d: makes the discriminator's optimizer.
        optimizer_c: makes that of the classifier's copy.
        scheduler: makes a schedule of each learning rate, stepped after each training step; None keeps it constant.
        clip_grad_norm: largest norm of the gradient of each update; None does not clip.

    Raises:
        UserError: for a number out of range, a loss that is not known, and what cannot be read, is no classifier, or
            is one of images of another shape.
    """

    loss_falls: ClassVar[bool] = False  # the discriminator's rises while it is fooled
    small_arguments: ClassVar[Mapping[str, Any]] = {
        "classifier": UNTRAINED,
        "image_shape": (1, 16, 16),
        "hidden_dims": (16,),
        "scheduler": None,
    }

    def __init__(
        self,
        classifier: str | nn.Module | None = None,
        image_shape: Sequence[int] = (3, 32, 32),
        hidden_dims: Sequence[int] = (500, 500),
        loss: LossName = "non_saturating",
        optimizer_d: OptimizerCallable = lambda p: AdversarialAdam(p, lr=2e-4, beta1=0.5),
        optimizer_c: OptimizerCallable = lambda p: AdversarialAdam(p, lr=2e-4, beta1=0.5),
        scheduler: LRSchedulerCallable | None = None,
        clip_grad_norm: float | None = None,
    ) -> None:
        super().__init__(clip_grad_norm)
        save_portable_hyperparameters(self)
        check_image_shape(image_shape)
        check_widths("hidden_dims", hidden_dims)
        self.image_shape = tuple(image_shape)
        self._is_given = classifier is not None
        found = frozen_module(untrained_classifier(self.image_shape) if classifier in (None, UNTRAINED) else classifier)
        assert found is not None
        check_network(found, "classifier", input_shape=self.image_shape)
        if isinstance(found, LightningModule):
            found.trainer = None  # which holds the data that it has learned from, and need not be copied
        self.classifier = found
        self.adapted = deepcopy(found).requires_grad_(True)
        with torch.no_grad():
            logits = found(torch.zeros(1, *self.image_shape))
        if not isinstance(logits, Tensor) or logits.ndim != 2:
            raise UserError(f"classifier is a {type(found).__name__}, which gives no logits")
        self.num_classes = logits.shape[1]
        dims = [self.num_classes, *hidden_dims]
        self.discriminator = nn.Sequential(*mlp_layers(dims, "leaky_relu"), nn.Linear(dims[-1], 1))
        glorot_uniform_(self.discriminator)
        self.loss = loss_named(loss)
        self.optimizer_d, self.optimizer_c, self.scheduler = optimizer_d, optimizer_c, scheduler
        self.accuracies = nn.ModuleDict(
            {
                f"{stage}_{name}": MulticlassAccuracy(self.num_classes, average="micro")
                for stage in ("val", "test")
                for name in ("read_a", "unadapted", "read_b")
            }
        )

    @override
    def train(self, mode: bool = True) -> "ADDA":
        """Go into training mode, all but the frozen classifier."""
        super().train(mode)
        self.classifier.eval()
        return self

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return the logits ``(B, num_classes)`` of images ``x`` ``(B, *image_shape)`` in [0, 1] of domain ``b``."""
        check_images(x, self.image_shape, type(self).__name__, "image_shape")
        logits: Tensor = self.adapted(x)
        return logits

    @override
    def setup(self, stage: str) -> None:
        """Raise UserError where there is no classifier to adapt."""
        super().setup(stage)
        if not self._is_given:
            raise UserError(
                "ADDA needs a classifier of the images of a: train one, such as CNNClassifier, and give its checkpoint"
                " as --model.classifier"
            )

    def pairs_of(self, batch: Any, batch_idx: int = 0) -> ImagePairs:
        """Return the images of a batch in [0, 1], and their labels. Raises UserError as ``image_pairs`` does."""
        name = type(self).__name__
        pairs = image_pairs(batch, (self.image_shape, self.image_shape), name, batch_idx)
        if batch_idx == 0:  # see validation.device_reads
            check_pair_labels(pairs, self.num_classes, name)
        return pairs

    def discriminator_losses(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Return what the discriminator minimises as ``d_loss``, and how well it tells logits ``(B, K)`` apart."""
        outputs = self.discriminator(real), self.discriminator(fake)
        return {"d_loss": self.loss.discriminator(*outputs), **judgements(self.loss, *outputs)}

    def adaptation_loss(self, fake: Tensor) -> Tensor:
        """Return what the classifier's copy minimises for its logits ``(B, K)`` of images of ``b``."""
        return self.loss.generator(self.discriminator(fake))

    @override
    def training_step(self, batch: Any, batch_idx: int) -> None:
        pairs = self.pairs_of(batch, batch_idx)
        make_turns(self, lambda: self.take_turns(pairs))
        self.step_schedule()

    def take_turns(self, pairs: ImagePairs) -> dict[str, Tensor]:
        """Update the discriminator, then the classifier's copy, and return what is logged."""
        with torch.no_grad():
            real = self.classifier(pairs.a)
        fake = self(pairs.b)
        metrics = self.discriminator_losses(real, fake.detach())
        self.descend(metrics["d_loss"], self.discriminator, self.optimizer_at(0))
        metrics["c_loss"] = self.adaptation_loss(fake)
        self.descend(metrics["c_loss"], self.adapted, self.optimizer_at(1))
        return metrics

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return the optimizers of the discriminator and of the classifier's copy, with their schedules."""
        optimizers = (
            self.optimizer_d(self.discriminator.parameters()),
            self.optimizer_c(self.adapted.parameters()),
        )
        scheduled: list[Any] = [with_schedule(optimizer, self.scheduler, "step") for optimizer in optimizers]
        return scheduled

    @override
    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "val")

    @override
    def test_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "test")

    def _evaluate(self, batch: Any, batch_idx: int, stage: str) -> None:
        pairs = self.pairs_of(batch, batch_idx)
        real = self.classifier(pairs.a)
        for name, logits, labels in (
            ("read_a", real, pairs.labels_a),
            ("unadapted", self.classifier(pairs.b), pairs.labels_b),
            ("read_b", self(pairs.b), pairs.labels_b),
        ):
            if labels is not None:
                accuracy = self.accuracies[f"{stage}_{name}"]
                assert isinstance(accuracy, MulticlassAccuracy)
                accuracy.update(logits, labels)
                self.log(f"{stage}/{name}", accuracy, batch_size=len(labels), prog_bar=True)
        judged = realness(self.loss, self.discriminator(real))
        self.log(f"{stage}/d_real", judged, batch_size=len(pairs.a), sync_dist=True)

    @override
    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the logits of the images of ``b`` of a batch."""
        return self.forward(self.pairs_of(batch, batch_idx).b)

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the classifier whole."""
        keep_whole(checkpoint, "classifier", self.classifier)

    def example_batch(self, n: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return ``n`` made-up images of each domain, and labels."""
        draw = torch.Generator().manual_seed(0)
        a, b = (torch.rand(n, *self.image_shape, generator=draw).to(self.device) for _ in range(2))
        labels = torch.arange(n, device=self.device) % self.num_classes
        return a, b, labels, labels
