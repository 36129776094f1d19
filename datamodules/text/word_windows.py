"""Words of a text and the words around them: subsampling and windows, drawn anew for each batch."""

import torch
from torch import Tensor

from dlmodules.protocols import PAD, Batch


def keep_probabilities(counts: Tensor, subsample: float | None) -> Tensor:
    """Return the probability ``(V,)`` with which each occurrence of a word is kept.

    It is sqrt(t / f) + t / f of a word of frequency f, at most 1, where t is ``subsample``: the formula of the
    authors' program, which keeps a little more than that of the paper, sqrt(t / f). None keeps all.
    """
    if subsample is None:
        return torch.ones(len(counts))
    ratio = subsample / (counts.double() / counts.sum().clamp(min=1)).clamp(min=1e-12)
    return (ratio.sqrt() + ratio).clamp(max=1.0).float()


def contexts_of(words: Tensor, texts: Tensor, sizes: Tensor, window: int) -> Tensor:
    """Return the words ``(N, 2 * window)`` around each of ``words`` ``(N,)``, 0 where there are fewer.

    Args:
        words: token ids in the order of the text.
        texts: a number for each word; no context reaches into another text.
        sizes: ``(N,)``, in 1 to ``window``: how many words on each side are in the context of a word.
        window: of the largest context.
    """
    offsets = torch.cat([torch.arange(-window, 0), torch.arange(1, window + 1)])
    places = torch.arange(len(words))[:, None] + offsets
    inside = places.clamp(0, max(0, len(words) - 1))
    around = (offsets.abs() <= sizes[:, None]) & (places == inside) & (texts[inside] == texts[:, None])
    return torch.where(around, words[inside], PAD)


def draw_contexts(tokens: Tensor, texts: Tensor, keep: Tensor, window: int) -> Batch:
    """Return centers ``(N,)`` and contexts ``(N, 2 * window)`` of rows of a text, with torch's own random numbers.

    A word is dropped at random, by ``keep`` ``(V,)``, before the windows are laid, so that contexts reach farther where
    frequent words are dropped. Each center has a window of its own, of a size uniform in 1 to ``window``.

    Args:
        tokens: ``(R, L)``; padding is dropped.
        texts: ``(R, L)``, the number of the text of each word, 0 or more.
        keep: the probability with which each word is kept.
        window: words on each side of a center at most.
    """
    kept = (torch.rand(tokens.shape) < keep[tokens]) & (tokens != PAD)
    words = tokens[kept]
    # Rows of one text that come together by chance are no neighbours.
    apart = texts + torch.arange(len(tokens))[:, None] * (texts.max() + 1)
    sizes = torch.randint(1, window + 1, words.shape)
    return words, contexts_of(words, apart[kept], sizes, window)
