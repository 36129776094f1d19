"""Beam search: the most probable sequences that a model can go on with."""

from collections.abc import Collection
from typing import NamedTuple

import torch
from torch import Tensor

from dlmodules.protocols import Generates
from dlmodules.validation.arguments import check_at_least, check_at_least_one


class Hypothesis(NamedTuple):
    """A sequence that was found.

    Args:
        tokens: without the context; it ends with a token of ``stop``, where it has ended.
        log_probability: of the tokens given the context, in nats.
        score: the log-probability divided by the number of tokens to the power of the length penalty.
    """

    tokens: list[int]
    log_probability: float
    score: float


@torch.no_grad()
def beam_search(
    model: Generates,
    context: Tensor,
    length: int,
    beam: int = 5,
    stop: Collection[int] = (),
    length_penalty: float = 0.0,
    forbidden: Collection[int] = (),
) -> list[list[Hypothesis]]:
    """Return the hypotheses that the beam of each context holds at the end, the best first.

    What greedy decoding finds is among those that are compared, so that no result is worse than it, as one of a beam
    alone can be. A search ends before ``length`` where nothing that goes on can become as good as what has ended.

    Args:
        model: what predicts them, in evaluation mode.
        context: tokens ``(B, T)`` int64 that they go on from, T at least 1.
        length: tokens of a hypothesis at most.
        beam: hypotheses that are kept at each length.
        stop: tokens that end a hypothesis.
        length_penalty: 0 compares the probabilities of whole sequences, 1 those of a token in the mean.
        forbidden: tokens that no hypothesis may have, such as padding.

    Raises:
        UserError: for a number out of range.
    """
    check_at_least_one(length=length, beam=beam)
    check_at_least(0, length_penalty=length_penalty)
    device, stops = context.device, frozenset(stop)
    banned = torch.tensor(sorted(forbidden), dtype=torch.int64, device=device)
    searches = [_Search(beam, length, length_penalty) for _ in context]
    live, width = list(searches), beam + 1
    state = model.start(context[:, :-1])
    state = model.select(state, torch.arange(len(live), device=device).repeat_interleave(width))
    tokens = context[:, -1].repeat_interleave(width)
    for _ in range(length):
        logits, state = model.step(tokens, state)
        logits = logits.float().index_fill(1, banned, -torch.inf)
        log_probabilities = logits.log_softmax(dim=1).view(len(live), width, -1)
        sums = torch.tensor([search.sums for search in live], device=device)
        totals = sums[:, :, None] + log_probabilities
        greedy = log_probabilities[:, 0].argmax(dim=1, keepdim=True)
        greedy_sums = totals[:, 0].gather(1, greedy)
        best = totals[:, 1:].flatten(1).topk(beam, dim=1)
        places = torch.cat([greedy, best.indices + totals.shape[2]], dim=1).tolist()
        values = torch.cat([greedy_sums, best.values], dim=1).tolist()
        for search, own_places, own_values in zip(live, places, values, strict=True):
            search.go_on([divmod(place, totals.shape[2]) for place in own_places], own_values, stops)
        going_on = [
            (first, search)
            for first, search in zip(range(0, len(logits), width), live, strict=True)
            if not search.is_over()
        ]
        if not going_on:
            break
        live = [search for _, search in going_on]
        index = [first + parent for first, search in going_on for parent in search.parents]
        state = model.select(state, torch.tensor(index, device=device))
        tokens = torch.tensor([row[-1] for search in live for row in search.rows], device=device)
    return [search.found() for search in searches]


class _Search:
    """The hypotheses of one context. Row 0 is the greedy one, for as long as it goes on; the others are the beam.

    Rows that hold nothing have a log-probability of minus infinity.
    """

    def __init__(self, beam: int, length: int, length_penalty: float) -> None:
        self.beam, self.length, self.length_penalty = beam, length, length_penalty
        self.rows: list[list[int]] = [[] for _ in range(beam + 1)]
        self.sums = [0.0, 0.0] + [-torch.inf] * (beam - 1)
        self.parents = list(range(beam + 1))  # the rows that those of now have gone on from
        self.ended: dict[tuple[int, ...], Hypothesis] = {}

    def go_on(self, chosen: list[tuple[int, int]], sums: list[float], stops: frozenset[int]) -> None:
        """Take the ``chosen`` rows and their next tokens, greedy's first, and their log-probabilities."""
        rows: list[list[int]] = []
        for place, ((parent, token), total) in enumerate(zip(chosen, sums, strict=True)):
            rows.append([*self.rows[parent], token])
            if token in stops and total > -torch.inf:
                self._end(rows[-1], total)
                sums[place] = -torch.inf
        self.rows, self.sums, self.parents = rows, sums, [parent for parent, _ in chosen]

    def is_over(self) -> bool:
        """Return whether no row can become one of the best any more."""
        best = max(self.sums)
        if best == -torch.inf or len(self.ended) < self.beam:
            return best == -torch.inf
        scores = sorted((hypothesis.score for hypothesis in self.ended.values()), reverse=True)
        # Sums fall, and no row grows longer than ``length``.
        return scores[self.beam - 1] >= _score(best, self.length, self.length_penalty)

    def found(self) -> list[Hypothesis]:
        """Return the best hypotheses, whether they have ended or not; the best first."""
        for row, total in zip(self.rows, self.sums, strict=True):
            if total > -torch.inf:
                self._end(row, total)
        if not self.ended:  # the model predicts no numbers
            self._end(self.rows[0], self.sums[0])
        return sorted(self.ended.values(), key=lambda hypothesis: -hypothesis.score)[: self.beam]

    def _end(self, row: list[int], total: float) -> None:
        self.ended[tuple(row)] = Hypothesis(row, total, _score(total, len(row), self.length_penalty))


def _score(log_probability: float, length: int, length_penalty: float) -> float:
    divisor: float = length**length_penalty
    return log_probability / divisor
