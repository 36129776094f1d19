"""CycleGAN: images translated both ways without pairs, since what is translated back must be what it was."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torchmetrics import MeanAbsoluteError
from typing_extensions import override

from dlmodules.adversarial.losses import LossName, judgements, realness
from dlmodules.adversarial.ranges import range_of
from dlmodules.errors import UserError
from dlmodules.layers.channels_last import use_channels_last
from dlmodules.translation.judging import judge_both
from dlmodules.translation.module import TranslationModule
from dlmodules.translation.pairs import ImagePairs
from dlmodules.translation.patch_discriminator import PatchDiscriminator
from dlmodules.translation.pool import ImagePool
from dlmodules.translation.resnet import ResNetGenerator
from dlmodules.validation.arguments import check_at_least
from dlmodules.validation.networks import check_network


class CycleGAN(TranslationModule):
    """Two generators translate between two domains, each against a discriminator of the domain that it makes.

    Nothing says which images belong together. What keeps a translation to its image is the way back: ``cycle`` weighs
    how far images are from what they become when they are translated there and back, and ``identity`` how far a
    generator changes images that are as it makes them, which keeps colours.

    Logged every few steps: ``train/d_loss``, the sum of both discriminators' losses (0.5 where neither can tell real
    from translated); ``train/g_loss`` and its terms ``train/adversarial_loss``, ``train/cycle_loss`` and
    ``train/identity_loss``, the last two in [0, 1], each the sum of both ways; ``train/d_accuracy``, ``train/d_real``
    and ``train/d_fake``, means of both discriminators. For validation and test: ``cycle_a`` and ``cycle_b``, the mean
    absolute error of a pixel in [0, 1] of images of either domain that were translated there and back, and ``d_real``.

    Paper: Zhu et al. 2017, Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks,
        arXiv:1703.10593.
    Books: atienza 7.1.C, atienza 7.1.6, atienza 7.1.7, atienza 7.1.U, foster F5.1, foster F5.2, foster F5.3.

    Args:
        source_shape: channels, height and width of the images of ``a``.
        image_shape: of those of ``b``; of the same size.
        width: filters of the first convolution of each default network.
        blocks: residual blocks of the default generators; the paper has 9 for images of 256 pixels and 6 for 128.
        layers: halvings of the default discriminators: 3 have them judge patches of 70 pixels.
        residual: let the default generators add to the image, which keeps what need not change; the paper's do not.
        weight_std: deviation of the first weights of the default networks.
        generator_a2b: maps images of ``a`` to images of ``b``; its attribute ``output_range`` (default [0, 1]) says in
            which range all networks have their images. None builds ``ResNetGenerator``.
        generator_b2a: the way back, likewise.
        discriminator_a: maps images of ``a`` to outputs of any shape ``(B, ...)``. None builds ``PatchDiscriminator``.
            Its attribute ``per_sample`` (default false) says that no image of a batch changes its outputs for another.
        discriminator_b: maps images of ``b``, likewise.
        cycle: weight of the distance of images to what they become there and back.
        cycle_a: that of the images of ``a`` alone; ``cycle`` where None.
        identity: weight of the distance of images to what the generator of their own domain makes of them; both domains
            must have as many channels.
        pool: translations that each discriminator's pool keeps; 0 for no pool.
        loss: ``non_saturating``, ``minimax``, ``least_squares``, ``wasserstein`` or ``hinge``.
        **kwargs: of ``TranslationModule``: its optimizers, ``scheduler`` and ``clip_grad_norm``.

    Raises:
        UserError: for a number out of range, sizes that the networks cannot have, ``identity`` between domains of
            different channels, and ``residual`` between those that have nothing to begin with, or of given generators.
    """

    directions = ("a2b", "b2a")
    small_arguments: ClassVar[Mapping[str, Any]] = {
        "source_shape": (1, 16, 16),
        "image_shape": (1, 16, 16),
        "width": 8,
        "blocks": 1,
        "layers": 1,
        "generator_a2b": None,
        "generator_b2a": None,
        "discriminator_a": None,
        "discriminator_b": None,
        "pool": 10,
        "scheduler": None,
    }

    def __init__(
        self,
        source_shape: Sequence[int] = (3, 256, 256),
        image_shape: Sequence[int] = (3, 256, 256),
        width: int = 64,
        blocks: int = 9,
        layers: int = 3,
        residual: bool = False,
        weight_std: float = 0.02,
        generator_a2b: nn.Module | None = None,
        generator_b2a: nn.Module | None = None,
        discriminator_a: nn.Module | None = None,
        discriminator_b: nn.Module | None = None,
        cycle: float = 10.0,
        cycle_a: float | None = None,
        identity: float = 0.0,
        pool: int = 50,
        loss: LossName = "least_squares",
        **kwargs: Any,
    ) -> None:
        super().__init__(source_shape, image_shape, loss, **kwargs)
        check_at_least(0, cycle=cycle, cycle_a=cycle_a, identity=identity)
        if identity > 0 and source_shape[0] != image_shape[0]:
            raise UserError(
                f"identity is {identity}, but images of {source_shape[0]} and of {image_shape[0]} channels cannot be"
                " compared: set it to 0"
            )
        if residual and None not in (generator_a2b, generator_b2a):
            raise UserError("residual is of the default generators, and both are given: make theirs residual")
        self.cycle, self.cycle_a, self.identity = cycle, cycle if cycle_a is None else cycle_a, identity
        a, b, std = self.source_shape, self.image_shape, weight_std
        self.generator_a2b = generator_a2b or ResNetGenerator(a, b, width, blocks, residual, std)
        self.generator_b2a = generator_b2a or ResNetGenerator(b, a, width, blocks, residual, std)
        self.discriminator_a = discriminator_a or PatchDiscriminator(a, width, layers, weight_std=std)
        self.discriminator_b = discriminator_b or PatchDiscriminator(b, width, layers, weight_std=std)
        check_network(self.generator_a2b, "generator_a2b", source_shape=a, image_shape=b)
        check_network(self.generator_b2a, "generator_b2a", source_shape=b, image_shape=a)
        check_network(self.discriminator_a, "discriminator_a", image_shape=a)
        check_network(self.discriminator_b, "discriminator_b", image_shape=b)
        ranges = [range_of(network) for network in self.generators.values()]
        if ranges[0] != ranges[1]:
            raise UserError(f"both generators must have one output_range, not {ranges[0]} and {ranges[1]}")
        self.pool_a, self.pool_b = ImagePool(source_shape, pool, seed=0), ImagePool(image_shape, pool, seed=1)
        self.errors = nn.ModuleDict(
            {f"{stage}_{domain}": MeanAbsoluteError() for stage in ("val", "test") for domain in "ab"}
        )
        use_channels_last(self)

    @property
    @override
    def generators(self) -> dict[str, nn.Module]:
        return {"a2b": self.generator_a2b, "b2a": self.generator_b2a}

    @property
    @override
    def discriminators(self) -> list[nn.Module]:
        return [self.discriminator_a, self.discriminator_b]

    def distance(self, images: Tensor, others: Tensor) -> Tensor:
        """Return the mean distance ``()`` of a pixel of ``images`` to ``others``, in the networks' range."""
        return (images - others).abs().mean()

    def cycle_losses(self, pairs: ImagePairs, fakes: ImagePairs) -> tuple[Tensor, Tensor]:
        """Return the distances of the images of ``a`` and of ``b`` to what ``fakes``, their translations, become back.

        Both are scalars, before their weights.
        """
        back_a, back_b = self.generator_b2a(fakes.b), self.generator_a2b(fakes.a)
        return self.distance(back_a, pairs.a), self.distance(back_b, pairs.b)

    def identity_loss(self, pairs: ImagePairs) -> Tensor:
        """Return the distance of the images of both domains to what the generators that make such make of them."""
        return self.distance(self.generator_b2a(pairs.a), pairs.a) + self.distance(self.generator_a2b(pairs.b), pairs.b)

    def adversarial_loss(self, fakes: ImagePairs) -> Tensor:
        """Return what both generators minimise against their discriminators."""
        judged = self.discriminator_a(fakes.a), self.discriminator_b(fakes.b)
        return self.loss.generator(judged[0]) + self.loss.generator(judged[1])

    def generator_losses(self, pairs: ImagePairs, fakes: ImagePairs) -> dict[str, Tensor]:
        """Return what the generators minimise for their translations ``fakes`` as ``g_loss``, and its terms."""
        low, high = self.output_range
        adversarial = self.adversarial_loss(fakes)
        losses = {"g_loss": adversarial, "adversarial_loss": adversarial}
        if self.cycle > 0 or self.cycle_a > 0:
            of_a, of_b = self.cycle_losses(pairs, fakes)
            weighted = self.cycle_a * of_a + self.cycle * of_b
            losses |= {"g_loss": losses["g_loss"] + weighted, "cycle_loss": (of_a + of_b) / (high - low)}
        if self.identity > 0:
            identity = self.identity_loss(pairs)
            losses |= {"g_loss": losses["g_loss"] + self.identity * identity, "identity_loss": identity / (high - low)}
        return losses

    def discriminator_losses(self, pairs: ImagePairs, fakes: ImagePairs) -> dict[str, Tensor]:
        """Return the sum of what the discriminators minimise as ``d_loss``, and how well they tell real from fake."""
        outputs = [
            judge_both(network, (real,), (fake,))
            for network, real, fake in zip(self.discriminators, pairs[:2], fakes[:2], strict=True)
        ]
        total = torch.stack([self.loss.discriminator(*pair) for pair in outputs]).sum()
        judged = [judgements(self.loss, *pair) for pair in outputs]
        return {"d_loss": total, **{name: (judged[0][name] + judged[1][name]) / 2 for name in judged[0]}}

    def fakes_of(self, pairs: ImagePairs) -> ImagePairs:
        """Return the translations of the images of both domains: as ``a`` those of ``b``, with their labels."""
        return ImagePairs(self.generator_b2a(pairs.b), self.generator_a2b(pairs.a), pairs.labels_b, pairs.labels_a)

    @override
    def take_turns(self, pairs: ImagePairs) -> dict[str, Tensor]:
        fakes = self.fakes_of(pairs)
        older = ImagePairs(self.pool_a(fakes.a.detach()), self.pool_b(fakes.b.detach()))
        metrics = self.discriminator_losses(pairs, older)
        self.descend_together(metrics["d_loss"], self.discriminators, 0)
        losses = self.generator_losses(pairs, fakes)
        self.descend_together(losses["g_loss"], list(self.generators.values()), 1)
        return metrics | losses

    @override
    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "val")

    @override
    def test_step(self, batch: Any, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "test")

    def _evaluate(self, batch: Any, batch_idx: int, stage: str) -> None:
        pairs = self.pairs_of(batch, batch_idx)
        fakes = self.fakes_of(pairs)
        self.log_fakes(fakes, stage)
        back = {"a": self.generator_b2a(fakes.b), "b": self.generator_a2b(fakes.a)}
        for domain, real in zip("ab", pairs[:2], strict=True):
            error = self.errors[f"{stage}_{domain}"]
            assert isinstance(error, MeanAbsoluteError)
            found, wanted = (self.to_unit_range(images).clamp(0, 1).contiguous() for images in (back[domain], real))
            error.update(found, wanted)
            self.log(f"{stage}/cycle_{domain}", error, batch_size=len(real), prog_bar=True)
        judged = torch.stack(
            [realness(self.loss, network(x)) for network, x in zip(self.discriminators, pairs[:2], strict=True)]
        )
        self.log(f"{stage}/d_real", judged.mean(), batch_size=len(pairs.a), sync_dist=True)

    def log_fakes(self, fakes: ImagePairs, stage: str) -> None:
        """Log what a child has to say of translations in ``val`` and ``test``; nothing here."""
