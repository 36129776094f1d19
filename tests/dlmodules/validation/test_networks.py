"""Sizes that do not fit together are named when a module is made, before it trains."""

import pytest
from torch import nn

from dlmodules import CGAN, CVAE, DCGAN, GAN, VAE, WGAN, Autoencoder, ConvDBN, StackedGAN
from dlmodules.autoencoders.networks import ConvDecoder, ConvEncoder
from dlmodules.errors import UserError
from dlmodules.vaes.cvae import ConditionalDecoder
from dlmodules.vaes.networks import MLPDecoder, MLPEncoder
from dlmodules.vaes.stack_networks import StackEncoder
from dlmodules.validation.networks import check_network


@pytest.mark.parametrize("make", [VAE, CVAE, Autoencoder, ConvDBN, StackEncoder])
@pytest.mark.parametrize("shape", [(28, 28), (1, 28, 28, 28), (1, 0, 28), ()])
def test_what_is_no_image_shape_is_refused(make, shape):
    with pytest.raises(UserError, match="it must be channels, height and width, each 1 or more"):
        make(image_shape=shape)


@pytest.mark.parametrize("make", [VAE, Autoencoder, GAN, DCGAN, CGAN, WGAN, StackedGAN])
@pytest.mark.parametrize("size", [0, -1])
def test_a_code_of_no_numbers_is_refused(make, size):
    with pytest.raises(UserError, match=f"latent_dim is {size}; it must be 1 or more"):
        make(latent_dim=size)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: VAE(latent_dim=10, encoder=MLPEncoder(latent_dim=2)), "the encoder was built with latent_dim 2"),
        (lambda: VAE(latent_dim=2, decoder=MLPDecoder(latent_dim=3)), r"set --model.decoder.latent_dim too"),
        (lambda: VAE(encoder=MLPEncoder((1, 8, 8))), r"image_shape is \[1, 28, 28\], but the encoder .* \[1, 8, 8\]"),
        (lambda: CVAE(num_classes=10, decoder=ConditionalDecoder(num_classes=3)), "the decoder .* num_classes 3"),
        (lambda: Autoencoder(latent_dim=16, encoder=ConvEncoder(latent_dim=8)), "the encoder .* latent_dim 8"),
        (lambda: Autoencoder(decoder=ConvDecoder((3, 28, 28))), r"the decoder .* image_shape \[3, 28, 28\]"),
    ],
)
def test_a_network_of_another_size_is_refused(make, words):
    with pytest.raises(UserError, match=words):
        make()


def test_a_network_that_keeps_no_sizes_is_taken_as_it_is():
    check_network(nn.Linear(2, 3), "encoder", latent_dim=5, image_shape=(1, 2, 3))
    network = MLPEncoder((1, 4, 4), 5)
    check_network(network, "encoder", latent_dim=5, image_shape=[1, 4, 4])
