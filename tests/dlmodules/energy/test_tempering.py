"""Sampling of machines with two modes whose probabilities are found by enumeration."""

import itertools

import pytest
import torch

from dlmodules import DBN, RBM
from dlmodules.energy.tempering import tempered_gibbs
from dlmodules.errors import UserError
from dlmodules.layers.rbm import BinaryRBM

VISIBLE = 8


def two_modes():
    """A machine whose visible units are all on or all off: one hidden unit, which wants them so."""
    machine = BinaryRBM(VISIBLE, 1)
    with torch.no_grad():
        machine.up.weight.fill_(8.0)
        machine.up.bias.fill_(-4.0 * VISIBLE + 0.5)
        machine.visible_bias.fill_(-4.0)
    return machine


def probability_on(machine):
    """The probability that more than half of the visible units are on."""
    states = torch.tensor(list(itertools.product((0.0, 1.0), repeat=VISIBLE)))
    with torch.no_grad():
        probabilities = torch.softmax(-machine.free_energy(states).double(), dim=0)
    return float(probabilities[states.mean(dim=1) > 0.5].sum())


def test_a_gibbs_chain_never_leaves_its_mode_and_a_tempered_one_does():
    machine, start = two_modes(), torch.zeros(500, VISIBLE)
    exact = probability_on(machine)
    assert 0.55 < exact < 0.7
    stuck, _ = machine.gibbs(start, 300, torch.Generator().manual_seed(0))
    assert (stuck.mean(dim=1) > 0.5).float().mean() < 0.05
    for mode in (0.0, 1.0):
        v, means = tempered_gibbs(machine, start + mode, 300, 6, torch.Generator().manual_seed(0))
        assert v.shape == means.shape == start.shape
        found = (v.mean(dim=1) > 0.5).float().mean()
        assert found == pytest.approx(exact, abs=0.07)  # three standard deviations of 500 chains


def test_every_state_has_its_exact_probability():
    torch.manual_seed(0)
    machine = BinaryRBM(3, 2)
    torch.nn.init.normal_(machine.up.weight, std=2.0)
    torch.nn.init.normal_(machine.up.bias)
    torch.nn.init.normal_(machine.visible_bias)
    states = torch.tensor(list(itertools.product((0.0, 1.0), repeat=3)))
    exact = torch.softmax(-machine.free_energy(states), dim=0)
    v, _ = tempered_gibbs(machine, torch.zeros(20_000, 3), 30, 4, torch.Generator().manual_seed(0))
    counts = torch.bincount((v @ torch.tensor([4.0, 2.0, 1.0])).long(), minlength=8)
    torch.testing.assert_close(counts / len(v), exact, atol=0.015, rtol=0)


@pytest.mark.parametrize(
    "make",
    [
        lambda temperatures: RBM((1, 4, 2), hidden_dim=1, sample_steps=300, temperatures=temperatures),
        lambda temperatures: DBN((1, 4, 2), (VISIBLE, 1), sample_steps=300, temperatures=temperatures),
    ],
)
def test_the_modules_sample_by_it(make):
    """The persistent chain, where all of them start, is in one mode."""

    def fraction_on(module):
        top = module.machines[-1] if isinstance(module, DBN) else module.rbm
        top.load_state_dict(two_modes().state_dict())
        top.initial_states = lambda n, kept, generator: torch.zeros(n, VISIBLE)
        if isinstance(module, DBN):  # the lower machine hands on what it is given
            lower = module.machines[0]
            with torch.no_grad():
                lower.up.weight.copy_(40 * torch.eye(VISIBLE))
                lower.visible_bias.fill_(-20.0)
        images = module.sample(400, generator=torch.Generator().manual_seed(0))
        return float((images.flatten(1).mean(dim=1) > 0.5).float().mean())

    assert fraction_on(make(1)) < 0.05
    assert fraction_on(make(6)) == pytest.approx(probability_on(two_modes()), abs=0.08)


def test_one_temperature_is_plain_gibbs_sampling():
    machine, v = BinaryRBM(5, 4), torch.zeros(3, 5)
    plain = machine.gibbs(v, 4, torch.Generator().manual_seed(0))
    one = tempered_gibbs(machine, v, 4, 1, torch.Generator().manual_seed(0))
    assert all(torch.equal(a, b) for a, b in zip(plain, one, strict=True))


@pytest.mark.parametrize("system", [RBM, DBN])
def test_no_temperature_is_refused(system):
    with pytest.raises(UserError, match="temperatures"):
        system(temperatures=0)
