"""The information maximizing GAN: codes that the discriminator can read back come to mean something."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.adversarial.losses import LossName
from dlmodules.adversarial.module import DiscriminatorOutput, Images, Latents, UpdateOrder
from dlmodules.errors import UserError
from dlmodules.gans.acgan import ACGAN, HEAD_DIM
from dlmodules.gans.dcgan import DCGANDiscriminator, DCGANGenerator
from dlmodules.gans.gan import GAN, Noise
from dlmodules.gans.traversals import check_traversal
from dlmodules.gans.widths import scaled
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.protocols import Batch
from dlmodules.sampling.devices import sampling_device
from dlmodules.sampling.labels import one_hot
from dlmodules.validation.arguments import check_at_least_one, check_positive
from dlmodules.validation.images import check_codes
from dlmodules.validation.networks import check_network

CodeLoss = Literal["gaussian", "printed"]


def gaussian_nll(codes: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Return ``-log N(codes; mean, exp(log_std)^2)`` without its constant, summed over codes ``(B, K)``: ``()``."""
    return (0.5 * ((codes - mean) * torch.exp(-log_std)).square() + log_std).sum(dim=1).mean()


def printed_code_loss(codes: Tensor, logits: Tensor) -> Tensor:
    """Return ``-E[c log sigmoid(logit)]``, summed over codes ``(B, K)``: the book's loss.

    It has no lower bound where a code is negative, and teaches a code's sign, not its value.
    """
    return -(codes * F.logsigmoid(logits)).sum(dim=1).mean()


class CodedGenerator(nn.Module):
    """The generator of ``DCGAN`` from noise, label and codes side by side. 1,138,433 parameters at 62, 10 and 2.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the noise vector.
        num_classes: number of classes.
        num_codes: number of continuous codes.
        width: multiplies the filters.
    """

    output_range = (0.0, 1.0)

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 62,
        num_classes: int = 10,
        num_codes: int = 2,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        self.image_shape, self.latent_dim = tuple(image_shape), latent_dim
        self.num_classes, self.num_codes, self.width = num_classes, num_codes, width
        self.body = DCGANGenerator(image_shape, latent_dim + num_classes + num_codes, width)

    def forward(self, z: Tensor, labels: Tensor, codes: Tensor) -> Tensor:
        """Map noise ``(B, latent_dim)``, labels ``(B,)`` and codes ``(B, num_codes)`` to images in [0, 1]."""
        images: Tensor = self.body(torch.cat([z, one_hot(labels, self.num_classes), codes], dim=1))
        return images


class ReadingDiscriminator(nn.Module):
    """The discriminator of ``DCGAN`` that also reads label and codes back, by linear layers from the same features.

    1,606,541 parameters at the book's sizes, and the logarithm of each code's deviation.

    Args:
        image_shape: channels, height and width of the images.
        num_classes: number of classes.
        num_codes: number of continuous codes.
        width: multiplies the filters and the units between the layers.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        num_codes: int = 2,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        self.image_shape, self.num_classes = tuple(image_shape), num_classes
        self.num_codes, self.width = num_codes, width
        self.body = DCGANDiscriminator(image_shape, width)
        head_dim = scaled(HEAD_DIM, width)
        self.head_hidden = nn.Linear(self.body.hidden_dim, head_dim)
        self.label = nn.Linear(head_dim, num_classes)
        self.codes = nn.Linear(head_dim, num_codes)
        self.log_std = nn.Parameter(torch.zeros(num_codes))
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map images ``(B, C, H, W)`` to logits ``(B,)`` and ``(B, num_classes)``, and to codes ``(B, num_codes)``."""
        hidden = self.body.hidden(x)
        head = self.head_hidden(hidden)
        return self.body.dense(hidden).squeeze(1), self.label(head), self.codes(head)


class InfoGAN(ACGAN):
    """A GAN whose generator is given a class and codes, which the discriminator reads back from the images.

    No label of a real image is used, unless ``use_labels`` asks for it: the classes are found. ``sample`` takes codes
    besides labels, and ``traverse`` changes one of them from image to image. It logs what ``ACGAN`` logs, and
    ``train/d_code_loss`` and ``train/g_code_loss``.

    Paper: Chen et al. 2016, InfoGAN, arXiv:1606.03657; ``augment`` after the idea of Ojha et al. 2020,
    Elastic-InfoGAN, arXiv:1910.01112, that what a change of view keeps is the class.
    Books: atienza 6.1.1.

    Args:
        image_shape: channels, height and width of the images; the default networks need multiples of 4.
        latent_dim: size of the noise vector.
        num_classes: number of values of the categorical code.
        num_codes: number of continuous codes.
        code_std: deviation of the normal distribution that the continuous codes are drawn from.
        width: multiplies the filters of the default networks; 0.25 trains on a CPU.
        generator: maps noise, labels and codes to images; its attribute ``output_range`` (default [0, 1]) says in
            which range. None builds ``CodedGenerator`` (1,138,433 parameters).
        discriminator: maps images to outputs ``(B,)``, the logits ``(B, num_classes)`` of the classes and what it
            reads of the codes ``(B, num_codes)``; its parameter ``log_std`` is the logarithm of their deviations. None
            builds ``ReadingDiscriminator`` (1,606,543 parameters).
        label_weight: of the cross-entropy of the categorical code, in both losses.
        code_weight: of the loss of the continuous codes, in both losses.
        code_loss: ``gaussian``, the likelihood of the codes; or ``printed``, the book's, which learns signs alone.
        read_std: deviation of that likelihood; None learns one for each code, which can fall and let the codes take
            over what the classes should mean.
        use_labels: whether the discriminator learns the classes from the labels of real images too, as in the book.
        augment: changes images ``(B, C, H, W)`` at random before their class is read, such as
            ``dlmodules.layers.RandomAffineAndFlip``; a class can then be nothing that the change destroys.
            Costs one more pass of the discriminator in each step.
        ramp: training steps between which the weights of class and codes grow from 0 to what they are: before there
            are images of something, what is read back is fixed by chance.
        noise: ``uniform`` on [-1, 1] (the book's) or ``normal``.
        loss: ``non_saturating``, ``minimax``, ``least_squares``, ``wasserstein`` or ``hinge``.
        optimizer_d: makes the discriminator's optimizer.
        optimizer_g: makes the generator's optimizer; half the learning rate is more stable.
        n_critic: turns of the discriminator for each update of the generator.
        update: ``alternating``, or ``simultaneous`` with one batch of fakes for both networks.
        clip_grad_norm: largest norm of each network's gradient; None does not clip.
    """

    loss_falls = False  # nothing can be read back before the generator makes use of what it is given

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 62,
        num_classes: int = 10,
        num_codes: int = 2,
        code_std: float = 0.5,
        width: float = 1.0,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        label_weight: float = 1.0,
        code_weight: float = 0.5,
        code_loss: CodeLoss = "gaussian",
        read_std: float | None = 1.0,
        use_labels: bool = False,
        augment: nn.Module | None = None,
        ramp: Sequence[int] = (0, 0),
        noise: Noise = "uniform",
        loss: LossName = "non_saturating",
        optimizer_d: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=2e-4, alpha=0.9, eps=1e-7),
        optimizer_g: OptimizerCallable = lambda p: torch.optim.RMSprop(p, lr=1e-4, alpha=0.9, eps=1e-7),
        n_critic: int = 1,
        update: UpdateOrder = "alternating",
        clip_grad_norm: float | None = None,
    ) -> None:
        check_at_least_one(num_codes=num_codes)
        check_positive(code_std=code_std, read_std=read_std)
        if len(ramp) != 2 or not 0 <= ramp[0] <= ramp[1]:
            raise UserError(f"ramp is {list(ramp)}; it must be two numbers of steps, the first not above the second")
        if code_loss not in ("gaussian", "printed"):
            raise UserError(f"code_loss {code_loss!r} is unknown; choose gaussian or printed")
        super().__init__(
            image_shape,
            latent_dim,
            num_classes,
            width,
            generator or CodedGenerator(image_shape, latent_dim, num_classes, num_codes, width),
            discriminator or ReadingDiscriminator(image_shape, num_classes, num_codes, width),
            label_weight,
            noise,
            loss,
            0.0,
            optimizer_d,
            optimizer_g,
            n_critic,
            update,
            clip_grad_norm,
        )
        self.num_codes = num_codes
        self.code_std = code_std
        self.code_weight = code_weight
        self.code_loss_name = code_loss
        self.read_std = read_std
        self.use_labels = use_labels
        self.augment = augment
        self.ramp = tuple(ramp)
        for argument in ("generator", "discriminator"):
            check_network(getattr(self, argument), argument, num_codes=num_codes)

    def forward(self, z: Tensor, labels: Tensor | None = None, codes: Tensor | None = None) -> Tensor:
        """Return the images in [0, 1] of noise ``(B, latent_dim)``, labels ``(B,)`` and codes, zeros where None."""
        latents = Latents(z, self.checked(labels, len(z)), self.checked_codes(codes, len(z)))
        return self.to_unit_range(self.generate(latents))

    def checked_codes(self, codes: Tensor | None, n: int) -> Tensor:
        """Return codes ``(n, num_codes)`` on the module's device, zeros where None. Raises UserError for others."""
        if codes is None:
            return torch.zeros(n, self.num_codes, device=self.device)
        check_codes(codes, self.num_codes, type(self).__name__, n)
        return codes.to(self.device)

    def sample_latents(self, n: int, generator: torch.Generator | None = None) -> Latents:
        """Return ``n`` noise vectors, labels and codes."""
        device = sampling_device(generator, self.device)
        latents = super().sample_latents(n, generator)
        codes = self.code_std * torch.randn(n, self.num_codes, generator=generator, device=device)
        return latents._replace(codes=codes.to(self.device))

    def generate(self, latents: Latents) -> Tensor:
        """Return the images ``(B, C, H, W)`` of noise, labels and codes, in the generator's range."""
        images: Tensor = self.generator(*latents)
        return images

    def sample(
        self,
        n: int,
        labels: Tensor | None = None,
        generator: torch.Generator | None = None,
        codes: Tensor | None = None,
    ) -> Tensor:
        """Make ``n`` images ``(n, C, H, W)`` in [0, 1] of classes ``(n,)`` and codes ``(n, num_codes)``.

        What is None is drawn at random.
        """
        latents = self.sample_latents(n, generator)
        if labels is not None:
            latents = latents._replace(labels=self.checked(labels, n))
        if codes is not None:
            latents = latents._replace(codes=self.checked_codes(codes, n))
        return self.to_unit_range(self.generate(latents))

    @property
    def traversals(self) -> tuple[str, ...]:
        """``code1``, ``code2`` and so on: what ``traverse`` can change."""
        return tuple(f"code{index + 1}" for index in range(self.num_codes))

    def traverse(
        self,
        name: str,
        values: Tensor,
        n: int,
        labels: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Make ``n`` rows of images ``(n, K, C, H, W)`` in [0, 1] in which the code ``name`` takes ``values`` ``(K,)``.

        The other codes are 0. A row has one noise and one class, of ``labels`` ``(n,)`` or drawn at random. Raises
        UserError for another name.
        """
        check_traversal(name, self.traversals, type(self).__name__)
        latents = self.sample_latents(n, generator)
        drawn = latents.labels if labels is None else self.checked(labels, n)
        assert drawn is not None
        steps = len(values)
        codes = torch.zeros(n * steps, self.num_codes, device=self.device)
        codes[:, self.traversals.index(name)] = values.to(codes).repeat(n)
        noise = latents.noise.repeat_interleave(steps, dim=0)
        images = self.to_unit_range(self.generate(Latents(noise, drawn.repeat_interleave(steps), codes)))
        return images.view(n, steps, *images.shape[1:])

    def discriminate(self, images: Images) -> DiscriminatorOutput:
        """Let the discriminator look at images, and read their class and codes."""
        return DiscriminatorOutput(images, *self.discriminator(images.x))

    def code_loss(self, judged: DiscriminatorOutput) -> Tensor:
        """Return the loss ``()`` of the codes that were read."""
        codes, read = judged.images.codes, judged.codes
        assert codes is not None
        assert read is not None
        if self.code_loss_name == "printed":
            return printed_code_loss(codes, read)
        if self.read_std is None:
            return gaussian_nll(codes, read, self.discriminator.log_std)  # type: ignore[arg-type]  # a parameter
        return gaussian_nll(codes, read, torch.full((self.num_codes,), math.log(self.read_std), device=read.device))

    def ramp_factor(self) -> float:
        """Return by how much the weights of class and codes are multiplied at present, in [0, 1]."""
        first, last = self.ramp
        return min(1.0, max(0.0, (self.global_step + 1 - first) / max(last - first, 1)))

    def weight_of_labels(self) -> float:
        """Return how much the cross-entropy of the classes weighs at present."""
        return self.ramp_factor() * super().weight_of_labels()

    def weight_of_codes(self) -> float:
        """Return how much the loss of the codes weighs at present."""
        return self.ramp_factor() * self.code_weight

    def label_loss(self, judged: DiscriminatorOutput) -> Tensor:
        """Return the cross-entropy ``()`` of the classes, read from changed images if there is ``augment``."""
        if self.augment is None:
            return super().label_loss(judged)
        images = judged.images._replace(x=self.augment(judged.images.x))
        return super().label_loss(self.discriminate(images))

    def discriminator_label_loss(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return the cross-entropy ``()`` of the classes of made images, and of real ones if their labels are used."""
        return super().discriminator_label_loss(real, fake) if self.use_labels else self.label_loss(fake)

    def discriminator_losses(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> dict[str, Tensor]:
        """Add the loss of the codes, which the made images have alone."""
        losses = super().discriminator_losses(real, fake)
        code_loss = self.code_loss(fake)
        return losses | {"d_loss": losses["d_loss"] + self.weight_of_codes() * code_loss, "d_code_loss": code_loss}

    def generator_losses(self, fake: DiscriminatorOutput) -> dict[str, Tensor]:
        """Add the loss of the codes."""
        losses = super().generator_losses(fake)
        code_loss = self.code_loss(fake)
        return losses | {"g_loss": losses["g_loss"] + self.weight_of_codes() * code_loss, "g_code_loss": code_loss}

    def prepare_real(self, batch: Batch, batch_idx: int = 0) -> Images:
        """Check the images of a batch, and its labels if they are used; bring the images to the generator's range."""
        if self.use_labels:
            return super().prepare_real(batch, batch_idx)
        return GAN.prepare_real(self, batch, batch_idx)
