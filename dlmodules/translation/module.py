"""The base of what translates images: networks of two domains, batches of both, and a training step of adversaries."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from typing_extensions import override

from dlmodules.adversarial.losses import LossName, loss_named
from dlmodules.adversarial.optimizers import AdversarialAdam
from dlmodules.adversarial.ranges import ScalesImages, range_of
from dlmodules.adversarial.turns import make_turns
from dlmodules.checkpoints.hparams import save_portable_hyperparameters
from dlmodules.training.manual import ManualOptimizationModule
from dlmodules.training.schedules import with_schedule
from dlmodules.translation.pairs import ImagePairs, image_pairs
from dlmodules.validation.arguments import check_direction
from dlmodules.validation.images import check_image_shape, check_images


class TranslationModule(ScalesImages, ManualOptimizationModule):
    """Generators that translate images of a domain ``a`` into those of a domain ``b``, and discriminators of them.

    A child sets its networks, names the generators in ``generators`` and the discriminators in ``discriminators``,
    and defines ``take_turns``: the updates of one training step, which is one ``global_step``. Batches are
    ``(a, b)`` or ``(a, b, labels_a, labels_b)``, images float32 in [0, 1], or a dictionary with these names. A
    generator's attribute ``output_range`` (default [0, 1]) says in which range all networks have their images.

    Args:
        source_shape: channels, height and width of the images of ``a``.
        image_shape: of those of ``b``.
        loss: ``non_saturating``, ``minimax``, ``least_squares``, ``wasserstein`` or ``hinge``.
        optimizer_d: makes the optimizer of all discriminators.
        optimizer_g: makes the optimizer of all generators.
        scheduler: makes a schedule of each learning rate, stepped after each training step; None keeps it constant.
        clip_grad_norm: largest norm of the gradient of each update; None does not clip.

    Raises:
        UserError: for shapes that are none, and a loss that is not known.
    """

    directions: tuple[str, ...] = ("a2b",)
    paired: ClassVar[bool] = False
    """Whether images of a batch belong together row for row: what one is translated to should be the other."""
    adversarial: float = 1.0
    """Weight of the adversarial loss; at 0 the discriminators are not updated."""

    def __init__(
        self,
        source_shape: Sequence[int],
        image_shape: Sequence[int],
        loss: LossName,
        optimizer_d: OptimizerCallable = lambda p: AdversarialAdam(p, lr=2e-4, beta1=0.5),
        optimizer_g: OptimizerCallable = lambda p: AdversarialAdam(p, lr=2e-4, beta1=0.5),
        scheduler: LRSchedulerCallable | None = None,
        clip_grad_norm: float | None = None,
    ) -> None:
        super().__init__(clip_grad_norm)
        save_portable_hyperparameters(self)
        check_image_shape(source_shape)
        check_image_shape(image_shape)
        self.source_shape, self.image_shape = tuple(source_shape), tuple(image_shape)
        self.loss = loss_named(loss)
        self.optimizer_d, self.optimizer_g, self.scheduler = optimizer_d, optimizer_g, scheduler

    @property
    def generators(self) -> dict[str, nn.Module]:
        """The generator of each direction."""
        raise NotImplementedError

    @property
    def discriminators(self) -> list[nn.Module]:
        """All discriminators."""
        raise NotImplementedError

    def take_turns(self, pairs: ImagePairs) -> dict[str, Tensor]:
        """Make the updates of one training step, and return what is logged of them; losses end in ``_loss``."""
        raise NotImplementedError

    @property
    def domain_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Channels, height and width of the images of each domain."""
        return {"a": self.source_shape, "b": self.image_shape}

    @property
    @override
    def output_range(self) -> tuple[float, float]:
        """Lowest and highest value of the images that the networks read and make."""
        return range_of(self.generators["a2b"])

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Return images ``(B, *source_shape)`` in [0, 1] of domain ``a`` as images of domain ``b``."""
        return self.translate(x)

    def translate(self, x: Tensor, direction: str = "a2b") -> Tensor:
        """Return images ``x`` ``(B, C, H, W)`` in [0, 1] in the other domain: ``a2b``, or ``b2a`` where there is one.

        Raises:
            UserError: there is no such direction, or the images have another shape than those of its first domain.
        """
        check_direction(direction, self.directions, type(self).__name__)
        shape = self.domain_shapes[direction[0]]
        check_images(x, shape, type(self).__name__, "source_shape" if direction[0] == "a" else "image_shape")
        translated: Tensor = self.generators[direction](self.from_unit_range(x))
        return self.to_unit_range(translated).clamp(0, 1)

    def pairs_of(self, batch: Any, batch_idx: int = 0) -> ImagePairs:
        """Return the images of a batch, in the networks' range, and their labels. Raises UserError: ``image_pairs``."""
        pairs = image_pairs(batch, self.domain_shapes.values(), type(self).__name__, batch_idx)
        return pairs._replace(a=self.from_unit_range(pairs.a), b=self.from_unit_range(pairs.b))

    @override
    def training_step(self, batch: Any, batch_idx: int) -> None:
        pairs = self.pairs_of(batch, batch_idx)
        make_turns(self, lambda: self.take_turns(pairs))
        self.step_schedule()

    def descend_together(self, loss: Tensor, networks: Sequence[nn.Module], optimizer: int) -> None:
        """Make one update of several ``networks`` by the optimizer at place ``optimizer``, down one ``loss``."""
        self.descend(loss, nn.ModuleList(networks), self.optimizer_at(optimizer))

    @override
    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return the discriminators' and the generators' optimizer, with their schedules."""
        sides = (
            self.optimizer_d(nn.ModuleList(self.discriminators).parameters()),
            self.optimizer_g(nn.ModuleList(self.generators.values()).parameters()),
        )
        if self.scheduler is None:
            return list(sides)
        scheduled: list[Any] = [with_schedule(side, self.scheduler, "step") for side in sides]
        # A schedule of what is never updated would step before its optimizer ever did.
        return scheduled if self.adversarial > 0 else [{"optimizer": sides[0]}, scheduled[1]]

    @override
    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the images of domain ``a`` of a batch in domain ``b``."""
        return self.translate(self.to_unit_range(self.pairs_of(batch, batch_idx).a))

    def example_batch(self, n: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return ``n`` made-up images of each domain, and labels."""
        draw = torch.Generator().manual_seed(0)
        a, b = (torch.rand(n, *shape, generator=draw).to(self.device) for shape in self.domain_shapes.values())
        labels = torch.arange(n, device=self.device) % 10
        return a, b, labels, labels
