"""What each term adds to which loss, under which name, and how a GAN sums them up."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from dlmodules import DCGAN, GAN, WGANGP, InfoGAN
from dlmodules.adversarial.module import DiscriminatorOutput, Images
from dlmodules.adversarial.terms import AuxiliaryTerm, GradientPenaltyTerm, LossTerm, R1Term, add_losses, class_loss
from dlmodules.errors import UserError
from dlmodules.layers import RandomAffineAndFlip
from tests.dlmodules.adversarial.test_adversarial_module import loader, trainer

SMALL = {"image_shape": (1, 2, 2), "latent_dim": 2}


def output(x, labels=None, logits=None):
    images = Images(x, labels)
    return DiscriminatorOutput(images, x.flatten(1).sum(dim=1), logits)


def discriminate(images):
    """Slope 3 for images of label 1, else 1."""
    weight = 1.0 if images.labels is None else 1.0 + 2.0 * images.labels
    return DiscriminatorOutput(images, weight * images.x.flatten(1).sum(dim=1))


def test_a_term_adds_nothing_where_it_does_not_say_so():
    term, x = LossTerm(2.0), output(torch.rand(3, 1, 2, 2))
    assert term.of_real_half(x) == term.of_discriminator(x, x) == term.of_generator(x) == {}


def test_penalties_belong_to_the_discriminator_and_know_the_labels():
    real = output(torch.rand(2, 1, 2, 2), torch.tensor([0, 1]))
    fake = output(torch.rand(2, 1, 2, 2), torch.tensor([1, 1]))
    # Of four pixels the squared slope is 4, and 9 * 4 where the label is 1; the slopes are 2 and 6.
    r1 = R1Term(1.0, discriminate)
    assert r1.of_real_half(real)["r1_loss"].item() == pytest.approx(0.5 * (4 + 36) / 2)
    assert r1.of_discriminator(real, fake) == r1.of_generator(fake) == {}
    penalty = GradientPenaltyTerm(1.0, discriminate)
    assert penalty.of_discriminator(real, fake)["gp_loss"].item() == pytest.approx((1 + 25) / 2)
    assert penalty.of_real_half(real) == penalty.of_generator(fake) == {}


def test_an_auxiliary_loss_is_of_fakes_or_of_both_halves():
    sure, none = torch.full((1, 10), -1e4).index_fill(1, torch.tensor([3]), 1e4), torch.zeros(1, 10)
    x = torch.zeros(1, 1, 2, 2)
    real, fake = output(x, torch.tensor([3]), sure), output(x, torch.tensor([1]), none)
    log10 = torch.tensor(10.0).log().item()
    for on_real, expected in ((False, log10), (True, log10 / 2)):
        term = AuxiliaryTerm(1.0, "label", class_loss, on_real)
        assert {name: loss.item() for name, loss in term.of_discriminator(real, fake).items()} == {
            "d_label_loss": pytest.approx(expected)
        }
        assert term.of_generator(fake)["g_label_loss"].item() == pytest.approx(log10)


def test_losses_are_added_by_their_weight():
    losses = {"d_loss": torch.tensor(1.0)}
    found = add_losses(losses, "d_loss", {"a": torch.tensor(2.0), "b": torch.tensor(3.0)}, 0.5)
    assert {name: loss.item() for name, loss in found.items()} == {"d_loss": 3.5, "a": 2.0, "b": 3.0}
    assert losses["d_loss"].item() == 1.0


@dataclass(frozen=True)
class Drift(LossTerm):
    """The mean square of the outputs, for the discriminator; their mean, for the generator."""

    def of_discriminator(self, real, fake):
        return {"drift_loss": (real.source.square() + fake.source.square()).mean()}

    def of_generator(self, fake):
        return {"lift_loss": fake.source.mean()}


class Drifting(GAN):
    def loss_terms(self):
        return [*super().loss_terms(), Drift(0.25)]


def test_a_variant_adds_a_term_and_keeps_those_of_its_parent():
    torch.manual_seed(0)
    module = Drifting(**SMALL, r1=2.0, update="alternating")
    real, fake = (module.discriminate(Images(torch.rand(3, 1, 2, 2))) for _ in range(2))
    found = module.discriminator_losses(real, fake)
    expected = module.discriminator_loss(real.source, fake.source)
    expected = expected + 0.5 * 2 * found["r1_loss"] + 0.25 * (real.source.square() + fake.source.square()).mean()
    torch.testing.assert_close(found["d_loss"], expected)
    generator = module.generator_losses(fake)
    torch.testing.assert_close(generator["g_loss"], module.generator_loss(fake.source) + 0.25 * fake.source.mean())
    assert set(found) == {"d_loss", "r1_loss", "drift_loss", "d_accuracy", "d_real", "d_fake"}
    assert set(generator) == {"g_loss", "lift_loss"}


def test_separate_updates_refuse_a_term_that_needs_both_halves(tmp_path):
    module = Drifting(image_shape=(1, 8, 8), latent_dim=2)  # whose updates are separate by default
    with pytest.raises(UserError, match="separate updates do not use Drift: choose update='alternating'"):
        trainer(tmp_path).fit(module, loader(2))


def test_who_differentiates_twice_follows_from_the_terms():
    assert DCGAN(image_shape=(1, 8, 8), width=0.05).twice_differentiated == ()
    assert DCGAN(image_shape=(1, 8, 8), width=0.05, r1=1.0).twice_differentiated == ("discriminator",)
    assert WGANGP(image_shape=(1, 8, 8), width=0.05).twice_differentiated == ("discriminator",)
    assert InfoGAN(image_shape=(1, 8, 8), width=0.05).twice_differentiated == ()


def test_infogan_has_two_terms_of_which_only_the_class_sees_the_augmentation():
    torch.manual_seed(0)
    module = InfoGAN((1, 8, 8), width=0.05, augment=RandomAffineAndFlip(degrees=90, shift=0.5)).eval()
    fake = module.discriminate(module.fake_images(4))
    first, second = module.generator_losses(fake), module.generator_losses(fake)
    assert [term.name for term in module.loss_terms()] == ["label", "code"]
    assert not torch.equal(first["g_label_loss"], second["g_label_loss"])
    assert torch.equal(first["g_code_loss"], second["g_code_loss"])


def test_a_subclass_overrides_the_loss_of_an_auxiliary_output():
    class Smoothed(InfoGAN):
        def label_loss(self, output):
            return nn.functional.cross_entropy(output.labels, output.images.labels, label_smoothing=1.0)

    module = Smoothed((1, 8, 8), width=0.05).eval()
    fake = module.discriminate(module.fake_images(4))
    expected = -torch.log_softmax(fake.labels, dim=1).mean()
    torch.testing.assert_close(module.generator_losses(fake)["g_label_loss"], expected)
