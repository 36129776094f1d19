"""The VAE: the books' parameter counts, its bound, and that it learns."""

import math

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from datamodules import DigitsDataModule
from dlmodules import VAE
from dlmodules.errors import UserError
from dlmodules.vaes.networks import MLPDecoder, MLPEncoder
from tests.quiet import quiet_trainer


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_parameter_counts_are_the_books():
    assert count(VAE()) == 134_165
    assert count(VAE(encoder=MLPEncoder(), decoder=MLPDecoder())) == 807_700


class Constant(nn.Module):
    """Gives the same outputs for whatever it is asked."""

    def __init__(self, *values):
        super().__init__()
        self.values = values

    def forward(self, x):
        outputs = tuple(value.expand(len(x), *value.shape) for value in self.values)
        return outputs if len(outputs) > 1 else outputs[0]


def test_terms_sum_over_pixels_and_dimensions_and_average_over_the_batch():
    # A decoder that says 1/2 for each of 784 pixels: log 2 each. A posterior N(1, 1) in 2 dimensions: 1/2 each.
    module = VAE(
        encoder=Constant(torch.ones(2), torch.zeros(2)),
        decoder=Constant(torch.zeros(1, 28, 28)),
        beta=3.0,
    )
    losses, (mean, _) = module._losses((torch.rand(5, 1, 28, 28).round(), torch.zeros(5)))
    assert losses["reconstruction"].item() == pytest.approx(784 * math.log(2), rel=1e-5)
    assert losses["kl"].item() == pytest.approx(1.0, abs=1e-6)
    assert losses["loss"].item() == pytest.approx(784 * math.log(2) + 3.0, rel=1e-5)
    assert losses["elbo"].item() == pytest.approx(-784 * math.log(2) - 1.0, rel=1e-5)  # without beta
    assert mean.shape == (5, 2)


def test_the_decoder_gets_draws_from_the_posterior():
    seen = []
    module = VAE(encoder=Constant(torch.tensor([3.0, -1.0]), torch.tensor([0.0, math.log(4.0)])))
    module.decoder.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    torch.manual_seed(0)
    module(torch.zeros(2000, 1, 28, 28))
    assert seen[0].mean(0).tolist() == pytest.approx([3.0, -1.0], abs=0.15)
    assert seen[0].std(0).tolist() == pytest.approx([1.0, 2.0], abs=0.15)


def test_gaussian_likelihood_is_784_times_the_mean_squared_error():
    module = VAE(likelihood="gaussian", decoder=Constant(torch.zeros(1, 28, 28)))
    x = torch.rand(3, 1, 28, 28)
    expected = 784 * ((x - 0.5) ** 2).mean()
    assert module._losses((x, torch.zeros(3)))[0]["reconstruction"].item() == pytest.approx(expected.item(), rel=1e-5)


class Linear(nn.Module):
    """A decoder of one pixel whose logit is the code's only number, doubled."""

    def forward(self, z):
        return 2 * z.view(-1, 1, 1, 1)


def test_the_likelihood_is_the_integral_over_codes():
    module = VAE(
        (1, 1, 1),
        1,
        encoder=Constant(torch.tensor([0.3]), torch.tensor([0.2])),
        decoder=Linear(),
        likelihood="bernoulli",
    )
    z = torch.linspace(-12, 12, 20_001)
    density = torch.exp(-0.5 * z.square()) / math.sqrt(2 * math.pi)
    exact = torch.trapezoid(density * torch.sigmoid(2 * z), z).log().item()  # of a white pixel: 1/2, by symmetry
    assert exact == pytest.approx(math.log(0.5), abs=1e-4)
    torch.manual_seed(0)
    batch = (torch.ones(2000, 1, 1, 1), torch.zeros(2000))
    many = module.log_likelihood(batch, 500)
    assert many.exp().mean().log().item() == pytest.approx(exact, abs=5e-3)
    # One sample is the ELBO in the mean; more come nearer, from below.
    one, ten = (module.log_likelihood(batch, samples).mean().item() for samples in (1, 10))
    elbo = module._losses(batch)[0]["elbo"].item()
    assert one == pytest.approx(elbo, abs=0.05)
    assert one < ten < many.mean().item() < exact + 0.01


def test_encode_decode_reconstruct_and_sample():
    module = VAE(image_shape=(3, 32, 32), latent_dim=5).eval()
    x = torch.rand(4, 3, 32, 32)
    assert module.encode(x).shape == (4, 5)
    assert torch.equal(module.reconstruct(x), module.decode(module.encode(x)))  # the mean: no noise
    samples = module.sample(6, generator=torch.Generator().manual_seed(0))
    assert samples.shape == (6, 3, 32, 32)
    assert samples.min() >= 0
    assert samples.max() <= 1
    with pytest.raises(UserError, match=r"needs \(n, 5\)"):
        module.decode(torch.zeros(2, 4))
    with pytest.raises(UserError, match="takes no labels"):
        module.sample(1, labels=torch.tensor([1]))
    with pytest.raises(UserError, match="multiple of 4"):
        VAE(image_shape=(1, 30, 30))


def test_images_outside_the_unit_range_are_refused_by_the_bernoulli_likelihood():
    batch = (torch.rand(2, 1, 28, 28) * 255, torch.zeros(2))
    with pytest.raises(UserError, match=r"VAE with --model.likelihood bernoulli needs images in \[0, 1\]"):
        VAE().training_step(batch, 0)
    VAE(likelihood="gaussian").training_step(batch, 0)
    with pytest.raises(UserError, match="likelihood 'poisson' is unknown; choose bernoulli or gaussian"):
        VAE(likelihood="poisson")
    with pytest.raises(UserError, match=r"VAE takes images .* give rows of 2 numbers"):  # not out of range
        VAE().training_step((torch.full((3, 2), -1.0), torch.zeros(3)), 0)


def test_images_alone_are_a_batch_too():
    torch.manual_seed(0)
    module, x = VAE().eval(), torch.rand(3, 1, 28, 28)
    assert module.training_step(x, 0).shape == ()
    assert torch.equal(module.predict_step(x, 0), module.predict_step((x, torch.zeros(3)), 0))


def test_the_test_encodes_a_batch_once():
    module, x = VAE(nll_samples=3).eval(), torch.rand(4, 1, 28, 28)
    seen, logged = [], {}
    module.encoder.register_forward_hook(lambda *_: seen.append(1))
    module.log = lambda name, value, **_: logged.update({name: value})
    module.log_dict = lambda values, **_: logged.update(values)
    torch.manual_seed(0)
    module.test_step((x, torch.zeros(4)), 0)
    assert len(seen) == 1
    torch.manual_seed(0)
    module._losses((x, torch.zeros(4)))  # draws the same codes first
    torch.testing.assert_close(logged["test/nll"], -module.log_likelihood((x, torch.zeros(4)), 3).mean())


def test_weights_are_saved_in_the_usual_order():
    module = VAE()
    assert not module.encoder.convs[1].weight.is_contiguous()  # trained channels last
    assert all(tensor.is_contiguous() for tensor in module.state_dict().values())
    other = VAE()
    other.load_state_dict(module.state_dict())
    assert torch.equal(other.encoder.convs[1].weight, module.encoder.convs[1].weight)


@pytest.mark.learning
@pytest.mark.slow
def test_it_learns_codes_that_tell_digits_apart(tmp_path):
    """The bound beats the best image-independent model, and neighbours in the code are of one class.

    With the KL term's sign wrong or its gradient cut, a bar is missed. Missing noise it cannot tell;
    ``test_the_decoder_gets_draws_from_the_posterior`` does.
    """
    pl.seed_everything(0)
    data = DigitsDataModule(batch_size=32)
    module = VAE(latent_dim=4, encoder=MLPEncoder(latent_dim=4), decoder=MLPDecoder(latent_dim=4), optimizer=_adam)
    trainer = quiet_trainer(max_epochs=20, default_root_dir=tmp_path)
    trainer.fit(module, data)
    bound = trainer.validate(module, data, verbose=False)[0]
    train = torch.cat([x for x, _ in data.train_dataloader()])
    mean_image = train.mean(0).clamp(1e-3, 1 - 1e-3)
    held_out, labels = (torch.cat(part) for part in zip(*data.val_dataloader(), strict=True))
    best_constant = nn.functional.binary_cross_entropy(mean_image.expand_as(held_out), held_out, reduction="none")
    assert bound["val/elbo"] > -best_constant.flatten(1).sum(1).mean().item() + 25
    assert bound["val/active_units"] >= 3
    codes = module.eval().encode(held_out).detach()
    distances = torch.cdist(codes, codes).fill_diagonal_(float("inf"))
    assert (labels[distances.argmin(1)] == labels).float().mean() > 0.7
    # Aggregated over the data, the codes are near the prior: a missing or negative KL term spreads them out.
    assert 0.4 < codes.std(0).mean() < 1.3


def _adam(parameters):
    return torch.optim.Adam(parameters, lr=2e-3)
