"""The explored module, and the facts that the page needs about it."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeGuard

import numpy as np
import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor

from callbacks.base.conditions import cycled_labels
from callbacks.latents.attribute_file import AttributeFile
from callbacks.latents.code_file import CodeFile
from dlmodules.errors import UserError
from dlmodules.protocols import (
    BoundsCodes,
    Classifies,
    Decodes,
    Encodes,
    HasInputShape,
    HasLatentDim,
    ProposesTokens,
    SamplesImages,
    Translates,
    Traverses,
    class_count,
    is_conditional,
)

MEASURED = 64
"""Images that are sampled and encoded to see which numbers of a code vary."""

PROBED = 8
"""Codes that are decoded to see what the images are like."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A module, in evaluation mode on the CPU, and what was found out about it by ``subject_of``.

    Args:
        module: the module.
        image_shape: channels (1 or 3), height and width of its images; all 0 where it has none, but writes text.
        latent_dim: size of a code; None where it decodes no codes to images.
        num_classes: how many classes a conditional module knows; None for any other.
        encodes: whether it maps images to such codes.
        samples: whether it samples images.
        dark_ground: whether the borders of its images are dark, so that one draws on it with a light ink. Of a
            classifier that is not known; they are taken to be dark, as MNIST's.
        attributes: the attribute vectors of its latent space, where they are known.
        codes: the codes of images, where they are known and have two numbers.
        classes: the names of the classes that a classifier of images tells apart; empty for any other module.
    """

    module: Any
    image_shape: tuple[int, int, int]
    latent_dim: int | None
    num_classes: int | None
    encodes: bool
    samples: bool
    dark_ground: bool = True
    attributes: AttributeFile | None = None
    codes: CodeFile | None = None
    classes: tuple[str, ...] = ()
    _lock: Any = field(default_factory=threading.RLock, repr=False)

    @property
    def name(self) -> str:
        """The name of the module's class."""
        return type(self.module).__name__

    @property
    def proposes_tokens(self) -> bool:
        """Whether it says what may come next in a text."""
        return isinstance(self.module, ProposesTokens)

    @property
    def traversals(self) -> tuple[str, ...]:
        """The names of the codes that can change along a row of images."""
        return tuple(self.module.traversals) if isinstance(self.module, Traverses) else ()

    @property
    def code_range(self) -> tuple[float, float] | None:
        """The lowest and the highest value of a number of a code, where there are such."""
        if not isinstance(self.module, BoundsCodes):
            return None
        low, high = self.module.code_range
        return low, high

    @property
    def prior(self) -> Literal["normal", "sampled", "uniform", "measured", "assumed"]:
        """Where random codes come from.

        ``normal``: the standard normal, a sampling module's prior. ``sampled``: the codes of images that it samples.
        ``uniform``: the range of its codes. ``measured``: a normal distribution with the mean and standard
        deviation of the attribute file. ``assumed``: the standard normal, of which nothing is known.
        """
        if self.code_range is not None:
            return "sampled" if self.samples and self.encodes else "uniform"
        if self.samples:
            return "normal"
        return "assumed" if self.attributes is None else "measured"

    @contextmanager
    def asked(self, seed: int = 0) -> Iterator[torch.Generator]:
        """Within, the module may be asked for something: one caller at a time, no gradients.

        Yields:
            A generator seeded with ``seed``. Torch's own starts from it too, and is afterwards what it was.
        """
        with self._lock, isolate_rng(), torch.no_grad():
            torch.manual_seed(seed)
            yield torch.Generator().manual_seed(seed)

    def condition(self, label: int | None, n: int = 1) -> tuple[Tensor, ...]:
        """Return what a conditional module takes besides: ``label`` ``n`` times. For any other nothing.

        Raises:
            UserError: the module is conditional, and ``label`` is None or none of its classes.
        """
        if self.num_classes is None:
            return ()
        if label is None or not 0 <= label < self.num_classes:
            raise UserError(f"the class is {label}; this {self.name} knows 0..{self.num_classes - 1}")
        return (torch.full((n,), label),)

    def deviations(self) -> np.ndarray[Any, np.dtype[np.float32]] | None:
        """Return how much each number of the codes varies ``(latent_dim,)``, or None where that cannot be told.

        It is told by the attribute file, or by the codes of 64 sampled images.
        """
        if self.attributes is not None:
            return self.attributes.std
        if not (self.samples and self.encodes):
            return None
        with self.asked() as generator:
            labels = cycled_labels(self.module, MEASURED)
            images = self.module.sample(MEASURED, labels=labels, generator=generator)
            codes = self.module.encode(images, *(() if labels is None else (labels,))).float()
        found: np.ndarray[Any, np.dtype[np.float32]] = codes.std(dim=0, correction=0).numpy()
        return found


def subject_of(
    module: LightningModule,
    attributes: AttributeFile | None = None,
    codes: CodeFile | None = None,
    class_names: Sequence[str] = (),
) -> Subject:
    """Find out what there is to explore in ``module``.

    Args:
        module: in evaluation mode, on the CPU.
        attributes: the attribute vectors of its latent space.
        codes: codes of images; left aside where the module's own have another size.
        class_names: what the classes of its data are called, where that is known.

    Raises:
        UserError: it neither decodes codes to images nor samples images nor classifies or translates any nor goes on
            with texts, or the attribute vectors are of codes of another size.
    """
    name = type(module).__name__
    num_classes = class_count(module) if is_conditional(module) else None
    with isolate_rng(), torch.no_grad():
        images, latent_dim = _images_of(module, num_classes)
        classes = _classes(module, class_names)
        if images is None and not classes and isinstance(module, ProposesTokens):
            return Subject(module, (0, 0, 0), None, None, encodes=False, samples=False)
        if images is None and not classes and isinstance(module, Translates):
            source = module.domain_shapes[module.directions[0][0]]
            return Subject(module, (source[0], source[1], source[2]), None, None, encodes=False, samples=False)
        if images is None and not classes:
            raise UserError(
                f"{name} cannot be explored: it neither decodes codes (n, latent_dim) to images nor samples any, nor"
                " is it a classifier that knows the `input_shape` of its images, nor does it translate any, nor go on"
                " with texts"
            )
        encodes = (
            images is not None
            and isinstance(module, Encodes)
            and latent_dim is not None
            and module.encode(images, *_labels(num_classes, len(images))).shape == (len(images), latent_dim)
        )
    if attributes is not None and attributes.latent_dim != latent_dim:
        known = "decodes no codes" if latent_dim is None else f"has codes of {latent_dim}"
        raise UserError(f"the attribute vectors are of codes of {attributes.latent_dim} numbers, but {name} {known}")
    channels, height, width = _input_shape(module) if images is None else images.shape[1:]
    return Subject(
        module,
        (channels, height, width),
        latent_dim,
        num_classes,
        encodes,
        images is not None and isinstance(module, SamplesImages),
        True if images is None else _has_dark_border(images),
        attributes,
        codes if latent_dim == 2 else None,
        classes,
    )


def _images_of(module: LightningModule, num_classes: int | None) -> tuple[Tensor | None, int | None]:
    """Return some images that it decodes or samples, and the size of the codes that it decodes to images."""
    generator = torch.Generator().manual_seed(0)
    latent_dim = _latent_dim(module)
    if isinstance(module, Decodes) and latent_dim is not None:
        codes = torch.randn(PROBED, latent_dim, generator=generator)
        if isinstance(module, BoundsCodes):
            codes = codes.sigmoid() * (module.code_range[1] - module.code_range[0]) + module.code_range[0]
        images = module.decode(codes, *_labels(num_classes, PROBED))
        if _are_images(images):
            return images, latent_dim
    label = next(iter(_labels(num_classes, 1)), None)
    sampled = module.sample(1, label, generator) if isinstance(module, SamplesImages) else None
    return (sampled if _are_images(sampled) else None), None


def _classes(module: LightningModule, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the classes that a classifier of images tells apart; none for any other module."""
    if not isinstance(module, Classifies) or type(module).forward is LightningModule.forward:
        return ()
    shape = _input_shape(module)
    if len(shape) != 3 or shape[0] not in (1, 3):
        return ()
    logits = module(torch.zeros(1, *shape))
    if not isinstance(logits, Tensor) or logits.shape != (1, module.num_classes):
        return ()
    return tuple(names if len(names) == module.num_classes else map(str, range(module.num_classes)))


def _input_shape(module: object) -> tuple[int, ...]:
    return (module.input_shape or ()) if isinstance(module, HasInputShape) else ()


def _has_dark_border(images: Tensor) -> bool:
    border = torch.ones(images.shape[-2:], dtype=torch.bool)
    border[1:-1, 1:-1] = False
    return bool(images[..., border].float().mean() < 0.5)


def _latent_dim(module: LightningModule) -> int | None:
    size = module.latent_dim if isinstance(module, HasLatentDim) else None
    return size if isinstance(size, int) and size > 0 else None


def _labels(num_classes: int | None, n: int) -> tuple[Tensor, ...]:
    return () if num_classes is None else (torch.zeros(n, dtype=torch.int64),)


def _are_images(images: Any) -> TypeGuard[Tensor]:
    return isinstance(images, Tensor) and images.ndim == 4 and images.shape[1] in (1, 3)
