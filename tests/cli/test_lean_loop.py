"""Lightning's loop with less work: every call, every number and every weight is what it was.

It replaces private functions of Lightning. Where one of them moves, or no longer does what its leaner twin does, a test
here fails: compare the two again.
"""

import os
import sys
from contextlib import nullcontext

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.core import hooks
from pytorch_lightning.loops import training_epoch_loop
from pytorch_lightning.profilers import SimpleProfiler
from pytorch_lightning.trainer import call
from pytorch_lightning.trainer.connectors.data_connector import _DataHookSelector
from pytorch_lightning.trainer.connectors.logger_connector.logger_connector import _LoggerConnector
from torch.utils.data import DataLoader

from callbacks.run.loggers import RunCSVLogger
from dlmodules import GAN, MLPClassifier
from dlmodules_cli import lean
from dlmodules_cli.lean import lean_where_known
from dlmodules_cli.lean_loop import has_parameter, lean_loop, move

REPLACED = (
    (call, "_call_callback_hooks"),
    (call, "_call_lightning_module_hook"),
    (call, "_call_strategy_hook"),
    (_DataHookSelector, "get_instance"),
    (_LoggerConnector, "on_batch_end"),
    (training_epoch_loop, "is_param_in_hook_signature"),
    (hooks, "move_data_to_device"),
)
HOOKS = [name for name in dir(pl.Callback) if name.startswith("on_") and "checkpoint" not in name]


class Listener(pl.Callback):
    """Notes each hook with the name under which ``log`` would log in it, and logs in every third step."""

    def __init__(self):
        self.heard = []
        for name in HOOKS:
            setattr(self, name, self.hook(name))

    def hook(self, name):
        def hear(trainer, module, *args, **kwargs):
            self.heard.append((name, module._current_fx_name, len(args) + len(kwargs), trainer.global_step))
            # Not in each step: to read metrics collects them.
            if name in ("on_train_epoch_end", "on_fit_end") or trainer.global_step == 5:
                self.heard.append(dict(trainer.callback_metrics) | {"bar": dict(trainer.progress_bar_metrics)})
            if name == "on_train_batch_end" and trainer.global_step % 3 == 0:
                module.log("train/third", float(trainer.global_step), prog_bar=True)
            if name == "on_train_epoch_end":
                module.log("train/end", float(trainer.global_step))
                module.log("train/end_too", 1.0)

        return hear


class Saver(pl.callbacks.Checkpoint):
    """Notes when it is called among the others: at the end of an epoch, what saves or stops comes last."""

    def __init__(self, heard):
        self.heard = heard

    def on_train_epoch_end(self, trainer, pl_module):
        self.heard.append("saver")


class Logging(MLPClassifier):
    """Logs a mean over the epoch too, and from hooks of the module, and notes in which hook it is after others."""

    def __init__(self):
        super().__init__()
        self.back_in = []

    def optimizer_step(self, *args, **kwargs):
        super().optimizer_step(*args, **kwargs)
        self.back_in.append(self._current_fx_name)

    def backward(self, loss, *args, **kwargs):
        super().backward(loss, *args, **kwargs)
        self.back_in.append(self._current_fx_name)

    def on_train_epoch_end(self):
        self.back_in.append(self._current_fx_name)

    def training_step(self, batch, batch_idx):
        loss = super().training_step(batch, batch_idx)
        self.log("train/mean", loss.detach(), on_step=True, on_epoch=True)
        return loss

    def on_train_batch_start(self, batch, batch_idx):
        if batch_idx % 2 == 1:
            self.log("train/odd", float(batch_idx), prog_bar=True)


def plain(value):
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return value.item() if isinstance(value, torch.Tensor) else value


def batches():
    generator = torch.Generator().manual_seed(0)
    images, labels = torch.rand(7, 4, 1, 28, 28, generator=generator), torch.arange(28).view(7, 4) % 10
    return DataLoader(list(zip(images, labels, strict=True)), batch_size=None)


def fitted(folder, module_class, context, **options):
    """What a listener heard in a fit, what was logged, and the weights."""
    torch.manual_seed(0)
    module, listener = module_class(), Listener()
    saver = Saver(listener.heard)
    trainer = pl.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=RunCSVLogger(folder),
        log_every_n_steps=2,
        callbacks=[saver, listener, pl.callbacks.ModelCheckpoint(folder, save_last=True)],
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
    with context:
        trainer.fit(module, batches(), batches())
    heard = [*map(plain, listener.heard), *getattr(module, "back_in", ()), module._current_fx_name]
    return heard, (folder / "metrics.csv").read_text(), module.state_dict()


@pytest.mark.parametrize(
    ("module_class", "options"),
    [
        (Logging, {}),
        (Logging, {"val_check_interval": 3, "accumulate_grad_batches": 2, "gradient_clip_val": 0.1}),
        (GAN, {}),
    ],
    ids=["automatic", "validation inside an epoch", "manual"],
)
def test_all_is_called_logged_and_trained_as_before(tmp_path, module_class, options):
    heard, logged, weights = fitted(tmp_path / "as_it_is", module_class, nullcontext(), **options)
    lean_heard, lean_logged, lean_weights = fitted(tmp_path / "lean", module_class, lean_loop(), **options)
    assert len(heard) > 100
    assert lean_heard == heard
    assert lean_logged == logged
    assert all(torch.equal(weights[name], weight) for name, weight in lean_weights.items())


def test_it_ends():
    before = [getattr(owner, name) for owner, name in REPLACED]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    with lean_loop():
        assert all(getattr(owner, name) is not old for (owner, name), old in zip(REPLACED, before, strict=True))
    with pytest.raises(KeyError), lean_loop():
        raise KeyError
    assert [getattr(owner, name) for owner, name in REPLACED] == before
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == visible


def test_a_profiler_still_sees_every_call(tmp_path):
    profilers = [SimpleProfiler(), SimpleProfiler()]
    for profiler, context in zip(profilers, (nullcontext(), lean_loop()), strict=True):
        fitted(tmp_path / str(id(profiler)), Logging, context, profiler=profiler)
    counts = [{name: len(times) for name, times in one.recorded_durations.items()} for one in profilers]
    assert "[Callback]Listener.on_train_batch_end" in counts[0]
    assert counts[0] == counts[1]


def test_no_call_is_made_for_a_profiler_that_is_none(tmp_path, monkeypatch):
    from pytorch_lightning.profilers import PassThroughProfiler

    started = []
    monkeypatch.setattr(PassThroughProfiler, "start", lambda self, action: started.append(action))
    fitted(tmp_path, Logging, lean_loop())
    assert [action for action in started if "on_train_batch_end" in action or "Strategy" in action] == []
    fitted(tmp_path / "as_it_is", Logging, nullcontext())
    assert [action for action in started if "Listener.on_train_batch_end" in action]


def test_what_a_step_takes_is_read_once():
    class Few(MLPClassifier):
        def training_step(self, batch):
            return super().training_step(batch, 0)

    class Any(MLPClassifier):
        def training_step(self, *batch):
            return super().training_step(*batch)

    for cls, named, counted in ((MLPClassifier, True, True), (Few, False, False), (Any, True, True)):
        step = cls().training_step
        assert has_parameter(step, "batch_idx") is named
        assert has_parameter(step, "batch_idx", min_args=2) is counted
        assert has_parameter(step, "batch_idx", min_args=2) is counted  # as it was kept


@pytest.mark.parametrize("kind", [tuple, list])
def test_a_batch_that_is_there_is_not_moved(kind):
    batch = kind([torch.zeros(2), torch.ones(2)])
    assert move(batch, torch.device("cpu")) is batch
    moved = move(batch, torch.device("meta"))
    assert type(moved) is kind
    assert [part.device.type for part in moved] == ["meta", "meta"]
    named = move({"x": torch.zeros(2), "y": [torch.ones(2)]}, torch.device("meta"))
    assert (named["x"].device.type, named["y"][0].device.type) == ("meta", "meta")


def test_another_version_of_lightning_keeps_its_own_loop(monkeypatch):
    own = call._call_callback_hooks
    with lean_where_known():
        assert call._call_callback_hooks is not own, "compare lean_loop with this version, then add it to lean.KNOWN"
    monkeypatch.setattr(lean, "version", lambda name: "3.0.0")
    monkeypatch.setitem(sys.modules, "dlmodules_cli.lean_loop", None)  # its imports may fail there
    with lean_where_known():
        assert call._call_callback_hooks is own
