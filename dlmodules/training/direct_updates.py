"""Whether Lightning adds anything to a backward pass and an optimizer's step, or these may be called as they are."""

from weakref import ReferenceType, WeakKeyDictionary, ref

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.plugins.precision import Precision
from pytorch_lightning.profilers import PassThroughProfiler
from pytorch_lightning.strategies import SingleDeviceStrategy

# What Lightning calls around them; with a small network to call these in vain takes a tenth of an update.
HOOKS = ("on_before_backward", "on_after_backward", "on_before_optimizer_step")

# By trainer of which module and with how many callbacks it was asked last, and the answer.
_ASKED: WeakKeyDictionary[Trainer, tuple[ReferenceType[LightningModule], int, bool]] = WeakKeyDictionary()


def updates_directly(module: LightningModule) -> bool:
    """Return whether ``loss.backward()`` and ``optimizer.step()`` do all that Lightning would do in their place.

    They do in one process, in the precision of the weights, where neither the module nor a callback has one of
    ``HOOKS`` and no profiler looks on.
    """
    trainer = module.trainer
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set by a connector
    asked = _ASKED.get(trainer)
    if asked is None or asked[0]() is not module or asked[1] != len(callbacks):
        asked = _ASKED[trainer] = ref(module), len(callbacks), _adds_nothing(module, callbacks)
    return asked[2]


def _adds_nothing(module: LightningModule, callbacks: list[Callback]) -> bool:
    trainer = module.trainer
    return (
        type(trainer.strategy) is SingleDeviceStrategy
        and type(trainer.precision_plugin) is Precision
        and type(trainer.profiler) is PassThroughProfiler  # type: ignore[attr-defined]  # set by a connector
        and type(module).backward is LightningModule.backward
        and not any(_defines(module, hook, LightningModule) for hook in HOOKS)
        and not any(_defines(callback, hook, Callback) for callback in callbacks for hook in HOOKS)
    )


def _defines(one: object, hook: str, base: type) -> bool:
    """Say whether ``one`` has a hook other than the empty one of ``base``, by its class or as an attribute."""
    return getattr(getattr(one, hook), "__func__", None) is not getattr(base, hook)
