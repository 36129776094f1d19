"""What would train wrongly without a word is named at the first batch."""

import warnings

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from dlmodules import DCGAN, GAN, VAE, Autoencoder, StateAutoencoder
from dlmodules.classifiers.classifier import Classifier
from dlmodules.errors import UserError
from dlmodules.vaes.networks import ConvDecoder
from tests.quiet import quiet_trainer

SHAPE = (1, 8, 8)


class Squashed(nn.Module):
    """A network whose last layer is followed by an activation."""

    def __init__(self, network, activation):
        super().__init__()
        self.network, self.activation = network, activation

    def forward(self, *args):
        return self.activation(self.network(*args))


def fit(tmp_path, module, x, y=None, steps=2):
    """Return what a training on one batch warns of, in the words of this package."""
    batch = (x, torch.arange(len(x)) % 3 if y is None else y)
    trainer = quiet_trainer(max_steps=steps, default_root_dir=tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trainer.fit(module, DataLoader([batch] * steps, batch_size=None))
    words = ("logits of the decoder", "output_range", "the images of")
    return [str(one.message) for one in caught if any(part in str(one.message) for part in words)]


def images(n=6):
    torch.manual_seed(0)
    return torch.rand(n, *SHAPE)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_a_vaes_decoder_that_ends_in_a_sigmoid_is_named_once(tmp_path, likelihood):
    decoder = Squashed(ConvDecoder(SHAPE, 2), nn.Sigmoid())
    (told,) = fit(tmp_path, VAE(SHAPE, decoder=decoder, likelihood=likelihood), images())
    assert told.startswith("all logits of the decoder of VAE lie in [")
    assert told.endswith("VAE applies the sigmoid itself: leave the last activation out")
    assert fit(tmp_path, VAE(SHAPE, likelihood=likelihood), images()) == []


def test_an_autoencoders_too_but_not_where_it_decodes_numbers(tmp_path):
    decoder = Squashed(Autoencoder(SHAPE).decoder, nn.Sigmoid())
    assert len(fit(tmp_path, Autoencoder(SHAPE, decoder=decoder), images())) == 1
    assert fit(tmp_path, Autoencoder(SHAPE), images()) == []
    states = StateAutoencoder((3,), latent_dim=2, decoder=Squashed(nn.Linear(2, 3), nn.Sigmoid()))
    assert fit(tmp_path, states, torch.rand(6, 3)) == []


def test_a_generator_in_another_range_than_it_says_is_named(tmp_path):
    def generator():
        return Squashed(nn.Sequential(nn.Linear(4, 64), nn.Unflatten(1, SHAPE)), nn.Tanh())

    (told,) = fit(tmp_path, GAN(SHAPE, 4, generator=generator()), images())
    assert "but its output_range is [0.0, 1.0], to which real images are scaled" in told
    honest = generator()
    honest.output_range = (-1.0, 1.0)
    assert fit(tmp_path, GAN(SHAPE, 4, generator=honest), images()) == []
    for module in (GAN(SHAPE, 4), DCGAN(SHAPE, 4, width=0.05, update="simultaneous")):
        assert fit(tmp_path, module, images()) == []


def linear(classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, classes))


def test_images_of_0_to_255_are_named(tmp_path):
    (told,) = fit(tmp_path, Classifier(linear(3), 3), images() * 255)
    assert told.startswith("the images of Classifier lie in [")
    assert "by images / 255" in told
    assert fit(tmp_path, Classifier(linear(3), 3), (images() - 0.5) / 0.1) == []  # standardized
    assert fit(tmp_path, Classifier(nn.Linear(2, 3), 3), torch.full((6, 2), 300.0)) == []  # no images


@pytest.mark.parametrize("outputs", [4, 12])
def test_a_network_with_another_number_of_outputs_is_refused(tmp_path, outputs):
    with pytest.raises(UserError, match=rf"returns \[6, {outputs}\] for 6 inputs of 10 classes; it must be \[6, 10\]"):
        fit(tmp_path, Classifier(linear(outputs), 10), images())
