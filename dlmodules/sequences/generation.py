"""Sequences that a model goes on with, token by token."""

from collections.abc import Collection, Iterator

import torch
from torch import Tensor

from dlmodules.protocols import PAD, Generates
from dlmodules.sequences.decoding import DRAWN, Decoding


@torch.no_grad()
def generate(
    model: Generates,
    context: Tensor,
    length: int,
    decoding: Decoding = DRAWN,
    stop: Collection[int] = (),
    generator: torch.Generator | None = None,
    forbidden: Collection[int] = (),
) -> Iterator[Tensor]:
    """Yield the next tokens ``(B,)`` int64 of each row, up to ``length`` times.

    Args:
        model: what predicts them, in evaluation mode.
        context: tokens ``(B, T)`` int64 that they go on from, T at least 1.
        length: how many tokens to yield for each row.
        decoding: how they are chosen.
        stop: tokens that end a row; the row has it, and then padding. It ends where all rows have ended.
        generator: of the draws, on the model's device.
        forbidden: tokens that are never chosen.
    """
    seen, ended = context, torch.zeros(len(context), dtype=torch.bool, device=context.device)
    stops = torch.tensor(sorted(stop), dtype=context.dtype, device=context.device)
    banned = torch.tensor(sorted(forbidden), dtype=torch.int64, device=context.device)
    state = model.start(context[:, :-1])
    tokens = context[:, -1]
    for _ in range(length):
        logits, state = model.step(tokens, state)
        logits = logits.float().index_fill(1, banned, -torch.inf)
        tokens = decoding.choose(logits, seen, generator).masked_fill(ended, PAD)
        yield tokens
        ended = ended | torch.isin(tokens, stops)
        if bool(ended.all()):
            return
        seen = torch.cat([seen, tokens[:, None]], dim=1)


def generated(
    model: Generates,
    context: Tensor,
    length: int,
    decoding: Decoding = DRAWN,
    stop: Collection[int] = (),
    generator: torch.Generator | None = None,
    forbidden: Collection[int] = (),
) -> Tensor:
    """Return what ``generate`` yields, ``(B, N)`` int64 with N at most ``length``, without the context."""
    found = list(generate(model, context, length, decoding, stop, generator, forbidden))
    return torch.stack(found, dim=1) if found else context[:, :0]
