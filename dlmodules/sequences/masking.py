"""Masked tokens: what a network that reads in both directions is trained to restore."""

from typing import NamedTuple

import torch
from torch import Tensor

from dlmodules.errors import UserError
from dlmodules.protocols import IGNORED

CLASS, SEPARATOR, MASK = "[CLS]", "[SEP]", "[MASK]"
BERT_MARKS = (CLASS, SEPARATOR, MASK)
"""What begins a text, what ends a segment, and what stands for a token that is hidden."""


class Masking(NamedTuple):
    """Which tokens are to be restored, and what stands in their places (Devlin et al. 2018).

    Args:
        share: the part of the tokens that are to be restored, in (0, 1).
        replaced: of those, the part that another token stands for.
        kept: of those, the part that stay as they are. A mask stands for the rest.
    """

    share: float = 0.15
    replaced: float = 0.1
    kept: float = 0.1

    def check(self) -> None:
        """Raise UserError for a number out of range."""
        if not 0 < self.share < 1:
            raise UserError(f"mask_share is {self.share}; it must lie in (0, 1)")
        if min(self.replaced, self.kept) < 0 or self.replaced + self.kept > 1:
            raise UserError(f"replaced is {self.replaced} and kept {self.kept}; both must be parts of 1 together")

    def hide(
        self, tokens: Tensor, special: Tensor, mask_id: int, words: range, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the tokens ``(B, T)`` with some of them hidden, and what they were, -100 elsewhere.

        Args:
            tokens: ``(B, T)`` int64.
            special: ``(B, T)`` bool, true where a token is never hidden.
            mask_id: the token that stands for a hidden one.
            words: the token ids that may stand for another one.
            generator: of the draws.
        """
        chance, what = torch.rand(2, *tokens.shape, generator=generator, device=tokens.device)
        chosen = (chance < self.share) & ~special
        others = torch.randint(words.start, words.stop, tokens.shape, generator=generator, device=tokens.device)
        hidden = torch.where(what < self.replaced, others, tokens)
        hidden = torch.where(what >= self.replaced + self.kept, mask_id, hidden)
        return torch.where(chosen, hidden, tokens), torch.where(chosen, tokens, IGNORED)
