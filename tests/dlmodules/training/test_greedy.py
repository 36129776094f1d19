"""Layers that learn one after the other."""

import pytest
import torch

from dlmodules.errors import UserError
from dlmodules.layers.rbm import BinaryRBM
from dlmodules.training.greedy import GreedyStack, silence, touch


def stack(epochs=2, **more):
    torch.manual_seed(0)
    return GreedyStack([BinaryRBM(6, 4), BinaryRBM(4, 3)], epochs, **more)


def test_each_layer_has_its_epochs():
    assert [stack(2).learning(epoch) for epoch in range(6)] == [0, 0, 1, 1, None, None]
    assert stack(0).learning(0) is None
    with pytest.raises(UserError, match="1 layer or more"):
        GreedyStack([], 1)


def test_features_are_those_of_each_layer_in_turn():
    machines, v = stack(), torch.rand(5, 6)
    below = torch.sigmoid(machines.layers[0].up(v))
    assert torch.equal(machines.features(v, 1), below)
    assert torch.equal(machines(v), torch.sigmoid(machines.layers[1].up(below)))


@pytest.mark.parametrize("index", [0, 1])
def test_only_the_layer_that_learns_moves(index):
    machines = stack()
    optimizer = torch.optim.SGD(machines.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    before = [{k: v.clone() for k, v in layer.state_dict().items()} for layer in machines.layers]
    for step, active in enumerate((1 - index, index, index)):
        if step == 1:  # the other layer has momentum by now
            before = [{k: v.clone() for k, v in layer.state_dict().items()} for layer in machines.layers]
        optimizer.zero_grad()
        (machines.contrastive_divergence(torch.rand(8, 6).round(), active, first=True) + touch(machines)).backward()
        assert all(p.grad is not None for p in machines.parameters())  # as distributed training demands
        silence(machines.parameters(), machines.layers[active].parameters())
        optimizer.step()
    moved = [
        not all(torch.equal(old[name], new) for name, new in layer.state_dict().items())
        for old, layer in zip(before, machines.layers, strict=True)
    ]
    assert moved == [index == 0, index == 1]


def test_a_layer_begins_at_the_log_odds_of_its_first_batch_once():
    machine = BinaryRBM(3, 2)
    machine.initialize_biases(torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))
    expected = torch.tensor([0.99, 0.25, 0.25]).logit()
    torch.testing.assert_close(machine.visible_bias.data, expected)
    machine.initialize_biases(torch.full((2, 3), 0.5))
    torch.testing.assert_close(machine.visible_bias.data, expected)


def test_persistent_chains_belong_to_a_layer_and_to_the_checkpoint():
    machines = stack(chains=[torch.zeros(7, 6), torch.zeros(7, 4)])
    assert {"chain_0", "chain_1"} <= machines.state_dict().keys()
    machines.contrastive_divergence(torch.rand(8, 6).round(), 1)
    assert not machines.chain_0.any()
    assert machines.chain_1.any()
    assert stack().chain(0) is None
