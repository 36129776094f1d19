"""The progress bar is drawn now and then, and at the end of an epoch."""

import pytest
import pytorch_lightning as pl

from callbacks.run import throttled_progress_bar
from callbacks.run.throttled_progress_bar import ThrottledProgressBar
from datamodules import DigitsDataModule
from dlmodules import MLPClassifier


class Counting(ThrottledProgressBar):
    """Remembers at which batches the bar moved."""

    def __init__(self):
        super().__init__()
        self.moved = []

    def _update_metrics(self, trainer, pl_module):
        super()._update_metrics(trainer, pl_module)
        self.moved.append(trainer.fit_loop.epoch_loop.batch_progress.current.ready)


@pytest.mark.parametrize(("seconds", "moved"), [(0.0, [1, 2, 3, 4, 5]), (3.0, [1, 4, 5]), (1e6, [1, 5])])
def test_the_bar_moves_no_more_often_than_it_should_and_at_the_last_batch(seconds, moved, tmp_path, monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(throttled_progress_bar.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(throttled_progress_bar, "INTERVAL", seconds)
    bar = Counting()
    trainer = pl.Trainer(
        max_epochs=1, limit_train_batches=5, limit_val_batches=0, logger=False, enable_checkpointing=False,
        enable_model_summary=False, accelerator="cpu", callbacks=[bar], default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(MLPClassifier(input_shape=(1, 8, 8), hidden_dims=[4]), DigitsDataModule(image_size=8))
    assert [batch for batch in bar.moved if batch] == [*moved, 5]  # and once at the epoch's end
