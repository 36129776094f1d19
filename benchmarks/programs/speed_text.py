"""Training of the LSTM on batches of texts of similar length against texts at random, padded to 500 words."""

import time

import torch

from benchmarks.context import Context, in_turn, speed_record
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import IMDBDataModule
from dlmodules import TextClassifier


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare reviews per second; both sides train a classifier of their own."""
    begin = time.perf_counter()
    # Random batches of 128 nearly all hold a review of 500 words or more: padding them to their longest saves nothing.
    sides = [IMDBDataModule(seed=seed), IMDBDataModule(seed=seed, batching="random", pad_to=500)]
    for data in sides:
        data.prepare_data()
        data.setup("fit")
    ours, other = (Training(data, seed) for data in sides)
    least = 0.1 if context.quick else 15.0
    for first in (ours, other):
        first.reviews_per_second(0.1)
    pairs = in_turn(context, lambda: ours.reviews_per_second(least), lambda: other.reviews_per_second(least))
    return speed_record(row, seed, begin, pairs)


class Training:
    """A plain loop over the loader of ``data``, epoch after epoch."""

    def __init__(self, data: IMDBDataModule, seed: int) -> None:
        torch.manual_seed(seed)
        self.module = TextClassifier()
        self.optimizer = self.module.optimizer(self.module.parameters())
        self.loader = data.train_dataloader()
        self.batches = iter(self.loader)

    def reviews_per_second(self, least: float) -> float:
        """Train for at least so many seconds of the processor, on with the batches where it stopped before."""
        reviews, begin = 0, time.process_time()
        while (elapsed := time.process_time() - begin) < least:
            batch = next(self.batches, None)
            if batch is None:
                self.batches = iter(self.loader)
                continue
            tokens, labels = batch
            self.optimizer.zero_grad()
            self.module.loss(self.module(tokens), labels).backward()  # type: ignore[no-untyped-call]  # torch has no types there
            self.optimizer.step()
            reviews += len(labels)
        return reviews / elapsed
