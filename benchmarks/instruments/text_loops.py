"""Hand-written training loops of language models over tokens in memory, as a user writes them with plain torch."""

from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.instruments.epoch import Epoch
from datamodules import CorpusDataModule
from dlmodules.text.neural import NeuralLanguageModel
from dlmodules.text.recurrent import RecurrentLanguageModel
from dlmodules.training.parameter_groups import decayed_groups

CLIP = 1.0  # largest norm of the gradient, as the configurations have it


def language_model_epoch(module: NeuralLanguageModel, data: CorpusDataModule, limit: int) -> Epoch:
    """Return a function that trains a copy of the network of ``module`` for ``limit`` windows of each row of a batch.

    Windows are drawn at random, or follow on each other with their state where the module carries one over.
    """
    assert data.train_set is not None
    network: Any = deepcopy(module.network).train()
    optimizer = module.optimizer(decayed_groups(network))
    schedule = None if module.scheduler is None else module.scheduler(optimizer)
    tokens = torch.from_numpy(np.asarray(data.train_set.tokens).astype(np.int64))
    rows, places = data.batch_size, torch.arange(data.context + 1)
    carries = isinstance(module, RecurrentLanguageModel) and module.carry_state
    lane = (len(tokens) - 1) // rows

    def epoch() -> None:
        state: tuple[Tensor, ...] | None = None
        for step in range(limit):
            starts = torch.arange(rows) * lane + step * data.context
            if not carries:
                state, starts = None, torch.randint(len(tokens) - data.context, (rows,))
            window = tokens[starts[:, None] + places]
            logits, behind = network.read(window[:, :-1], state)
            state = tuple(part.detach() for part in behind) if carries else None
            loss = F.cross_entropy(logits.flatten(0, 1), window[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimizer.step()
            if schedule is not None:
                schedule.step()

    return epoch
