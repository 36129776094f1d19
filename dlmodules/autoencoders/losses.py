"""Reconstruction losses of images, averaged over pixels."""

from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.image import structural_similarity_index_measure

from dlmodules.errors import UserError


def mse(logits: Tensor, x: Tensor) -> Tensor:
    """Mean squared error of the images ``sigmoid(logits)`` and ``x``: (B, C, H, W) twice -> ()."""
    return F.mse_loss(logits.sigmoid(), x)


def bce(logits: Tensor, x: Tensor) -> Tensor:
    """Mean cross-entropy of the pixels ``x`` in [0, 1] in nats: (B, C, H, W) twice -> ()."""
    return F.binary_cross_entropy_with_logits(logits, x)


def dissimilarity(logits: Tensor, x: Tensor) -> Tensor:
    """One minus the mean structural similarity (SSIM) of ``sigmoid(logits)`` and ``x``, in [0, 2]: -> ().

    Raises UserError for images of less than 11x11 pixels, the size of its windows.
    """
    if min(x.shape[-2:]) < 11:
        raise UserError(f"SSIM compares windows of 11x11 pixels; the images are {x.shape[-2]}x{x.shape[-1]}")
    similarity = structural_similarity_index_measure(logits.sigmoid(), x, data_range=1.0)
    assert isinstance(similarity, Tensor)
    return 1.0 - similarity


LOSSES = {"mse": mse, "bce": bce, "ssim": dissimilarity}
