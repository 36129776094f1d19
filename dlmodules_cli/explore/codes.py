"""Codes of the module that is explored: random ones, the ends of the sliders, and which dimensions have a slider."""

import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from dlmodules.errors import UserError
from dlmodules_cli.explore.subject import Subject

Code = npt.NDArray[np.float32]
"""A code ``(latent_dim,)``, or several ``(n, latent_dim)``, float32."""

SLIDERS = 16
"""At most that many numbers of a code have a slider at a time."""

REACH = 3.0
"""A slider goes that many standard deviations to each side."""


def zero_code(subject: Subject) -> Code:
    """Return the code of zeros."""
    return np.zeros(_dim(subject), dtype=np.float32)


def first_code(subject: Subject) -> Code:
    """Return the code that the page begins with: the centre of the codes, as far as it is known."""
    code = zero_code(subject)
    if subject.prior in ("sampled", "uniform"):
        (code,) = random_codes(subject, 1, 0)
    elif subject.prior == "measured" and subject.attributes is not None:
        code += subject.attributes.mean
    return code


def random_codes(subject: Subject, n: int, seed: int) -> Code:
    """Sample codes ``(n, latent_dim)`` from where ``subject.prior`` says; the same seed gives the same."""
    dim = _dim(subject)
    with subject.asked(seed) as generator:
        if subject.prior == "sampled":
            labels = subject.condition(0, n)
            return _array(subject.module.encode(subject.module.sample(n, *labels, generator=generator), *labels))
        if subject.prior == "uniform":
            low, high = subject.code_range or (0.0, 1.0)
            return _array(low + (high - low) * torch.rand(n, dim, generator=generator))
        noise = _array(torch.randn(n, dim, generator=generator))
    if subject.prior == "measured" and subject.attributes is not None:
        return subject.attributes.mean + subject.attributes.std * noise
    return noise


def with_attributes(subject: Subject, code: Code, strengths: dict[str, float]) -> Code:
    """Go from ``code`` the given fraction of each named attribute's vector.

    Raises:
        UserError: an attribute is not known.
    """
    moved: Code = code.copy()
    for name, strength in strengths.items():
        known = () if subject.attributes is None else subject.attributes.names
        if subject.attributes is None or name not in known:
            raise UserError(f"there is no attribute {name}; there are: {', '.join(known) or 'none'}")
        moved += np.float32(strength) * subject.attributes.vectors[known.index(name)]
    return moved


def slider_range(subject: Subject, code: Code, dimension: int) -> tuple[float, float]:
    """Return where the slider of a number of ``code`` begins and ends: the number always lies between.

    It is the range of the codes where they have one, else three standard deviations to each side of the mean.
    """
    value = float(code[dimension])
    if subject.code_range is not None:
        low, high = subject.code_range
    elif subject.prior == "measured" and subject.attributes is not None:
        mean, reach = float(subject.attributes.mean[dimension]), REACH * float(subject.attributes.std[dimension])
        low, high = _floor(mean - max(reach, 0.1)), _ceil(mean + max(reach, 0.1))
    else:
        low, high = -REACH, REACH
    return min(low, _floor(value)), max(high, _ceil(value))


def first_dimensions(subject: Subject, limit: int = SLIDERS) -> list[int]:
    """Return the numbers of a code that have a slider at first: all of them, or the ``limit`` that vary most.

    Where it is not known how they vary it is the first ones.
    """
    dim = _dim(subject)
    if dim <= limit:
        return list(range(dim))
    deviations = subject.deviations()
    if deviations is None:
        return list(range(limit))
    return [int(dimension) for dimension in np.argsort(-deviations, kind="stable")[:limit]]


def parse_dimensions(text: str, dim: int, limit: int = SLIDERS) -> list[int]:
    """Read numbers and ranges such as ``0, 7, 20-23`` as dimensions of a code of ``dim`` numbers.

    Raises:
        UserError: it is none of that, names a dimension that is not there or one twice, or more than ``limit``.
    """
    chosen: list[int] = []
    for part in filter(None, re.split(r"[,;\s]+", re.sub(r"\s*-\s*", "-", text.strip()))):
        match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", part)
        if match is None:
            raise UserError(f"{part!r} is no dimension: write numbers and ranges, such as 0, 7, 20-23")
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < dim:
            raise UserError(f"{part} is outside the dimensions 0-{dim - 1}")
        if len(chosen) + last - first + 1 > limit:
            raise UserError(f"at most {limit} dimensions have a slider at a time")
        chosen += range(first, last + 1)
    if not chosen or len(set(chosen)) != len(chosen):
        raise UserError("name at least one dimension, and each once")
    return chosen


def _dim(subject: Subject) -> int:
    if subject.latent_dim is None:
        raise UserError(f"{subject.name} decodes no codes")
    return subject.latent_dim


def _array(code: Any) -> Code:
    array: Code = code.float().cpu().numpy().astype(np.float32)
    return array


def _floor(value: float) -> float:
    return math.floor(value * 10) / 10


def _ceil(value: float) -> float:
    return math.ceil(value * 10) / 10
