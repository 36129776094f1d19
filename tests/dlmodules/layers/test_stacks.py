"""The layers of perceptrons and of stacks of convolutions, and what a family makes of them."""

import pytest
import torch
from torch import nn

from dlmodules import autoencoders, layers, vaes
from dlmodules.layers.conv_coders import ConvStackDecoder, ConvStackEncoder
from dlmodules.layers.conv_stack import convolutions, transposed_convolutions
from dlmodules.layers.mlp import mlp_layers


def kinds(found):
    return [type(layer) for layer in found]


def test_an_mlp_has_an_activation_after_each_linear_layer_and_dropout_where_asked_for():
    assert kinds(mlp_layers([5, 4, 3])) == [nn.Linear, nn.ReLU] * 2
    assert kinds(mlp_layers([5, 4, 3], ["tanh", "linear"], 0.5)) == [
        *(nn.Linear, nn.Tanh, nn.Dropout),
        *(nn.Linear, nn.Identity, nn.Dropout),
    ]
    assert mlp_layers([5]) == []
    assert [tuple(layer.weight.shape) for layer in mlp_layers([5, 4, 3])[::2]] == [(4, 5), (3, 4)]
    with pytest.raises(ValueError, match="zip"):
        mlp_layers([5, 4, 3], ["relu"])


def test_convolutions_lead_from_each_number_of_channels_to_the_next():
    down, up = convolutions(1, (4, 8), (2, 1)), transposed_convolutions((8, 4), (1, 2))
    assert [(layer.in_channels, layer.out_channels, layer.stride) for layer in down] == [(1, 4, (2, 2)), (4, 8, (1, 1))]
    assert [(layer.in_channels, layer.out_channels, layer.stride) for layer in up] == [(8, 8, (1, 1)), (8, 4, (2, 2))]
    x = torch.zeros(2, 1, 8, 8)
    for layer in [*down, *up]:
        x = layer(x)
    assert x.shape == (2, 4, 8, 8)


def test_encoders_and_decoders_of_two_families_are_the_same_stacks_with_other_heads():
    """Names of weights stand in checkpoints: a family's networks keep theirs."""
    of_autoencoder, of_vae = (
        autoencoders.ConvEncoder(strides=(1, 2)),
        vaes.StackEncoder(channels=(32, 64), strides=(1, 2)),
    )
    assert isinstance(of_autoencoder, ConvStackEncoder)
    assert isinstance(of_vae, ConvStackEncoder)
    stack = ["layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias"]
    assert list(of_autoencoder.state_dict()) == [*stack, "to_code.weight", "to_code.bias"]
    assert list(of_vae.state_dict()) == [*stack, "mean.weight", "mean.bias", "log_var.weight", "log_var.bias"]
    decoder = autoencoders.ConvDecoder(
        activation="keras_leaky_relu", latent_dim=2, channels=(64, 64, 32), strides=(1, 2, 2, 1)
    )
    foster = vaes.StackDecoder()
    assert isinstance(decoder, ConvStackDecoder)
    assert isinstance(foster, ConvStackDecoder)
    foster.load_state_dict(decoder.state_dict())
    z = torch.randn(3, 2)
    assert torch.equal(foster(z), decoder(z))


def test_what_moved_out_of_the_layers_is_found_there_and_nothing_else_is():
    from dlmodules.classifiers import Standardize
    from dlmodules.energy.conv_rbm import ConvRBM

    assert layers.Standardize is Standardize
    assert layers.ConvRBM is ConvRBM
    with pytest.raises(AttributeError, match="Nothing"):
        layers.Nothing  # noqa: B018 - asking is the test
