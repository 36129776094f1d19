"""The attributes of images, and the direction of each in latent space."""

from typing import Literal

import torch
from pytorch_lightning import Trainer
from torch import Tensor

from callbacks.base.names import attribute_names, class_names, known_class_names

Method = Literal["difference", "least_squares"]


def attribute_table(trainer: Trainer, labels: Tensor) -> tuple[list[str], Tensor]:
    """Names of A attributes, and which images have them, ``(B, A)`` bool.

    Args:
        trainer: its data module may name attributes or classes.
        labels: ``(B, A)``, more than 0 where an image has an attribute; or classes ``(B,)``, each of which is then an
            attribute that its images have and all others have not.
    """
    if labels.ndim == 2:
        return attribute_names(trainer, labels.shape[1]), labels > 0
    count = max(len(known_class_names(trainer)), int(labels.max()) + 1)
    return class_names(trainer, count), labels[:, None] == torch.arange(count)


def attribute_vectors(codes: Tensor, table: Tensor, method: Method = "difference") -> Tensor:
    """The way of each attribute through a latent space.

    Args:
        codes: ``(B, D)`` of B images.
        table: ``(B, A)`` bool, which images have which attributes.
        method: ``difference`` of the mean code of the images with an attribute and of those without it; or
            ``least_squares``, the effects of all attributes that, added to a common code, come nearest to the codes:
            each one's own, where attributes come together.

    Returns:
        ``(A, D)`` float32. The row of an attribute that all images have, or none, is not a number.
    """
    has = table.double()
    codes = codes.double()
    with_it, without = has.sum(dim=0), (1 - has).sum(dim=0)
    differs = (with_it > 0) & (without > 0)
    if method == "difference":
        vectors = has.T @ codes / with_it[:, None] - (1 - has).T @ codes / without[:, None]
    else:
        vectors = codes.new_full((table.shape[1], codes.shape[1]), torch.nan)
        # Centred, so that the common code need not be fitted. `gelsd` shares an effect out among attributes that are
        # the same on all images, instead of failing.
        centred = has[:, differs] - has[:, differs].mean(dim=0)
        vectors[differs] = torch.linalg.lstsq(centred, codes - codes.mean(dim=0), driver="gelsd").solution
    return torch.where(differs[:, None], vectors, torch.nan).float()
