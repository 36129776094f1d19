"""The convolutional machine against sums over all states of a small one."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from dlmodules.energy.conv_rbm import ConvRBM
from dlmodules.errors import UserError


@pytest.fixture
def machine():
    torch.manual_seed(0)
    rbm = ConvRBM(1, 1, kernel_size=2, pool=2)  # 3x3 visible units, one block of 2x2 hidden ones
    for parameter in rbm.parameters():
        torch.nn.init.normal_(parameter)
    return rbm


# None of the block's four units on, or one.
BLOCKS = [torch.zeros(1, 1, 2, 2), *(F.one_hot(torch.tensor(i), 4).float().view(1, 1, 2, 2) for i in range(4))]


def energy(rbm, v, h):
    inputs = (
        torch.stack([(rbm.up.weight[0, 0] * v[0, 0, i : i + 2, j : j + 2]).sum() for i in range(2) for j in range(2)])
        + rbm.up.bias
    )
    return -(h.flatten() * inputs).sum() - (v * rbm.visible_bias).sum()


def some_visible():
    return (torch.rand(1, 1, 3, 3, generator=torch.Generator().manual_seed(1)) > 0.5).float()


def test_the_free_energy_sums_over_the_states_of_a_block(machine):
    v = some_visible()
    expected = -torch.stack([-energy(machine, v, h) for h in BLOCKS]).logsumexp(0)
    torch.testing.assert_close(machine.free_energy(v)[0], expected)


def test_hidden_units_of_a_block_exclude_each_other(machine):
    v = some_visible()
    states = torch.stack([-energy(machine, v, h) for h in BLOCKS]).softmax(0)
    torch.testing.assert_close(machine.hidden_given(v).flatten(), states[1:])
    torch.testing.assert_close(machine.features(v).flatten(), 1 - states[:1])
    drawn = machine.sample_hidden(v.expand(20_000, -1, -1, -1), torch.Generator().manual_seed(0)).flatten(1)
    assert drawn.sum(dim=1).max() == 1
    assert (drawn.mean(dim=0) - states[1:]).abs().max() < 0.015


def test_visible_units_given_hidden_ones(machine):
    h, v = BLOCKS[3], some_visible()
    found = machine.visible_given(h)
    for row, column in itertools.product(range(3), range(3)):
        on, off = v.clone(), v.clone()
        on[0, 0, row, column], off[0, 0, row, column] = 1.0, 0.0
        expected = torch.sigmoid(energy(machine, off, h) - energy(machine, on, h))
        torch.testing.assert_close(found[0, 0, row, column], expected)


def test_blocks_and_maps_are_inverse():
    rbm = ConvRBM(1, 2, 3, 2)
    maps = torch.arange(2 * 2 * 4 * 6.0).view(2, 2, 4, 6)
    blocks = rbm._blocks(maps)
    assert blocks[0, 0, 0, 0].tolist() == [0, 1, 6, 7]
    assert torch.equal(rbm._maps(blocks), maps)


def test_gaussian_units(machine):
    machine.gaussian = True
    v, h = some_visible() * 2 - 0.3, BLOCKS[2]
    # The mean of p(v | h) is where the energy is least, and its second derivative there is 1.
    mean = machine.visible_given(h).detach().requires_grad_()
    total = energy(machine, mean, h) + mean.square().sum() / 2
    torch.testing.assert_close(torch.autograd.grad(total, mean)[0], torch.zeros_like(mean), atol=1e-5, rtol=0)
    plain = -torch.stack([-energy(machine, v, h) for h in BLOCKS]).logsumexp(0)
    torch.testing.assert_close(machine.free_energy(v)[0], plain + v.square().sum() / 2)
    drawn = machine.sample_visible(torch.full((50_000,), 3.0), torch.Generator().manual_seed(0))
    assert abs(drawn.mean() - 3) < 0.02
    assert abs(drawn.std() - 1) < 0.02


def test_unpooling_puts_a_unit_where_it_was(machine):
    v = some_visible()
    put = machine.unpool(torch.ones(1, 1, 1, 1), v).flatten()
    given = machine.hidden_given(v).flatten()
    torch.testing.assert_close(put, given / given.sum())


def test_sparsity_moves_only_the_hidden_biases():
    torch.manual_seed(0)
    v = torch.rand(5, 1, 6, 6).round()
    machines = [ConvRBM(1, 3, 3, 2, sparsity=None), ConvRBM(1, 3, 3, 2, sparsity=0.2, sparsity_cost=100.0)]
    machines[1].load_state_dict(machines[0].state_dict())
    grads = []
    for rbm in machines:
        torch.manual_seed(1)  # the same samples
        rbm.contrastive_divergence(v, k=1).backward()
        grads.append({name: parameter.grad for name, parameter in rbm.named_parameters()})
    assert torch.equal(grads[0]["up.weight"], grads[1]["up.weight"])
    assert torch.equal(grads[0]["visible_bias"], grads[1]["visible_bias"])
    assert (grads[1]["up.bias"] > grads[0]["up.bias"]).all()  # 0.8 of the pooling units are on, 0.2 should be


def test_a_sparse_machine_starts_sparse():
    rbm = ConvRBM(1, 3, 3, 2, sparsity=0.05)
    torch.nn.init.zeros_(rbm.up.weight)
    torch.testing.assert_close(rbm.features(torch.rand(1, 1, 6, 6)), torch.full((1, 3, 2, 2), 0.05))
    with pytest.raises(UserError, match="between 0 and 1"):
        ConvRBM(1, 3, 3, 2, sparsity=1.0)
    with pytest.raises(UserError, match="binary or gaussian"):
        ConvRBM(1, 3, 3, 2, visible="grey")
