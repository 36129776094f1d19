"""The range in which a generator has its images, where the data have them in [0, 1]."""

from torch import Tensor, nn


def range_of(generator: nn.Module) -> tuple[float, float]:
    """Return the ``output_range`` of a generator, its lowest and highest value; (0, 1) where it has none."""
    low, high = getattr(generator, "output_range", (0.0, 1.0))
    return float(low), float(high)


class ScalesImages:
    """Brings images from [0, 1] to the range of the networks and back; a child says which, in ``output_range``."""

    @property
    def output_range(self) -> tuple[float, float]:
        """Lowest and highest value of the images that the networks make."""
        raise NotImplementedError

    def to_unit_range(self, images: Tensor) -> Tensor:
        """Bring images from the networks' range to [0, 1]."""
        low, high = self.output_range
        return (images - low) / (high - low)

    def from_unit_range(self, images: Tensor) -> Tensor:
        """Bring images from [0, 1] to the networks' range."""
        low, high = self.output_range
        return images if (low, high) == (0.0, 1.0) else images * (high - low) + low
