"""Training batches in an order that depends on the seed and the epoch alone, resumable at any batch.

Neither the order nor the iteration draws from the global random number generators, so what a model
draws does not move the data, nor the data the model.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, DistributedSampler, Subset, default_collate
from typing_extensions import override

from datamodules.base.fields import BatchT, transform_first

Transform = Callable[..., Any]  # Tensor to Tensor; with that result jsonargparse would look for a kind of tensor
Collate = Callable[[Any], Any]  # what a data set was asked for to a batch


def identity(batch: Any) -> Any:
    """Hand a batch through: the dataset has made it whole already."""
    return batch


def collate_of(dataset: Dataset[Any]) -> Collate:
    """Return what makes batches of what ``dataset`` gives: torch's own, where it gives one row for each index.

    A dataset with ``__getitems__`` makes whole batches itself, of any structure.
    """
    if isinstance(dataset, Subset):  # has the method for its dataset's sake
        return collate_of(dataset.dataset)
    return identity if hasattr(dataset, "__getitems__") else default_collate


def shuffled(
    dataset: Dataset[Any],
    seed: int,
    drop_last: bool = False,
    kind: Callable[..., DistributedSampler[Any]] = DistributedSampler,
) -> DistributedSampler[Any]:
    """Return a sampler that permutes ``dataset`` anew in every epoch, as a function of (seed, epoch).

    ``kind`` makes the sampler, where it is to be one that rearranges the permutation.

    Among several processes (``torch.distributed``) each gets its own equally long part. Lightning leaves a
    ``DistributedSampler`` as it is, so the order follows ``seed`` there too.
    """
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    return kind(
        dataset,
        num_replicas=torch.distributed.get_world_size() if distributed else 1,
        rank=torch.distributed.get_rank() if distributed else 0,
        seed=seed * 1_000_003,  # the sampler adds the epoch: seed 0 in epoch 1 must not be seed 1 in epoch 0
        drop_last=drop_last,
    )


class ResumableLoader(DataLoader[BatchT]):
    """A ``DataLoader`` whose checkpoint is its place in the stream of batches, which may have any structure.

    It goes on with the very next batch wherever a Lightning checkpoint was written: in the middle of an
    epoch, at its last batch, or after ``max_steps`` ended the fit there. torchdata's ``StatefulDataLoader``
    does so for some of these only, since it does not ask where in the epoch the trainer stands.

    Args:
        dataset: the training rows: one for each index, or whole batches from ``__getitems__``.
        seed: seeds ``transform``, together with the epoch and the batch.
        transform: applied to each batch, in the main process. The global torch generator is seeded for it and put back
            afterwards, so a resumed run draws the same.
        apply: how it is applied: by default to the first field, which is the first of a tuple, list or dict, or the
            batch that is a tensor.
        progress: tells how many batches of the current epoch the trainer has done, and how many there are;
            None outside of a trainer.
        collate_fn: makes a batch of the list of its rows; None takes whole batches as they are, and torch's
            ``default_collate`` for rows.
        **kwargs: passed to ``DataLoader``.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        seed: int = 0,
        transform: Transform | None = None,
        progress: Callable[[], tuple[int, float]] | None = None,
        collate_fn: Collate | None = None,
        apply: Callable[[Any, Transform], Any] = transform_first,
        **kwargs: Any,
    ) -> None:
        super().__init__(dataset, collate_fn=collate_fn or collate_of(dataset), **kwargs)
        self.apply = apply
        self.seed = seed
        self.transform = transform
        self.progress = progress
        self._epoch: int | None = None  # of the pass that was begun last, here or in the run that is resumed
        self._batches = 0  # handed out in it
        self._resuming = False

    @override
    def __iter__(self) -> Iterator[BatchT]:  # type: ignore[override]  # torch promises its private iterator class
        resuming, self._resuming = self._resuming, False
        return self._pass(resuming)

    def _pass(self, resuming: bool) -> Iterator[BatchT]:
        # As a generator this begins when the first batch is asked for. By then Lightning has called set_epoch
        # and knows where in the epoch it stands; when it calls iter() it does not.
        epoch, start, end = self._place(resuming)
        if start >= end:
            return
        if isinstance(self.sampler, DistributedSampler):
            self.sampler.set_epoch(epoch)
        self._epoch, self._batches = epoch, start
        for batch in islice(super().__iter__(), start, None):
            self._batches += 1
            yield self._transformed(batch)

    def _place(self, resuming: bool) -> tuple[int, int, float]:
        """Return the epoch, the batch to begin with, and the number of batches after which there are none."""
        if self._epoch is None:
            return getattr(self.sampler, "epoch", 0), 0, len(self)
        if not resuming:
            # Counted here: after max_steps has ended an epoch early, Lightning's own count is one too high.
            return self._epoch + 1, 0, len(self)
        done, end = self.progress() if self.progress else (self._batches % len(self), len(self))
        if done == 0 and self._batches > 0:  # the epoch of the checkpoint was complete
            return self._epoch + 1, 0, len(self)
        return self._epoch, done, end

    def _transformed(self, batch: BatchT) -> BatchT:
        if self.transform is None:
            return batch
        rank = getattr(self.sampler, "rank", 0)
        entropy = np.random.SeedSequence([self.seed, self._epoch or 0, self._batches, rank])
        generator = torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0]))
        before = torch.get_rng_state()
        torch.set_rng_state(generator.get_state())
        try:
            transformed: BatchT = self.apply(batch, self.transform)
            return transformed
        finally:
            torch.set_rng_state(before)

    def state_dict(self) -> dict[str, int]:
        """Return the place in the stream of batches; empty before the first batch."""
        if self._epoch is None:
            return {}
        batches = self._batches
        if self.progress is not None:  # a batch that was fetched but interrupted is to come again
            batches = min(batches, self.progress()[0])
        return {"epoch": self._epoch, "batches": batches}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on at the place that ``state`` tells; a state of another kind of loader is passed over."""
        if "epoch" in state and "batches" in state:
            self._epoch, self._batches = state["epoch"], state["batches"]
            self._resuming = True
