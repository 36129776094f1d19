"""How much of the probability an n-gram model gives to what it has counted, and how much to shorter contexts.

With the counts c of the tokens behind a context, the probability is

    p(token) = max(c(token) - discount(c(token)), 0) / total + share * p_shorter(token),

where ``share`` is what makes it sum to 1.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from dlmodules.text.ngram_counts import NGramTable

Smoothing = Literal["none", "witten_bell", "kneser_ney"]


class Interpolation(NamedTuple):
    """One order of a smoothed model, as float64.

    Args:
        own: ``(N,)``, what each n-gram has by its own count.
        share: ``(contexts,)``, what is left for the order below.
    """

    own: Tensor
    share: Tensor


def maximum_likelihood(table: NGramTable) -> Interpolation:
    """Give all to what was counted; a context that was never seen leaves all to the order below."""
    return Interpolation(table.counts.double() / table.totals[table.contexts], torch.zeros_like(table.totals).double())


def witten_bell(table: NGramTable) -> Interpolation:
    """Leave as much as there were new tokens behind the context (Witten & Bell 1991): T / (N + T)."""
    types, totals = table.types(1).double(), table.totals.double()
    return Interpolation(table.counts.double() / (totals + types)[table.contexts], types / (totals + types))


def kneser_ney(table: NGramTable, discount: float | None) -> Interpolation:
    """Take a discount off each count (Kneser & Ney 1995), interpolated.

    Args:
        table: of the longest n-grams with counts, of the shorter ones with continuations.
        discount: the one of all counts; None estimates three from the table, for counts of one, of two and of more
            (Chen & Goodman 1999).
    """
    one, two, more = estimated_discounts(table) if discount is None else (discount, discount, discount)
    counts, totals = table.counts.double(), table.totals.double()
    taken = torch.tensor([0.0, one, two, more], dtype=torch.float64)[table.counts.clamp(max=3)]
    left = sum(off * table.types(*of).double() for off, of in ((one, (1, 1)), (two, (2, 2)), (more, (3, None))))
    # A text's first n-gram may have nothing before it, and so no continuation to take a discount off.
    return Interpolation(
        (counts - taken).clamp(min=0) / totals.clamp(min=1)[table.contexts],
        torch.where(totals > 0, left / totals.clamp(min=1), 1.0),
    )


def estimated_discounts(table: NGramTable) -> tuple[float, float, float]:
    """Return the discounts of counts of one, of two, and of three or more (Chen & Goodman 1999, equation 26).

    Where a table is too small to have counts of one to four, it is 0.75 for all.
    """
    n1, n2, n3, n4 = (int((table.counts == count).sum()) for count in (1, 2, 3, 4))
    if 0 in (n1, n2, n3, n4):
        return (0.75, 0.75, 0.75)
    y = n1 / (n1 + 2 * n2)
    return (1 - 2 * y * n2 / n1, max(2 - 3 * y * n3 / n2, 0.0), max(3 - 4 * y * n4 / n3, 0.0))
