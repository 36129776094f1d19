"""Generation of a GPT with the keys and values of what was read against reading all tokens anew, in tokens a second."""

import time

import torch
from torch import Tensor

from benchmarks.context import Context, in_turn, speed_record
from benchmarks.record import Record
from benchmarks.row import Row
from dlmodules import GPT
from dlmodules.protocols import Generates
from dlmodules.sequences.decoding import GREEDY
from dlmodules.sequences.generation import generated


class Anew:
    """``Generates`` of a GPT that keeps nothing but the tokens: it reads all of them for each new one."""

    def __init__(self, model: GPT) -> None:
        self.model = model

    def start(self, context: Tensor) -> Tensor:
        """Return the tokens ``(B, T)`` themselves."""
        return context

    def step(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits ``(B, V)`` behind ``tokens`` ``(B,)``, and all tokens."""
        read = torch.cat([state, tokens[:, None]], dim=1)
        return self.model(read)[:, -1], read

    def select(self, state: Tensor, rows: Tensor) -> Tensor:
        """Return the tokens of some ``rows``."""
        return state.index_select(0, rows)


def measure(row: Row, seed: int, context: Context) -> Record:
    """Write ``length`` tokens, one text at a time, both ways in turn; the tokens must be the same."""
    begin = time.perf_counter()
    torch.set_num_threads(1)
    length = 16 if context.quick else int(row.options["length"])
    torch.manual_seed(seed)
    model = GPT(vocabulary_size=67, context=length + 1, num_layers=4, num_heads=4, width=128).eval()
    prompt = torch.tensor([[5]])
    anew = Anew(model)
    assert torch.equal(*(generated(side, prompt, min(length, 64), GREEDY) for side in (model, anew)))

    def speed(side: Generates) -> float:
        before = time.process_time()
        generated(side, prompt, length, GREEDY)
        return length / (time.process_time() - before)

    return speed_record(row, seed, begin, in_turn(context, lambda: speed(model), lambda: speed(anew)))
