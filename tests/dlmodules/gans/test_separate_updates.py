"""What separate updates log is said by one discriminator, and logging it leaves no trace in the training."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from dlmodules import GAN
from dlmodules.adversarial.losses import discriminator_accuracy
from tests.dlmodules.adversarial.test_adversarial_module import loader, trainer


class Stateful(nn.Module):
    """Draws random numbers, and keeps running statistics and vectors of a power iteration."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(), spectral_norm(nn.Linear(64, 8)), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5)
        )
        self.output = nn.Linear(8, 1)

    def forward(self, x):
        return self.output(self.body(x)).squeeze(1)


class Recorded(GAN):
    """Keeps the discriminator as a turn finds it, with the images that it is given."""

    def discriminator_updates(self, real, fake):
        self.found = copy.deepcopy(self.discriminator), real, fake
        yield from super().discriminator_updates(real, fake)


def fast(parameters):
    return torch.optim.SGD(parameters, lr=0.05)


@pytest.mark.parametrize("loss", ["wasserstein", "non_saturating", "least_squares", "hinge"])
def test_both_halves_that_are_logged_are_judged_by_one_discriminator(tmp_path, loss):
    torch.manual_seed(0)
    module = Recorded(image_shape=(1, 8, 8), latent_dim=4, loss=loss, optimizer_d=fast)
    run = trainer(tmp_path, log_every_n_steps=1)
    run.fit(module, loader(batches=3))
    logged = {name: value.item() for name, value in run.logged_metrics.items()}
    discriminator, real, fake = module.found
    with torch.no_grad():
        on_real, on_fake = discriminator(real.x), discriminator(fake.x)
    assert logged["train/d_loss"] == pytest.approx(module.loss.discriminator(on_real, on_fake).item(), abs=1e-6)
    assert logged["train/d_fake"] == pytest.approx(module.realness(on_fake).item(), abs=1e-6)
    if loss == "wasserstein":
        assert logged["train/wasserstein"] == pytest.approx((on_real.mean() - on_fake.mean()).item(), abs=1e-6)
        assert logged["train/wasserstein"] == pytest.approx(-logged["train/d_loss"], abs=1e-6)
    else:
        accuracy = discriminator_accuracy(on_real, on_fake, module.loss.threshold)
        assert logged["train/d_accuracy"] == pytest.approx(accuracy.item())


def test_logging_changes_neither_weights_nor_random_numbers(tmp_path):
    states = []
    for every in (1, 1000):
        torch.manual_seed(0)
        module = GAN(image_shape=(1, 8, 8), latent_dim=4, discriminator=Stateful(), optimizer_d=fast)
        trainer(tmp_path, log_every_n_steps=every).fit(module, loader(batches=6))
        states.append(module.state_dict() | {"next random number": torch.rand(())})
    often, never = states
    assert [name for name in often if not torch.equal(often[name], never[name])] == []
