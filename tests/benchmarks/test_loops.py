"""A hand-written loop must do what the module does: a faster loop that does less would be no measure."""

from types import SimpleNamespace

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from benchmarks.instruments.loops import hand_written_epoch
from benchmarks.instruments.text_loops import CLIP
from datamodules import CorpusDataModule
from dlmodules import DCGAN, VAE, MLPClassifier, RecurrentLanguageModel
from dlmodules.training.parameter_groups import decayed_groups
from tests.quiet import quiet_trainer

N = 8


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (N, 1, 28, 28), generator=generator, dtype=torch.uint8)
    labels = torch.arange(N)
    train_set = SimpleNamespace(images=images, labels=labels, indices=None)
    return SimpleNamespace(train_set=train_set, batch_size=N, drop_last=True)


def batch_in_the_loops_order(data):
    """Seed as the loop is seeded below, and draw its permutation."""
    torch.manual_seed(1)
    rows = torch.randperm(N)
    return data.train_set.images[rows].float() / 255, data.train_set.labels[rows]


def train_by_module(module, data):
    class Seed(pl.Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            batch_in_the_loops_order(data)

    trainer = quiet_trainer(max_steps=1, callbacks=[Seed()])
    trainer.fit(module, torch.utils.data.DataLoader([batch_in_the_loops_order(data)], batch_size=None))


def recorded(optimizers):
    """Wrap optimizer factories so that the parameters that they were given can be looked at."""
    given = []

    def wrap(factory):
        def make(parameters):
            parameters = list(parameters)
            given.append(parameters)
            return factory(parameters)

        return make

    return given, [wrap(factory) for factory in optimizers]


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (MLPClassifier, ("optimizer",)),
        (VAE, ("optimizer",)),
        (lambda: DCGAN(width=0.1), ("optimizer_d", "optimizer_g")),
    ],
)
def test_one_batch_of_the_loop_leaves_the_weights_of_one_training_step(make, names, data):
    torch.manual_seed(0)
    module = make()
    given, wrapped = recorded([getattr(module, name) for name in names])
    originals = [getattr(module, name) for name in names]
    for name, factory in zip(names, wrapped, strict=True):
        setattr(module, name, factory)
    epoch = hand_written_epoch(module, data)
    before = [[weight.clone() for weight in weights] for weights in given]
    torch.manual_seed(1)
    epoch()
    for name, factory in zip(names, originals, strict=True):
        setattr(module, name, factory)
    train_by_module(module, data)
    if names == ("optimizer",):
        expected = [list(module.parameters())]
    else:
        expected = [list(module.discriminator.parameters()), list(module.generator.parameters())]
    for old, looped, trained in zip(before, given, expected, strict=True):
        assert len(looped) == len(trained)
        assert any(not torch.equal(a, b) for a, b in zip(old, looped, strict=True))
        for mine, theirs in zip(looped, trained, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=2e-6)


def test_the_loop_trains_a_copy(data):
    module = VAE()
    before = {name: weight.clone() for name, weight in module.state_dict().items()}
    hand_written_epoch(module, data)()
    assert all(torch.equal(before[name], weight) for name, weight in module.state_dict().items())


@pytest.mark.parametrize(("drop_last", "limit", "steps"), [(False, None, 3), (True, None, 2), (True, 1, 1)])
def test_batches_of_an_epoch(data, drop_last, limit, steps, monkeypatch):
    data.batch_size, data.drop_last = 3, drop_last
    module = DCGAN(width=0.1)
    count = []
    epoch = hand_written_epoch(module, data, limit)
    original = torch.optim.RMSprop.step

    def step(self, *args, **kwargs):
        count.append(1)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.RMSprop, "step", step)
    epoch()
    assert len(count) == 2 * steps


@pytest.mark.parametrize("carry_state", [True, False])
def test_the_loop_of_a_language_model_leaves_the_weights_of_its_training(carry_state, tmp_path):
    torch.manual_seed(0)
    data = CorpusDataModule(batch_size=4, context=8, val_size=0, cache_dir=str(tmp_path))
    data.setup("fit")
    module = RecurrentLanguageModel(
        vocabulary_size=100, hidden_dim=16, carry_state=carry_state, optimizer=lambda p: torch.optim.SGD(p, lr=0.5)
    )
    given, (wrapped,) = recorded([module.optimizer])
    original, module.optimizer = module.optimizer, wrapped
    epoch = hand_written_epoch(module, data, 3)
    module.optimizer = original
    torch.manual_seed(1)
    epoch()

    torch.manual_seed(1)
    tokens = torch.from_numpy(np.asarray(data.train_set.tokens).astype(np.int64))
    lane = (len(tokens) - 1) // 4
    batches = []
    for step in range(3):
        starts = torch.arange(4) * lane + step * 8 if carry_state else torch.randint(len(tokens) - 8, (4,))
        window = tokens[starts[:, None] + torch.arange(9)]
        batches.append((window[:, :-1], window[:, 1:]))
    trainer = quiet_trainer(max_steps=3, gradient_clip_val=CLIP)
    trainer.fit(module, torch.utils.data.DataLoader(batches, batch_size=None))
    looped = [weight for group in given[0] for weight in group["params"]]
    trained = [weight for group in decayed_groups(module) for weight in group["params"]]
    assert len(looped) == len(trained)
    for mine, theirs in zip(looped, trained, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=2e-6)
