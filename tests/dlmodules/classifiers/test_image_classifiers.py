"""The image classifiers: the published parameter counts, and what sets each network apart."""

import pytest
import torch
from torch import nn

from dlmodules import (
    CapsNetClassifier,
    CNNClassifier,
    MLPClassifier,
    ResNetClassifier,
    RNNClassifier,
    YNetworkClassifier,
)
from dlmodules.classifiers.cnn_networks import ELUCNN, PooledCNN, StridedCNN, StridedLinearCNN
from dlmodules.classifiers.densenet import DenseNet
from dlmodules.classifiers.resnet import PreactivationBottleneck, ResNet
from dlmodules.errors import UserError


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def with_statistics(module: nn.Module) -> int:
    """As Keras counts: batch normalization's running mean and variance are parameters too."""
    return parameters(module) + sum(t.numel() for name, t in module.named_buffers() if "running" in name)


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (CNNClassifier, 80_266),
        (PooledCNN, 305_194),
        (ELUCNN, 293_034),
        (lambda: ELUCNN(companion=True), 309_290 - 896),
        (StridedLinearCNN, 15_120),
        (StridedCNN, 592_554 - 640),
        (YNetworkClassifier, 208_394),
        (RNNClassifier, 75_530 + 256),  # torch's second bias
        (lambda: RNNClassifier(hidden_dim=512), 282_122 + 512),
        (CapsNetClassifier, 8_215_568),
        (lambda: MLPClassifier(hidden_dims=[100]), 79_510),
        (lambda: MLPClassifier((3, 32, 32), hidden_dims=[1024, 512, 512]), 3_939_338),
        (lambda: MLPClassifier((3, 32, 32), hidden_dims=[200, 150]), 646_260),
    ],
)
def test_parameter_counts_are_the_books(make, count):
    assert parameters(make()) == count


@pytest.mark.parametrize(
    ("version", "depth", "count"),
    [
        *[(1, 20, 274_442), (1, 32, 470_218), (1, 44, 665_994), (1, 56, 861_770), (1, 110, 1_742_762)],
        *[(2, 20, 574_090), (2, 29, 849_002), (2, 56, 1_673_738), (2, 110, 3_323_210)],
    ],
)
def test_resnets_have_the_specs_parameters(version, depth, count):
    with torch.device("meta"):
        assert with_statistics(ResNet(depth=depth, version=version)) == count


def test_densenet_bc_100_has_the_specs_parameters():
    with torch.device("meta"):
        network = DenseNet()
    assert with_statistics(network) == 797_788
    assert parameters(network) == 774_376


@pytest.mark.parametrize(("version", "depth"), [(1, 21), (1, 2), (2, 21)])
def test_a_depth_that_no_resnet_has_is_refused(version, depth):
    with pytest.raises(UserError, match=r"n \+ 2"):
        ResNetClassifier(depth=depth, version=version)


def test_a_bottleneck_adds_its_own_untouched_input():
    block = PreactivationBottleneck(8, 4, 8, stride=1, first=False).eval()
    nn.init.zeros_(block.conv3.weight)
    nn.init.zeros_(block.conv3.bias)
    x = torch.randn(2, 8, 5, 5)
    torch.testing.assert_close(block(x), x)
    # The middle convolution is on the main path: the book's listing leaves it out.
    nn.init.ones_(block.conv3.weight)
    before = block(x)
    nn.init.zeros_(block.conv2.weight)
    assert not torch.equal(block(x), before)


def test_a_dense_layer_keeps_what_it_was_given():
    layer = DenseNet(depth=10, growth_rate=4).layers[0].eval()
    x = torch.randn(2, 11, 6, 6)
    y = layer(x)
    assert y.shape == (2, 15, 6, 6)
    assert torch.equal(y[:, :11], x)


def test_the_dilated_branch_sees_further():
    module = YNetworkClassifier(filters=(2,)).eval()
    x = torch.zeros(1, 1, 28, 28, requires_grad=True)
    for name, reach in (("plain", 1), ("dilated", 2)):
        convolution = getattr(module.network, name)[0]
        convolution(x)[0, 0, 14, 14].backward()
        rows = x.grad[0, 0].abs().sum(1).nonzero().flatten()
        assert (rows - 14).abs().max() == reach
        x.grad = None


def test_the_rnn_reads_rows_from_top_to_bottom():
    module = RNNClassifier(dropout=0.0)
    layer = module.network.recurrent
    x = torch.rand(1, 1, 28, 28)
    h = torch.zeros(256)
    for row in x[0, 0]:
        h = torch.tanh(layer.weight_ih_l0 @ row + layer.bias_ih_l0 + layer.weight_hh_l0 @ h + layer.bias_hh_l0)
    torch.testing.assert_close(module(x)[0], module.network.head(h))


def test_the_rnns_dropout_hits_whole_columns_in_training_only():
    module = RNNClassifier(dropout=0.5)
    seen = []
    module.network.recurrent.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    x = torch.ones(4, 1, 28, 28)
    module(x)
    assert torch.equal(seen[0], seen[0][:, :1].expand_as(seen[0]))
    assert set(seen[0].unique().tolist()) == {0.0, 2.0}
    module.eval()
    module(x)
    assert torch.equal(seen[1], torch.ones(4, 28, 28))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_two_layers_in_two_directions_give_both_last_states(cell):
    module = RNNClassifier(cell=cell, num_layers=2, bidirectional=True, hidden_dim=8).eval()
    x = torch.rand(3, 1, 28, 28)
    outputs, _ = module.network.recurrent(x.squeeze(1))
    expected = torch.cat([outputs[:, -1, :8], outputs[:, 0, 8:]], dim=1)
    torch.testing.assert_close(module.features(x), expected)


def test_an_lstm_begins_by_remembering():
    layer = RNNClassifier(cell="lstm", hidden_dim=8).network.recurrent
    assert (layer.bias_ih_l0 + layer.bias_hh_l0).tolist() == [0.0] * 8 + [1.0] * 8 + [0.0] * 16
    recurrent = layer.weight_hh_l0
    torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(8))


@pytest.mark.parametrize(
    "make",
    [
        lambda: CNNClassifier((1, 8, 8)),
        lambda: CNNClassifier((1, 4, 4), network=PooledCNN((1, 4, 4))),
        lambda: CNNClassifier((3, 10, 10), network=ELUCNN((3, 10, 10))),
        lambda: YNetworkClassifier((1, 7, 7)),
        lambda: CapsNetClassifier((1, 12, 12)),
    ],
)
def test_images_that_are_too_small_are_refused(make):
    with pytest.raises(UserError, match=r"\d+x\d+"):
        make()


def test_one_activation_for_each_layer_or_one_for_all():
    assert [type(m) for m in MLPClassifier(hidden_dims=[3, 4], activation=["tanh", "sigmoid"]).network.hidden][
        2::3
    ] == [
        nn.Tanh,
        nn.Sigmoid,
    ]
    with pytest.raises(UserError, match="2 activations for 1"):
        MLPClassifier(hidden_dims=[3], activation=["tanh", "relu"])
    with pytest.raises(UserError, match="'swish' is unknown; choose one of relu"):
        MLPClassifier(activation="swish")
