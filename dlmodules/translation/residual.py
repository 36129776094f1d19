"""What a translation begins with where a generator adds to its image instead of painting it anew."""

from collections.abc import Sequence

from torch import Tensor

from dlmodules.errors import UserError


def check_residual(source_shape: Sequence[int], image_shape: Sequence[int]) -> None:
    """Raise UserError where images of ``source_shape`` do not give those of ``image_shape`` a beginning."""
    channels, others = source_shape[0], image_shape[0]
    if channels != others and 1 not in (channels, others):
        raise UserError(
            f"residual is true, but an image of {channels} channels is not the beginning of one of {others}: set it to"
            " false"
        )


def image_logits(image: Tensor, channels: int) -> Tensor:
    """Return the logits ``(B, channels, H, W)`` of an image ``(B, C, H, W)`` in [0, 1].

    Where ``channels`` differs from C, one of them is 1: grey is the mean of colours, and the same in each of them.
    """
    if image.shape[1] != channels:
        image = image.mean(dim=1, keepdim=True).expand(-1, channels, -1, -1)
    return image.logit(eps=1 / 512)  # half a level from black and from white, whose logits are infinite
