"""From the logits of a next token to the token: temperature, top-k, top-p, repetition penalty."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dlmodules.errors import UserError


@dataclass(frozen=True)
class Decoding:
    """How next tokens are chosen. In this order: repetition penalty, temperature, top-k, top-p, one draw.

    Args:
        temperature: logits are divided by it; 1 draws from the model's own distribution, 0 takes the most probable
            token, which is greedy decoding.
        top_k: draw among so many of the most probable tokens; None among all.
        top_p: draw among the fewest most probable tokens that together have this probability, in (0, 1]; None among
            all.
        repetition_penalty: the probability of a token that is there already falls: a positive logit is divided by
            it, a negative one multiplied (Keskar et al. 2019); 1 leaves it as it is.

    Raises:
        UserError: for a number out of range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        if not self.temperature >= 0:
            raise UserError(f"temperature is {self.temperature}; it must be 0, which is greedy, or more")
        if self.top_k is not None and self.top_k < 1:
            raise UserError(f"top_k is {self.top_k}; it must be 1 or more")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise UserError(f"top_p is {self.top_p}; it must lie in (0, 1]")
        if not self.repetition_penalty > 0:
            raise UserError(f"repetition_penalty is {self.repetition_penalty}; it must be more than 0")

    def filtered(self, logits: Tensor, seen: Tensor | None = None) -> Tensor:
        """Return the logits ``(B, V)`` that are drawn from; those of tokens that cannot be drawn are minus infinity.

        Args:
            logits: ``(B, V)``.
            seen: tokens ``(B, T)`` that are there already, for the repetition penalty.
        """
        if self.repetition_penalty != 1 and seen is not None and seen.shape[1] > 0:
            logits = penalize_repetition(logits, seen, self.repetition_penalty)
        if self.temperature == 0:
            return keep_top_k(logits, 1)
        logits = logits / self.temperature
        if self.top_k is not None:
            logits = keep_top_k(logits, self.top_k)
        return logits if self.top_p is None else keep_top_p(logits, self.top_p)

    def choose(self, logits: Tensor, seen: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Return the next tokens ``(B,)`` int64 for logits ``(B, V)``; see ``filtered``."""
        logits = self.filtered(logits, seen)
        if self.temperature == 0:
            return logits.argmax(dim=1)
        return torch.multinomial(logits.softmax(dim=1), 1, generator=generator).squeeze(1)


DRAWN = Decoding()
"""Draws from the model's own distribution."""

GREEDY = Decoding(temperature=0.0)
"""Takes the most probable token."""


def penalize_repetition(logits: Tensor, seen: Tensor, penalty: float) -> Tensor:
    """Divide the positive logits ``(B, V)`` of tokens in ``seen`` ``(B, T)`` by ``penalty``, multiply the negative."""
    of_seen = logits.gather(1, seen)
    return logits.scatter(1, seen, torch.where(of_seen > 0, of_seen / penalty, of_seen * penalty))


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """Set all but the ``k`` largest logits of each row ``(B, V)`` to minus infinity."""
    kept = logits.topk(min(k, logits.shape[1]), dim=1)
    return torch.full_like(logits, -torch.inf).scatter(1, kept.indices, kept.values)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """Set all logits ``(B, V)`` to minus infinity but those of the fewest tokens whose probabilities sum to ``p``."""
    ordered, order = logits.sort(dim=1, descending=True)
    probabilities = ordered.softmax(dim=1)
    before = probabilities.cumsum(dim=1) - probabilities  # of the tokens that are more probable
    kept = ordered.masked_fill(before >= p, -torch.inf)
    return torch.full_like(logits, -torch.inf).scatter(1, order, kept)
