"""Lightning's training loop without what costs time at every step and changes nothing.

With a small network Lightning costs more than the step itself, about half of it for these: a profiler's context around
every call of a hook where there is no profiler; a batch searched for tensors to move that lie where they are needed;
a search for who has the hooks that move it; metrics collected again after a step that logged none; the signature of
``training_step`` read anew.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from inspect import ismethod
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint, EarlyStopping
from pytorch_lightning.core import hooks
from pytorch_lightning.loops import training_epoch_loop
from pytorch_lightning.profilers import PassThroughProfiler
from pytorch_lightning.trainer import call
from pytorch_lightning.trainer.connectors.data_connector import _DataHookSelector
from pytorch_lightning.trainer.connectors.logger_connector.logger_connector import _LoggerConnector
from pytorch_lightning.utilities import move_data_to_device
from pytorch_lightning.utilities.signature_utils import is_param_in_hook_signature
from torch import Tensor

# All of them are private names of Lightning: tests/cli/test_lean_loop.py fails when one moves or does something else.
_callback_hooks = call._call_callback_hooks
_module_hook = call._call_lightning_module_hook
_strategy_hook = call._call_strategy_hook
_get_instance = _DataHookSelector.get_instance
_on_batch_end = _LoggerConnector.on_batch_end
VISIBLE = "CUDA_VISIBLE_DEVICES"


@contextmanager
def lean_loop() -> Iterator[None]:
    """Within, a trainer of this process does the same with less work; one with a profiler as before."""
    with ExitStack() as stack:
        for owner, name, lean in (
            (call, "_call_callback_hooks", call_callback_hooks),
            (call, "_call_lightning_module_hook", call_module_hook),
            (call, "_call_strategy_hook", call_strategy_hook),
            (_DataHookSelector, "get_instance", get_instance),
            (_LoggerConnector, "on_batch_end", on_batch_end),
            (training_epoch_loop, "is_param_in_hook_signature", has_parameter),
            (hooks, "move_data_to_device", move),
        ):
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, lean)
        # At each step of an optimizer torch asks for devices, and opens NVIDIA's library to see that there are none.
        if VISIBLE not in os.environ and not torch.cuda.is_available():
            stack.callback(os.environ.pop, VISIBLE, None)
            os.environ[VISIBLE] = ""
        yield


def watched(trainer: "pl.Trainer") -> bool:
    """Say whether a profiler or a log of Lightning's calls wants to see each of them."""
    profiler = trainer.profiler  # type: ignore[attr-defined]  # set by a connector
    return type(profiler) is not PassThroughProfiler or call.log.isEnabledFor(logging.DEBUG)


def call_callback_hooks(
    trainer: "pl.Trainer", hook_name: str, *args: Any, monitoring_callbacks: bool | None = None, **kwargs: Any
) -> None:
    """Call a hook of all callbacks, of those that save or stop, or of the others."""
    if watched(trainer):
        _callback_hooks(trainer, hook_name, *args, monitoring_callbacks=monitoring_callbacks, **kwargs)
        return
    module = trainer.lightning_module
    if module is not None:
        before = _enter(module, hook_name)
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set by a connector
    if monitoring_callbacks is not None:
        kinds = (EarlyStopping, Checkpoint)
        callbacks = [callback for callback in callbacks if isinstance(callback, kinds) == monitoring_callbacks]
    for callback in callbacks:
        function = getattr(callback, hook_name)
        if callable(function):
            function(trainer, module, *args, **kwargs)
    if module is not None:
        _enter(module, before)


def call_module_hook(
    trainer: "pl.Trainer", hook_name: str, *args: Any, pl_module: "pl.LightningModule | None" = None, **kwargs: Any
) -> Any:
    """Call a hook of the module and return its result."""
    module = pl_module or trainer.lightning_module
    if watched(trainer) or module is None:
        return _module_hook(trainer, hook_name, *args, pl_module=pl_module, **kwargs)
    function = getattr(module, hook_name)
    if not callable(function):
        return None
    before = _enter(module, hook_name)
    result = function(*args, **kwargs)
    _enter(module, before)
    return result


def call_strategy_hook(trainer: "pl.Trainer", hook_name: str, *args: Any, **kwargs: Any) -> Any:
    """Call a hook of the strategy and return its result."""
    if watched(trainer):
        return _strategy_hook(trainer, hook_name, *args, **kwargs)
    module, function = trainer.lightning_module, getattr(trainer.strategy, hook_name)
    before = _enter(module, hook_name)
    if not callable(function):
        return None
    result = function(*args, **kwargs)
    _enter(module, before)
    return result


def _enter(module: "pl.LightningModule", hook_name: str | None) -> str | None:
    """Tell ``log`` of ``module`` in which hook it is called, and return the hook before.

    Past ``torch.nn.Module.__setattr__``, which first asks whether the name is that of a parameter, a buffer, a module.
    """
    before = module._current_fx_name
    module.__dict__["_current_fx_name"] = hook_name
    return before


def get_instance(selector: _DataHookSelector, hook_name: str) -> "pl.LightningModule | pl.LightningDataModule":
    """Return whose hook of batches is called, the module's or the data module's, found once for a fit."""
    kept: dict[str, pl.LightningModule | pl.LightningDataModule] = selector.__dict__.setdefault("_kept", {})
    if hook_name not in kept:
        kept[hook_name] = _get_instance(selector, hook_name)
    return kept[hook_name]


def on_batch_end(connector: _LoggerConnector) -> None:
    """Collect what was logged in the step; where that is nothing, all is as after the step before.

    ``log`` leaves in ``_current_fx`` the hook in which it was called. Lightning needs the name in the first step and
    at the ends of epochs, and forgets it there itself.
    """
    if connector._first_loop_iter is False and connector._current_fx is None:
        results = connector.trainer._results
        assert results is not None
        results.batch = None
        results.batch_size = None
        return
    _on_batch_end(connector)
    if connector._first_loop_iter is False:
        connector._current_fx = None


def has_parameter(hook_fx: Any, param: str, explicit: bool = False, min_args: int | None = None) -> bool:
    """Say whether a hook takes an argument; the answer for a method is kept."""
    plain = ismethod(hook_fx) and not hasattr(hook_fx, "__wrapped__")
    if not plain:
        return bool(is_param_in_hook_signature(hook_fx, param, explicit, min_args))
    return _method_has_parameter(hook_fx.__func__, param, explicit, min_args)


@lru_cache(maxsize=64)
def _method_has_parameter(function: Any, param: str, explicit: bool, min_args: int | None) -> bool:
    # A function's arguments are those of its method, whose first is left out.
    return bool(is_param_in_hook_signature(function, param, explicit, min_args))


def move(batch: Any, device: Any) -> Any:
    """Return the batch with its tensors on ``device``; a tuple or list of tensors that are there as it is."""
    if type(batch) in (tuple, list) and all(type(part) is Tensor and part.device == device for part in batch):
        return batch
    return move_data_to_device(batch, device)
