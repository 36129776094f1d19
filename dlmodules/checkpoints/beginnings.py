"""Modules that begin with weights of another one, where no checkpoint has given them their own."""

from typing import Any

from pytorch_lightning import LightningModule
from typing_extensions import override


class BeginsWithOthers(LightningModule):
    """A module that takes weights from elsewhere when its training begins; a child overrides ``begin``.

    A training that goes on from a checkpoint keeps what that has, and does not look for the others.
    """

    _has_own_weights = False

    def begin(self) -> None:
        """Take the weights, where there are any to begin with."""
        raise NotImplementedError

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Remember that the weights are those of a checkpoint."""
        super().on_load_checkpoint(checkpoint)
        self._has_own_weights = True

    @override
    def on_fit_start(self) -> None:
        """Begin with the weights of another module, unless a checkpoint, by now, has given others."""
        super().on_fit_start()
        if not self._has_own_weights:
            self.begin()
