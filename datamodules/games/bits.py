"""Sets of squares as the bits of 64-bit numbers."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from dlmodules.protocols.games import Bits, Floats, Integers

ONE = np.uint64(1)
_PAIRS = np.uint64(0x5555555555555555)
_FOURS = np.uint64(0x3333333333333333)
_EIGHTS = np.uint64(0x0F0F0F0F0F0F0F0F)
_BYTES = np.uint64(0x0101010101010101)


def mask(bits: Iterable[int]) -> np.uint64:
    """Return the number in which the given bits are set."""
    number: np.uint64 = np.uint64(0)
    for bit in bits:
        number |= ONE << np.uint64(bit)
    return number


def count(boards: Bits) -> Integers:
    """Return how many bits of each number are set. (``numpy.bitwise_count`` is new in numpy 2.)"""
    boards = boards - ((boards >> ONE) & _PAIRS)
    boards = (boards & _FOURS) + ((boards >> np.uint64(2)) & _FOURS)
    boards = (boards + (boards >> np.uint64(4))) & _EIGHTS
    counts: Integers = ((boards * _BYTES) >> np.uint64(56)).astype(np.int64)
    return counts


def unpack(boards: Bits, squares: npt.NDArray[np.uint64]) -> Floats:
    """Return 1 where a number ``(N,)`` has the bits ``(S,)``, else 0: ``(N, S)`` float32."""
    found: Floats = ((boards[:, None] >> squares) & ONE).astype(np.float32)
    return found
