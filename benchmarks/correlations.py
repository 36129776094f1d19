"""How alike two images are whatever their colours: the correlation of what is measured at each pixel."""

from torch import Tensor


def pixel_correlations(values: Tensor, others: Tensor) -> Tensor:
    """Return the correlation over the pixels of each pair.

    A side without differences counts as 0, and a pair of two such is left out.

    Args:
        values: ``(N, ...)``.
        others: of the same shape.

    Returns:
        Correlations, ``(N,)`` or fewer.
    """
    centred = [x.flatten(1) - x.flatten(1).mean(dim=1, keepdim=True) for x in (values, others)]
    norms = [x.norm(dim=1) for x in centred]
    found = (centred[0] * centred[1]).sum(dim=1) / (norms[0] * norms[1]).clamp(min=1e-9)
    return found[(norms[0] + norms[1]) > 1e-6]
