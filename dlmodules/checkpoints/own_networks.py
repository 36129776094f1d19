"""Networks that a checkpoint could not keep, and that must be given again when it is loaded."""

from collections.abc import Collection
from typing import Any

from pytorch_lightning import LightningModule
from torch import Tensor
from typing_extensions import override

from dlmodules.checkpoints.hparams import missing_networks
from dlmodules.errors import UserError


class NamesOwnNetworks(LightningModule):
    """A module that says which network to pass where a checkpoint of it was made with an object of the user's own."""

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Raise UserError where the checkpoint needs a network that this module was not given."""
        super().on_load_checkpoint(checkpoint)
        given = {name for name in left_out(type(self), checkpoint) if self._fits(name, checkpoint["state_dict"])}
        require_own_networks(type(self), checkpoint, given)

    def _fits(self, name: str, weights: dict[str, Tensor]) -> bool:
        mine, kept = (
            {key: tensor.shape for key, tensor in state.items() if key.startswith(f"{name}.")}
            for state in (self.state_dict(), weights)
        )
        return mine == kept


def left_out(cls: Any, checkpoint: dict[str, Any]) -> list[str]:
    """Return the arguments of a class of modules whose networks have weights in ``checkpoint``, but no class there."""
    kept = checkpoint.get("hyper_parameters", {})
    if "_instantiator" not in kept:  # not written by ``save_portable_hyperparameters``, which leaves nothing else out
        return []
    return missing_networks(cls, kept, checkpoint["state_dict"])


def require_own_networks(cls: Any, checkpoint: dict[str, Any], given: Collection[str] = ()) -> None:
    """Raise UserError unless ``given`` names every network of the user's own that ``checkpoint`` was made with."""
    missing = [name for name in left_out(cls, checkpoint) if name not in given]
    if missing:
        raise UserError(
            f"the checkpoint was made with a network of your own as {' and '.join(missing)}, which it cannot rebuild:"
            f" pass {', '.join(f'{name}=...' for name in missing)} to {cls.__name__}.load_from_checkpoint in Python;"
            " the command line can load it where the network keeps each argument as an attribute of the same name"
        )
