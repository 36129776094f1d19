"""A checkpoint rebuilds its module, without the command line and without unpickling."""

import warnings
from functools import partial
from typing import ClassVar

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader

import dlmodules
from dlmodules.checkpoints.loading import load_module
from dlmodules.errors import UserError
from dlmodules.vaes.networks import MLPDecoder, MLPEncoder


class SmallEncoder(nn.Module):
    """Keeps its arguments."""

    def __init__(self, latent_dim=2, width=3):
        super().__init__()
        self.latent_dim, self.width = latent_dim, width
        self.layers = nn.Linear(784, width)
        self.heads = nn.ModuleList(nn.Linear(width, latent_dim) for _ in range(2))

    def forward(self, x):
        h = self.layers(x.flatten(1))
        return self.heads[0](h), self.heads[1](h)


class ForgetfulEncoder(SmallEncoder):
    """Does not keep its argument."""

    def __init__(self, units):
        super().__init__(width=units)


class OwnVAE(dlmodules.VAE):
    """A user's subclass with an argument of its own."""

    def __init__(self, strength=1.0, encoder=None):
        super().__init__(encoder=encoder, decoder=MLPDecoder(hidden_dim=5), optimizer=partial(torch.optim.SGD, lr=0.5))
        self.strength = strength


def through_a_file(module, path, **kwargs):
    trainer = pl.Trainer(logger=False, accelerator="cpu", enable_progress_bar=False, enable_model_summary=False)
    trainer.strategy.connect(module)
    trainer.save_checkpoint(path)
    torch.load(path, weights_only=True)
    return type(module).load_from_checkpoint(path, weights_only=True, **kwargs)


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize(
    "build",
    [
        lambda: dlmodules.MLPClassifier(hidden_dims=[5], dropout=0.1),
        lambda: dlmodules.MLPClassifier(scheduler=partial(torch.optim.lr_scheduler.StepLR, step_size=3)),
        lambda: dlmodules.VAE(latent_dim=3),
        lambda: dlmodules.VAE(encoder=MLPEncoder(hidden_dim=7), decoder=MLPDecoder(hidden_dim=7)),
        lambda: dlmodules.VAE(encoder=SmallEncoder(width=4)),
        lambda: OwnVAE(strength=2.0, encoder=SmallEncoder()),
        lambda: dlmodules.DCGAN(width=0.05, optimizer_d=partial(torch.optim.Adam, betas=(0.5, 0.9))),
    ],
)
def test_checkpoint_rebuilds_the_module(tmp_path, build):
    module = build()
    loaded = through_a_file(module, tmp_path / "m.ckpt")
    assert type(loaded) is type(module)
    assert equal(module.state_dict(), loaded.state_dict())
    ours, theirs = module.configure_optimizers(), loaded.configure_optimizers()
    if isinstance(ours, dict):
        schedules = [found["lr_scheduler"]["scheduler"] for found in (ours, theirs)]
        assert [type(schedule) for schedule in schedules] == [torch.optim.lr_scheduler.StepLR] * 2
        assert [schedule.step_size for schedule in schedules] == [3, 3]
        ours, theirs = ours["optimizer"], theirs["optimizer"]
    for a, b in zip(*[o if isinstance(o, list) else [o] for o in (ours, theirs)], strict=True):
        assert type(a) is type(b)
        assert a.defaults == b.defaults


def test_own_arguments_come_back(tmp_path):
    assert through_a_file(OwnVAE(strength=2.5), tmp_path / "m.ckpt").strength == 2.5


def test_a_network_that_cannot_be_rebuilt_is_named_and_can_be_passed(tmp_path):
    with pytest.warns(UserWarning, match=r"VAE.encoder .* pass it to load_from_checkpoint\(path, encoder=...\)"):
        module = dlmodules.VAE(encoder=ForgetfulEncoder(6))
    loaded = through_a_file(module, tmp_path / "m.ckpt", encoder=ForgetfulEncoder(6))
    assert equal(module.state_dict(), loaded.state_dict())


def test_the_random_state_is_untouched():
    torch.manual_seed(0)
    encoder = SmallEncoder(width=4)
    decoder = MLPDecoder()
    before = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dlmodules.VAE(encoder=encoder, decoder=decoder)
    assert torch.equal(before, torch.get_rng_state())


class KeywordVAE(dlmodules.VAE):
    """A user's subclass that hands on what it does not know."""

    def __init__(self, strength=1.0, **kwargs):
        super().__init__(likelihood="gaussian", **kwargs)
        self.strength = strength


class KeywordGrandchild(KeywordVAE):
    """Two constructors that hand on."""

    def __init__(self, bonus=0, **kwargs):
        super().__init__(**kwargs)
        self.bonus = bonus


class MergingVAE(dlmodules.VAE):
    """Its code does not show what it hands on."""

    def __init__(self, **kwargs):
        merged = dict(kwargs, nll_samples=0)
        super().__init__(**merged)


@pytest.mark.parametrize("cls", [KeywordVAE, KeywordGrandchild])
def test_arguments_that_are_handed_on_by_kwargs_are_kept(cls, tmp_path):
    module = cls(latent_dim=3, beta=4.0, encoder=MLPEncoder(latent_dim=3), strength=2.0)
    loaded = through_a_file(module, tmp_path / "own.ckpt")
    assert (loaded.beta, loaded.latent_dim, loaded.strength) == (4.0, 3, 2.0)
    assert type(loaded.encoder) is MLPEncoder
    assert "likelihood" not in loaded.hparams  # its own constructor gives it
    assert loaded.hparams["nll_samples"] == 0  # a default too: a later version may have another


def test_arguments_that_cannot_be_kept_are_named():
    with pytest.warns(UserWarning, match="MergingVAE does not plainly hand on beta, latent_dim"):
        MergingVAE(latent_dim=3, beta=4.0)


class CountedDecoder(MLPDecoder):
    """Notes where each of its kind, and each copy, keeps its weights."""

    built: ClassVar[list[str]] = []

    def __init__(self, hidden_dim=5):
        super().__init__(hidden_dim=hidden_dim)
        self.hidden_dim = hidden_dim
        self.built.append(torch.empty(1).device.type)

    def __deepcopy__(self, memo):
        self.built.append("copy")
        return self


class ReadingDecoder(CountedDecoder):
    """Reads a value of a tensor in its constructor, which a tensor without memory does not have."""

    def __init__(self, hidden_dim=5):
        super().__init__(hidden_dim=int(torch.tensor(hidden_dim)))


def test_a_network_object_takes_its_memory_once(monkeypatch):
    monkeypatch.setattr(CountedDecoder, "built", [])
    decoder = CountedDecoder()
    module = dlmodules.VAE(decoder=decoder, encoder=MLPEncoder(hidden_dim=7))
    assert CountedDecoder.built == ["cpu", "meta"]
    assert module.decoder is decoder
    assert module.hparams["decoder"]["class_path"].endswith("CountedDecoder")


def test_a_network_that_reads_its_tensors_is_still_portable(monkeypatch):
    monkeypatch.setattr(CountedDecoder, "built", [])
    module = dlmodules.VAE(decoder=ReadingDecoder(6))
    assert CountedDecoder.built == ["cpu", "cpu"]
    assert module.hparams["decoder"]["init_args"] == {"hidden_dim": 6}


class Wrapped(nn.Module):
    """A network around a network that it keeps."""

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, z):
        return self.inner(z)


def test_a_network_around_another_one_is_portable(tmp_path):
    module = dlmodules.VAE(decoder=Wrapped(MLPDecoder(hidden_dim=6)))
    loaded = through_a_file(module, tmp_path / "m.ckpt")
    assert equal(module.state_dict(), loaded.state_dict())


def test_a_module_in_a_module_is_portable_where_it_is_itself(tmp_path):
    module = dlmodules.ADDA(dlmodules.CNNClassifier((1, 16, 16), 3, filters=(4,)), (1, 16, 16))
    loaded = through_a_file(module, tmp_path / "m.ckpt")
    assert equal(module.state_dict(), loaded.state_dict())
    with pytest.warns(UserWarning, match="ADDA.classifier"), pytest.warns(UserWarning, match="CNNClassifier.network"):
        dlmodules.ADDA(dlmodules.CNNClassifier(network=Unkept(8)), (1, 28, 28))


class Unkept(nn.Module):
    """A network that does not keep its argument."""

    def __init__(self, size):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(784, size), nn.Linear(size, 10))

    def forward(self, x):
        return self.layers(x)


def test_a_checkpoint_with_an_own_network_says_what_to_pass(tmp_path):
    path, needed = tmp_path / "m.ckpt", r"a network of your own as network, .* pass network=\.\.\. to CNNClassifier"
    with pytest.warns(UserWarning, match="network"):
        module = dlmodules.CNNClassifier(network=Unkept(8))
    with pytest.raises(UserError, match=needed):
        through_a_file(module, path)
    with pytest.raises(UserError, match=needed):
        load_module(path)
    with pytest.raises(UserError, match=needed):
        pl.Trainer(logger=False, accelerator="cpu", enable_progress_bar=False).test(
            dlmodules.CNNClassifier(),
            DataLoader([(torch.rand(1, 28, 28), 0)] * 2, batch_size=2),
            ckpt_path=path,
            verbose=False,
        )
    with pytest.warns(UserWarning, match="network"):
        again = dlmodules.CNNClassifier.load_from_checkpoint(path, network=Unkept(8), weights_only=True)
    assert equal(again.state_dict(), module.state_dict())
