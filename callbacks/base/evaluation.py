"""The batches of validation and test, for callbacks that treat both alike."""

from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from typing_extensions import override


class WatchesEvaluation(Callback):
    """Base of the callbacks that look at validation and test batches; a child overrides ``on_evaluation_batch``."""

    def on_evaluation_batch(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, dataloader_idx: int
    ) -> None:
        """Look at a batch and at what the module's step returned for it."""
        raise NotImplementedError

    @override
    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self.on_evaluation_batch(trainer, pl_module, outputs, batch, dataloader_idx)

    @override
    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self.on_evaluation_batch(trainer, pl_module, outputs, batch, dataloader_idx)
