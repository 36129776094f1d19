"""Updates without what Lightning calls around them in vain: the same weights, and whoever wants to be called is."""

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import LambdaCallback
from pytorch_lightning.profilers import SimpleProfiler

from dlmodules.training import manual
from dlmodules.training.direct_updates import HOOKS, updates_directly
from tests.dlmodules.training.test_manual import ActorCritic


def fit(module, batches=3, **arguments):
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(batches * 4, 1)), batch_size=4)
    trainer = pl.Trainer(max_epochs=1, accelerator="cpu", logger=False, **quiet, **arguments)
    trainer.fit(module, data)
    return module


class Asked(ActorCritic):
    """Notes the answer in each step."""

    def on_train_batch_end(self, outputs, batch, batch_idx):
        self.answers = [*getattr(self, "answers", []), updates_directly(self)]


def trained(monkeypatch=None):
    pl.seed_everything(0, verbose=False)
    if monkeypatch is not None:
        monkeypatch.setattr(manual, "updates_directly", lambda module: False)
    return fit(ActorCritic(updates=3, clip_grad_norm=0.1), batches=8)


def test_the_weights_are_those_of_lightnings_own_updates(monkeypatch):
    directly, by_lightning = trained(), trained(monkeypatch)
    assert directly.trainer.global_step == by_lightning.trainer.global_step == 8
    for name, expected in by_lightning.state_dict().items():
        assert torch.equal(directly.state_dict()[name], expected), name


def test_nobody_wants_to_be_called():
    class Idle(pl.Callback):
        def on_train_batch_end(self, *args):
            pass

    assert fit(Asked(), callbacks=[Idle()]).answers == [True] * 3


class Clipper(pl.Callback):
    def __init__(self):
        self.calls = 0

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        self.calls += 1


def test_a_callback_with_a_hook_is_called():
    clipper = Clipper()
    assert fit(Asked(), callbacks=[clipper]).answers == [False] * 3
    assert clipper.calls == 6


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_is_an_attribute_is_called(hook):
    calls = []
    assert fit(Asked(), callbacks=[LambdaCallback(**{hook: lambda *args: calls.append(1)})]).answers == [False] * 3
    assert len(calls) == 6


@pytest.mark.parametrize("hook", [*HOOKS, "backward"])
def test_a_hook_of_the_module_is_called(hook):
    calls = []

    def heard(self, *args, **kwargs):
        calls.append(1)
        if hook == "backward":
            args[0].backward(*args[1:], **kwargs)

    assert fit(type("Hearing", (Asked,), {hook: heard})()).answers == [False] * 3
    assert len(calls) == 6


@pytest.mark.parametrize("arguments", [{"profiler": SimpleProfiler()}, {"precision": "bf16-mixed"}])
def test_a_profiler_and_another_precision_go_through_lightning(arguments):
    assert fit(Asked(), **arguments).answers == [False] * 3


def test_a_callback_that_joins_later_is_called():
    clipper = Clipper()

    class Late(pl.Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if batch_idx == 1:
                trainer.callbacks.append(clipper)

    fit(ActorCritic(), callbacks=[Late()])
    assert clipper.calls == 2


def test_another_module_of_the_same_trainer_is_asked_anew():
    calls = []
    first = fit(Asked())
    heard = type("Hearing", (Asked,), {"on_after_backward": lambda self: calls.append(1)})()
    trainer = first.trainer
    trainer.fit_loop.epoch_progress.reset()
    trainer.fit_loop.max_epochs = 2
    trainer.fit(heard, torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(4, 1)), batch_size=4))
    assert set(heard.answers) == {False}
    assert len(calls) == 2 * len(heard.answers)
