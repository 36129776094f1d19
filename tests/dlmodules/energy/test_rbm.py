"""The restricted Boltzmann machine against sums over all its states, and that it learns."""

import itertools
import math

import pytest
import pytorch_lightning as pl
import torch
from sklearn.linear_model import LogisticRegression

from datamodules import DigitsDataModule
from dlmodules import RBM
from dlmodules.errors import UserError
from dlmodules.layers.rbm import BinaryRBM
from tests.quiet import quiet_trainer


def states(n):
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=n)))


@pytest.fixture
def machine():
    torch.manual_seed(0)
    rbm = BinaryRBM(3, 2)
    for parameter in rbm.parameters():
        torch.nn.init.normal_(parameter)
    return rbm


def energy(rbm, v, h):
    return -h @ rbm.up.weight @ v - v @ rbm.visible_bias - h @ rbm.up.bias


def distribution(rbm):
    """The probabilities of all eight visible states, from the energies of all states."""
    weights = torch.stack([torch.stack([-energy(rbm, v, h) for h in states(2)]).logsumexp(0) for v in states(3)])
    return weights.softmax(0).detach()


def test_parameter_count():
    assert sum(p.numel() for p in RBM().parameters()) == 393_284


def test_the_free_energy_sums_over_the_hidden_units(machine):
    for v in states(3):
        expected = -torch.stack([-energy(machine, v, h) for h in states(2)]).logsumexp(0)
        torch.testing.assert_close(machine.free_energy(v.unsqueeze(0))[0], expected)


def test_the_conditionals_are_those_of_the_energy(machine):
    v, h = torch.tensor([1.0, 0.0, 1.0]), torch.tensor([0.0, 1.0])
    for unit in range(2):
        on, off = h.clone(), h.clone()
        on[unit], off[unit] = 1.0, 0.0
        expected = torch.sigmoid(energy(machine, v, off) - energy(machine, v, on))
        torch.testing.assert_close(machine.features(v.unsqueeze(0))[0, unit], expected)
    for unit in range(3):
        on, off = v.clone(), v.clone()
        on[unit], off[unit] = 1.0, 0.0
        expected = torch.sigmoid(energy(machine, off, h) - energy(machine, on, h))
        torch.testing.assert_close(machine.visible_given(h.unsqueeze(0))[0, unit], expected)


def test_gibbs_sampling_ends_at_the_machines_distribution(machine):
    v, _ = machine.gibbs(torch.zeros(20_000, 3), 50, torch.Generator().manual_seed(0))
    index = (v @ torch.tensor([4.0, 2.0, 1.0])).long()
    found = torch.bincount(index, minlength=8) / len(v)
    assert (found - distribution(machine)).abs().max() < 0.015


def test_the_gradient_of_the_loss_is_that_of_the_likelihood_where_the_samples_are_exact(machine):
    data = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    exact = machine.free_energy(data).mean() - (distribution(machine) * machine.free_energy(states(3))).sum()
    found = torch.autograd.grad(exact, list(machine.parameters()))
    normalizer = (-machine.free_energy(states(3))).logsumexp(0)
    likelihood = (-machine.free_energy(data) - normalizer).mean()
    for mine, wanted in zip(found, torch.autograd.grad(likelihood, list(machine.parameters())), strict=True):
        torch.testing.assert_close(-mine, wanted)


def test_the_pseudo_likelihood_is_the_sum_of_the_pixels_conditionals(machine):
    module = RBM((1, 1, 3), hidden_dim=2)
    module.rbm = machine
    v = torch.tensor([1.0, 0.0, 1.0])
    exact = 0.0
    for pixel in range(3):
        other = v.clone()
        other[pixel] = 1 - other[pixel]
        exact += torch.sigmoid(machine.free_energy(other[None]) - machine.free_energy(v[None])).log().item()
    many = module.pseudo_likelihood(v.view(1, 1, 1, 3).expand(30_000, -1, -1, -1), torch.Generator().manual_seed(0))
    assert many.mean().item() == pytest.approx(exact, abs=0.03)


def test_persistent_chains_go_on_and_are_in_the_checkpoint():
    torch.manual_seed(0)
    module = RBM((1, 4, 4), hidden_dim=3, chains=5)
    before = module.chain.clone()
    module.training_step((torch.rand(2, 1, 4, 4), torch.zeros(2)), 0).backward()
    assert not torch.equal(module.chain, before)
    assert torch.equal(module.state_dict()["chain"], module.chain)
    assert module.rbm.up.weight.grad.abs().sum() > 0
    assert module.sample(7, generator=torch.Generator().manual_seed(0)).shape == (7, 1, 4, 4)


def test_codes_images_and_samples():
    module = RBM((1, 4, 4), hidden_dim=6, sample_steps=3)
    x = torch.rand(3, 1, 4, 4)
    assert module.encode(x).shape == (3, 6)
    assert module.reconstruct(x).shape == x.shape
    first, second = (module.sample(2, generator=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, second)
    with pytest.raises(UserError, match=r"this RBM needs \(n, 6\)"):
        module.decode(torch.zeros(1, 5))
    with pytest.raises(UserError, match="takes no labels"):
        module.sample(1, torch.tensor([1]))
    with pytest.raises(UserError, match=r"needs images in \[0, 1\]"):
        module.training_step((x * 255, torch.zeros(3)), 0)
    with pytest.raises(UserError, match="must be 1 or more"):
        RBM(k=0)


@pytest.mark.learning
@pytest.mark.parametrize("chains", [0, 32])
def test_its_features_tell_digits_apart_and_held_out_digits_become_likely(chains, tmp_path):
    pl.seed_everything(0)
    data = DigitsDataModule(batch_size=32, image_size=8)
    module = RBM((1, 8, 8), hidden_dim=64, chains=chains, optimizer=lambda p: torch.optim.SGD(p, lr=0.2))
    trainer = quiet_trainer(max_epochs=30, default_root_dir=tmp_path)
    trainer.fit(module, data)
    found = trainer.test(module, data, verbose=False)[0]
    assert found["test/pseudo_likelihood"] > 0.6 * 64 * math.log(0.5)  # all pixels at random: 64 log 1/2
    (train, labels), (test, truth) = (
        [torch.cat(part) for part in zip(*loader, strict=True)]
        for loader in (data.train_dataloader(), data.test_dataloader())
    )
    with torch.no_grad():
        reader = LogisticRegression(max_iter=500).fit(module.encode(train).numpy(), labels.numpy())
        assert reader.score(module.encode(test).numpy(), truth.numpy()) > 0.85
