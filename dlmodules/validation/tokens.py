"""Checks of token ids."""

from torch import Tensor

from dlmodules.errors import UserError


def check_token_range(tokens: Tensor, vocabulary_size: int, owner: str, advice: str) -> None:
    """Raise UserError, which gives ``advice``, unless all ``tokens`` are in ``[0, vocabulary_size)`` of ``owner``."""
    if tokens.numel() == 0:
        return
    low, high = int(tokens.min()), int(tokens.max())
    if low < 0 or high >= vocabulary_size:
        wrong = low if low < 0 else high
        raise UserError(f"there is a token {wrong}, but {owner} knows 0..{vocabulary_size - 1}: {advice}")
