"""Training of word vectors by Lightning's trainer against gensim's, in words of the text a second."""

import logging
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytorch_lightning as pl
import torch
import yaml
from typing_extensions import override

from benchmarks.context import Context, in_turn, silent_trainer, speed_record
from benchmarks.record import ROOT, Record
from benchmarks.row import Row
from datamodules import WordContextsDataModule
from dlmodules import Word2Vec
from dlmodules.sequences.vocabulary import words_of
from dlmodules.training.allocator import keep_freed_memory


def measure(row: Row, seed: int, context: Context) -> Record:
    """Compare words a second of as much of the same text, with the same settings; both sides are processes' own."""
    begin = time.perf_counter()
    assert row.config is not None
    keep_freed_memory()
    torch.set_num_threads(1)
    settings = yaml.safe_load((ROOT / row.config).read_text())
    data = WordContextsDataModule(**settings["data"]["init_args"], seed=seed)
    words = 20_000 if context.quick else 1_000_000
    ours, other = Ours(settings["model"]["init_args"], data, words), Gensim(settings, data, words, seed)
    for side in (ours, other):
        side.words_per_second()
    return speed_record(row, seed, begin, in_turn(context, ours.words_per_second, other.words_per_second))


class Clock(pl.Callback):
    """Takes the processor's time from the first batch to the end of the last, the making of batches included."""

    @override
    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.begin = time.process_time()

    @override
    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.seconds = time.process_time() - self.begin


class Ours:
    """A training by Lightning, with an epoch of so many words."""

    def __init__(self, arguments: dict[str, Any], data: WordContextsDataModule, words: int) -> None:
        self.data = data
        self.steps = words // (data.batch_size * data.row_length)
        # The learning rate has no say in the speed, and is no optimizer yet.
        self.module = Word2Vec(**{name: value for name, value in arguments.items() if name != "optimizer"})

    def words_per_second(self) -> float:
        """Train for one epoch of ``steps`` batches."""
        logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
        clock = Clock()
        with TemporaryDirectory() as folder:
            trainer = silent_trainer(
                1,
                limit_train_batches=self.steps,
                limit_val_batches=0,
                callbacks=[clock],
                default_root_dir=Path(folder),
            )
            trainer.fit(self.module, self.data)
        return self.steps * self.data.batch_size * self.data.row_length / clock.seconds


class Gensim:
    """gensim's training in one thread on as many words of the same text."""

    def __init__(self, settings: dict[str, Any], data: WordContextsDataModule, words: int, seed: int) -> None:
        from gensim.models import Word2Vec as Model

        known, self.texts, self.words = set(data.words), [], 0
        for text in data.load():
            kept = [word for word in words_of(text) if word in known]
            self.texts.append(kept)
            self.words += len(kept)
            if self.words >= words:
                break
        self.model = Model(
            vector_size=settings["model"]["init_args"].get("embedding_dim", 100),
            sg=int(settings["model"]["init_args"]["architecture"] == "skip_gram"),
            window=data.window,
            negative=5,
            sample=data.subsample,
            min_count=1,
            workers=1,
            seed=seed,
        )
        counts = data.word_counts.tolist()
        self.model.build_vocab_from_freq(dict(zip(data.words, counts, strict=True)), corpus_count=len(self.texts))

    def words_per_second(self) -> float:
        """Train for one epoch."""
        begin = time.process_time()
        self.model.train(self.texts, total_words=self.words, epochs=1)
        return self.words / (time.process_time() - begin)
