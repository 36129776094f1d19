"""What the page shows, as plain functions of a module, codes, classes and images."""

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from callbacks.base.conditions import cycled_labels
from callbacks.base.grids import Picture, image_grid
from callbacks.latents.latent_walks import lerp, slerp
from dlmodules.errors import UserError
from dlmodules_cli.explore.codes import Code, random_codes, with_attributes
from dlmodules_cli.explore.subject import Subject

if TYPE_CHECKING:
    from PIL.Image import Image

LARGE = 416
"""The longer side of an enlarged image has at least that many pixels."""

STEPS = 9
"""Images of a morph's strip."""

Way = Literal["linear", "spherical"]


def decode(subject: Subject, codes: Code, label: int | None = None) -> Tensor:
    """Return the images ``(n, C, H, W)`` in [0, 1] of codes ``(n, latent_dim)``, all of class ``label``."""
    with subject.asked():
        images: Tensor = subject.module.decode(torch.from_numpy(codes), *subject.condition(label, len(codes)))
    return images.float().cpu()


def decoded_picture(
    subject: Subject, code: Code, label: int | None = None, strengths: dict[str, float] | None = None
) -> Picture:
    """Return the enlarged image of ``code`` ``(latent_dim,)`` after it went along the attributes' vectors."""
    return enlarged(decode(subject, with_attributes(subject, code, strengths or {})[None], label))


def encode(subject: Subject, image: "Image", label: int | None = None) -> Code:
    """Return the code ``(latent_dim,)`` of any image, after it became one of the module's.

    Raises:
        UserError: the module encodes no images.
    """
    if not subject.encodes:
        raise UserError(f"{subject.name} encodes no images")
    with subject.asked():
        code: Code = subject.module.encode(image_tensor(subject, image), *subject.condition(label))[0].float().numpy()
    return code


def image_tensor(subject: Subject, image: "Image") -> Tensor:
    """Turn any image into one ``(1, C, H, W)`` float32 in [0, 1] of the module's shape.

    Its middle is cut out where its sides have another proportion; then it is resized, and made grey or coloured. What
    is transparent shows the ground that the module's own images have.
    """
    from PIL import Image, ImageOps

    channels, height, width = subject.image_shape
    fitted = ImageOps.fit(on_ground(subject, image), (width, height), Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.array(fitted, dtype=np.float32) / 255)
    return pixels.view(1, 1, height, width) if channels == 1 else pixels.permute(2, 0, 1)[None].contiguous()


def on_ground(subject: Subject, image: "Image") -> "Image":
    """Make an image grey or coloured as the module's are; what is transparent shows the ground that those have."""
    from PIL import Image

    coloured = image.convert("RGBA")
    ground = Image.new("RGBA", coloured.size, (0, 0, 0, 255) if subject.dark_ground else (255, 255, 255, 255))
    return Image.alpha_composite(ground, coloured).convert("L" if subject.image_shape[0] == 1 else "RGB")


def morph_picture(
    subject: Subject, start: Code, end: Code, fraction: float, way: Way, label: int | None = None
) -> Picture:
    """Return the enlarged image that lies the ``fraction`` in [0, 1] of the way from code ``start`` to ``end``."""
    return enlarged(decode(subject, between(start, end, fraction, way)[None], label))


def two_codes(subject: Subject, label: int | None = None) -> tuple[Code, Code]:
    """Return two codes to begin a morph with: a random one, and of ten others that of the least similar image."""
    sampled = random_codes(subject, 11, 1)
    first, *others = decode(subject, sampled, label)
    distances = [float((image - first).square().sum()) for image in others]
    return sampled[0], sampled[1 + distances.index(max(distances))]


def morph_strip(
    subject: Subject, start: Code, end: Code, way: Way, label: int | None = None, steps: int = STEPS
) -> Picture:
    """Return ``steps`` images in a row, from that of code ``start`` to that of ``end``."""
    codes = np.stack([between(start, end, step / (steps - 1), way) for step in range(steps)])
    return image_grid(decode(subject, codes, label), steps, min_tile=112)


def between(start: Code, end: Code, fraction: float, way: Way) -> Code:
    """Go the ``fraction`` of the way from one code ``(latent_dim,)`` to the other; see ``lerp`` and ``slerp``."""
    walk = lerp if way == "linear" else slerp
    code: Code = walk(torch.from_numpy(start)[None], torch.from_numpy(end)[None], fraction)[0].numpy()
    return code


def sample_picture(subject: Subject, n: int, seed: int, label: int | None = None) -> Picture:
    """Return ``n`` new images as a grid; the same seed gives the same.

    Of a conditional module they are of class ``label``, or of every class in turn where that is None.
    """
    if n < 1:
        raise UserError(f"{n} images were asked for; at least 1 is needed")
    if label is None:
        labels = cycled_labels(subject.module, n)
    else:
        (labels,) = subject.condition(label, n) or (None,)
    with subject.asked(seed) as generator:
        images = subject.module.sample(n, labels=labels, generator=generator).float().cpu()
    return image_grid(images, min_tile=LARGE if n == 1 else 96)


def traversal_picture(
    subject: Subject,
    name: str,
    ends: tuple[float, float],
    steps: int,
    rows: int,
    seed: int = 0,
    label: int | None = None,
) -> Picture:
    """Return rows of ``steps`` images in which the code ``name`` goes from the first of ``ends`` to the second.

    There are ``rows`` rows, of class ``label`` where the module is conditional; or, where that is None, one for each
    class, with its number before it. The same seed gives the same.

    Raises:
        UserError: the module has no such code, or ``steps`` is less than 2 or ``rows`` less than 1.
    """
    if steps < 2 or rows < 1:
        raise UserError(f"{rows} rows of {steps} images were asked for; at least 1 row of 2 is needed")
    if name not in subject.traversals:
        raise UserError(f"{subject.name} has no code {name}; it has: {', '.join(subject.traversals) or 'none'}")
    if subject.num_classes is None:
        labels = None
    elif label is None:
        labels = torch.arange(subject.num_classes)
    else:
        (labels,) = subject.condition(label, rows)
    with subject.asked(seed) as generator:
        images = subject.module.traverse(
            name, torch.linspace(*ends, steps), rows if labels is None else len(labels), labels, generator
        )
    names = None if labels is None or label is not None else [str(one) for one in labels.tolist()]
    return image_grid(images.flatten(0, 1).float().cpu(), steps, row_labels=names)


def enlarged(images: Tensor) -> Picture:
    """Return the first of images ``(n, C, H, W)``, enlarged by a whole factor: each pixel is a square."""
    return image_grid(images[:1], 1, pad=0, min_tile=LARGE)
