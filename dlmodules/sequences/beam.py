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
) -> list[Hypothesis]:
    """Return the hypotheses that a beam holds at the end, the best first.

    What greedy decoding finds is among those that are compared, so that no result is worse than it, as one of a beam
    alone can be.

    Args:
        model: what predicts them, in evaluation mode.
        context: tokens ``(1, T)`` int64 that they go on from, T at least 1.
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
    device = context.device
    stops = frozenset(stop)
    banned = torch.tensor(sorted(forbidden), dtype=torch.int64, device=device)
    state, tokens = model.start(context[:, :-1]), context[:, -1]
    # Row 0 is the greedy hypothesis for as long as it lives; the others are the beam.
    rows: list[list[int]] = [[], []]
    sums = torch.zeros(2, device=device)
    state, tokens = model.select(state, torch.zeros(2, dtype=torch.int64, device=device)), tokens.repeat(2)
    greedy_lives, ended = True, []

    for _ in range(length):
        logits, state = model.step(tokens, state)
        logits = logits.float().index_fill(1, banned, -torch.inf)
        log_probabilities = logits.log_softmax(dim=1)
        totals = sums[:, None] + log_probabilities
        chosen: list[tuple[int, int, float]] = []  # the row that is gone on with, the token, the sum
        if greedy_lives:
            token = int(log_probabilities[0].argmax())
            chosen.append((0, token, float(totals[0, token])))
        first = 1 if greedy_lives else 0
        best = totals[first:].flatten().topk(min(beam, totals[first:].numel()))
        for value, place in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            if value > -torch.inf:
                chosen.append((first + place // totals.shape[1], place % totals.shape[1], value))
        going_on: list[tuple[int, int, float]] = []
        greedy_goes_on = False
        for number, (row, token, value) in enumerate(chosen):
            if token in stops:
                ended.append(_hypothesis([*rows[row], token], value, length_penalty))
            else:
                greedy_goes_on |= greedy_lives and number == 0
                going_on.append((row, token, value))
        greedy_lives = greedy_goes_on
        if len(going_on) == int(greedy_lives):  # the beam has ended; greedy is followed to its own end
            going_on = going_on[: int(greedy_lives)] * 2 if greedy_lives else []
        if not going_on:
            rows = []
            break
        index = torch.tensor([row for row, _, _ in going_on], device=device)
        state = model.select(state, index)
        tokens = torch.tensor([token for _, token, _ in going_on], device=device)
        rows = [[*rows[row], token] for row, token, _ in going_on]
        sums = torch.tensor([value for _, _, value in going_on], device=device)
    found = ended + [_hypothesis(row, value, length_penalty) for row, value in zip(rows, sums.tolist(), strict=False)]
    unique = {tuple(hypothesis.tokens): hypothesis for hypothesis in found}
    return sorted(unique.values(), key=lambda hypothesis: -hypothesis.score)[:beam]


def _hypothesis(tokens: list[int], log_probability: float, length_penalty: float) -> Hypothesis:
    return Hypothesis(tokens, log_probability, log_probability / len(tokens) ** length_penalty)
