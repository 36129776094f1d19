"""A look at a training's first batch, for what would train wrongly without a word.

What cannot work raises; what a network of its own kind may mean so is a warning.
"""

from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor

from dlmodules.errors import UserError

LARGEST_SCALED = 50.0  # standardized images stay far below it, 8-bit ones go far beyond


def check_class_logits(logits: Tensor, n: int, num_classes: int, owner: str) -> None:
    """Raise UserError unless ``logits`` of ``n`` inputs are ``(n, num_classes)``."""
    if tuple(logits.shape) != (n, num_classes):
        raise UserError(
            f"the network of {owner} returns {list(logits.shape)} for {n} inputs of {num_classes} classes; it must be"
            f" [{n}, {num_classes}]: change its last layer or set --model.num_classes"
        )


def warn_of_large_images(x: Tensor, owner: str) -> None:
    """Warn where images ``(B, C, H, W)`` have values that no scaled ones have, such as 0 to 255."""
    if x.ndim == 4 and x.is_floating_point():
        low, high = (float(bound) for bound in x.detach().aminmax())
        if max(high, -low) > LARGEST_SCALED:
            rank_zero_warn(
                f"the images of {owner} lie in [{low:.3g}, {high:.3g}], from which a network learns badly: bring them"
                " to [0, 1], those of 0 to 255 by images / 255"
            )


def warn_of_probabilities(logits: Tensor, owner: str) -> None:
    """Warn where a decoder's logits all lie in [0, 1]: it ends in a sigmoid, and another one follows."""
    low, high = (float(bound) for bound in logits.detach().aminmax())
    if low >= 0.0 and 0.0 < high <= 1.0:
        rank_zero_warn(
            f"all logits of the decoder of {owner} lie in [{low:.3g}, {high:.3g}], as if it ended in a sigmoid or a"
            f" ReLU; {owner} applies the sigmoid itself: leave the last activation out"
        )


def warn_of_range(images: Tensor, output_range: tuple[float, float], owner: str) -> None:
    """Warn where a generator's images leave the ``output_range`` by which real images are scaled."""
    low, high = (float(bound) for bound in images.detach().aminmax())
    slack = 1e-3 * (output_range[1] - output_range[0])
    if low < output_range[0] - slack or high > output_range[1] + slack:
        rank_zero_warn(
            f"the generator of {owner} gives images in [{low:.3g}, {high:.3g}], but its output_range is"
            f" {list(output_range)}, to which real images are scaled: set the attribute output_range of the generator,"
            " (-1.0, 1.0) after a tanh"
        )
