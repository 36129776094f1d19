"""The information maximizing GAN: codes that the discriminator can recover become interpretable."""

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.adversarial.module import DiscriminatorOutput, Images, Latents, UpdateOrder
from dlmodules.adversarial.terms import AuxiliaryTerm, LossTerm, class_loss
from dlmodules.errors import UserError
from dlmodules.gans.acgan import HEAD_DIM
from dlmodules.gans.conditional import ConditionalGAN
from dlmodules.gans.dcgan import DCGANDiscriminator, DCGANGenerator
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
    """The discriminator of ``DCGAN`` that also predicts label and codes, by linear layers from the same features.

    1,606,541 parameters at the book's sizes, and the logarithm of each code's standard deviation.

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


class InfoGAN(ConditionalGAN):
    """A GAN whose generator is given a class and codes, which the discriminator recovers from the images.

    No label of a real image is used, unless ``use_labels`` asks for it: the classes are found. ``sample`` takes codes
    besides labels, and ``traverse`` changes one of them from image to image. It logs what ``GAN`` logs,
    ``train/d_label_loss`` and ``train/g_label_loss`` of the classes, and ``train/d_code_loss`` and
    ``train/g_code_loss``.

    Paper: Chen et al. 2016, InfoGAN, arXiv:1606.03657; ``augment`` after the idea of Ojha et al. 2020,
    Elastic-InfoGAN, arXiv:1910.01112, that what a change of view keeps is the class.
    Books: atienza 6.1.1.

    Args:
        image_shape: channels, height and width of the images; the default networks need multiples of 4.
        latent_dim: size of the noise vector.
        num_classes: number of values of the categorical code.
        num_codes: number of continuous codes.
        code_std: standard deviation of the normal distribution of the continuous codes.
        width: multiplies the filters of the default networks; 0.25 trains on a CPU.
        generator: maps noise, labels and codes to images; its attribute ``output_range`` (default [0, 1]) says in
            which range. None builds ``CodedGenerator`` (1,138,433 parameters).
        discriminator: maps images to outputs ``(B,)``, the logits ``(B, num_classes)`` of the classes and the
            predicted codes ``(B, num_codes)``; its parameter ``log_std`` is the logarithm of their standard
            deviations. None builds ``ReadingDiscriminator`` (1,606,543 parameters).
        label_weight: of the cross-entropy of the categorical code, in both losses.
        code_weight: of the loss of the continuous codes, in both losses.
        code_loss: ``gaussian``, the likelihood of the codes; or ``printed``, the book's, which learns signs alone.
        read_std: standard deviation of that likelihood; None learns one for each code, which can fall and let the
            codes take over what the classes should mean.
        use_labels: whether the discriminator learns the classes from the labels of real images too, as in the book.
        augment: changes images ``(B, C, H, W)`` at random before their class is predicted, such as
            ``dlmodules.layers.RandomAffineAndFlip``; a class can then be nothing that the change destroys.
            Costs one more pass of the discriminator in each step.
        ramp: training steps between which the weights of class and codes grow from 0 to what they are: before there
            are images of something, what is predicted is fixed by chance.
        update: ``alternating``, or ``simultaneous`` with one batch of fakes for both networks.
        **kwargs: arguments of ``ConditionalGAN`` and ``GAN`` other than ``r1``.
    """

    loss_falls = False  # nothing can be predicted before the generator makes use of what it is given

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
        update: UpdateOrder = "alternating",
        **kwargs: Any,
    ) -> None:
        check_at_least_one(num_classes=num_classes, num_codes=num_codes)
        check_positive(code_std=code_std, read_std=read_std)
        if len(ramp) != 2 or not 0 <= ramp[0] <= ramp[1]:
            raise UserError(f"ramp is {list(ramp)}; it must be two numbers of steps, the first not above the second")
        if code_loss not in get_args(CodeLoss):
            raise UserError(f"code_loss {code_loss!r} is unknown; choose {' or '.join(get_args(CodeLoss))}")
        if update == "separate":
            raise UserError(f"{type(self).__name__} has no separate updates; choose alternating or simultaneous")
        super().__init__(
            image_shape=image_shape,
            latent_dim=latent_dim,
            num_classes=num_classes,
            width=width,
            generator=generator or CodedGenerator(image_shape, latent_dim, num_classes, num_codes, width),
            discriminator=discriminator or ReadingDiscriminator(image_shape, num_classes, num_codes, width),
            r1=0.0,
            update=update,
            **kwargs,
        )
        self.num_codes = num_codes
        self.code_std = code_std
        self.label_weight, self.code_weight = label_weight, code_weight
        self.code_loss_name = code_loss
        self.read_std = read_std
        self.use_labels = use_labels
        self.augment = augment
        self.ramp = tuple(ramp)
        for argument in ("generator", "discriminator"):
            check_network(getattr(self, argument), argument, num_codes=num_codes)

    @property
    def finds_classes(self) -> bool:
        """Whether its classes are found, so that none of them need be the label of the same number."""
        return not self.use_labels

    @override
    def discriminate(self, images: Images) -> DiscriminatorOutput:
        """Return real from fake, the classes and the codes."""
        return DiscriminatorOutput(images, *self.discriminator(images.x))

    @override
    def loss_terms(self) -> list[LossTerm]:
        ramp = self.ramp_factor()
        return [
            *super().loss_terms(),
            AuxiliaryTerm(ramp * self.label_weight, "label", self.label_loss, on_real=self.use_labels),
            AuxiliaryTerm(ramp * self.code_weight, "code", self.code_loss),
        ]

    def ramp_factor(self) -> float:
        """Return by how much the weights of class and codes are multiplied at present, in [0, 1]."""
        first, last = self.ramp
        return min(1.0, max(0.0, (self.global_step + 1 - first) / max(last - first, 1)))

    def label_loss(self, output: DiscriminatorOutput) -> Tensor:
        """Return the cross-entropy ``()`` of the classes, predicted from changed images if there is ``augment``."""
        if self.augment is None:
            return class_loss(output)
        return class_loss(self.discriminate(output.images._replace(x=self.augment(output.images.x))))

    def code_loss(self, output: DiscriminatorOutput) -> Tensor:
        """Return the loss ``()`` of the predicted codes of fake images."""
        codes, predicted = output.images.codes, output.codes
        assert codes is not None
        assert predicted is not None
        if self.code_loss_name == "printed":
            return printed_code_loss(codes, predicted)
        if self.read_std is None:
            return gaussian_nll(codes, predicted, self.discriminator.log_std)  # type: ignore[arg-type]  # a parameter
        log_std = torch.full((self.num_codes,), math.log(self.read_std), device=predicted.device)
        return gaussian_nll(codes, predicted, log_std)

    @override
    def real_labels(self, batch: Batch, batch_idx: int = 0) -> Tensor | None:
        """Return the labels ``(B,)`` of a batch, checked, or None unless they are used."""
        return super().real_labels(batch, batch_idx) if self.use_labels else None

    @override
    def sample_latents(self, n: int, generator: torch.Generator | None = None) -> Latents:
        """Return ``n`` noise vectors, labels and codes."""
        device = sampling_device(generator, self.device)
        latents = super().sample_latents(n, generator)
        codes = self.code_std * torch.randn(n, self.num_codes, generator=generator, device=device)
        return latents._replace(codes=codes.to(self.device))

    @override
    def forward(self, z: Tensor, labels: Tensor | None = None, codes: Tensor | None = None) -> Tensor:
        """Return the images in [0, 1] of noise ``(B, latent_dim)``, labels ``(B,)`` and codes, zeros where None."""
        latents = Latents(z, self.checked(labels, z.shape[0]), self.checked_codes(codes, z.shape[0]))
        return self.to_unit_range(self.generate(latents))

    def checked_codes(self, codes: Tensor | None, n: int) -> Tensor:
        """Return codes ``(n, num_codes)`` on the module's device, zeros where None. Raises UserError for others."""
        if codes is None:
            return torch.zeros(n, self.num_codes, device=self.device)
        check_codes(codes, self.num_codes, type(self).__name__, n)
        return codes.to(self.device)

    @override
    def sample(
        self,
        n: int,
        labels: Tensor | None = None,
        generator: torch.Generator | None = None,
        codes: Tensor | None = None,
    ) -> Tensor:
        """Generate ``n`` images ``(n, C, H, W)`` in [0, 1] of classes ``(n,)`` and codes ``(n, num_codes)``.

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
        """Generate ``n`` rows of images ``(n, K, C, H, W)`` in [0, 1]; the code ``name`` takes ``values`` ``(K,)``.

        The other codes are 0. A row has one noise and one class, of ``labels`` ``(n,)`` or drawn at random. Raises
        UserError for another name.
        """
        check_traversal(name, self.traversals, type(self).__name__)
        latents = self.sample_latents(n, generator)
        of_rows = latents.labels if labels is None else self.checked(labels, n)
        assert of_rows is not None
        steps = len(values)
        codes = torch.zeros(n * steps, self.num_codes, device=self.device)
        codes[:, self.traversals.index(name)] = values.to(codes).repeat(n)
        noise = latents.noise.repeat_interleave(steps, dim=0)
        images = self.to_unit_range(self.generate(Latents(noise, of_rows.repeat_interleave(steps), codes)))
        return images.view(n, steps, *images.shape[1:])
