"""What a variant must have learned after a few hundred steps on images whose answer is known."""

import pytest
import torch
from torch import nn

from dlmodules import WGAN, InfoGAN
from tests.dlmodules.gans.test_base import trainer


class Grey(nn.Module):
    """Paints every pixel in one grey, whatever the noise; the grey is all that it learns."""

    def __init__(self):
        super().__init__()
        self.level = nn.Parameter(torch.tensor(0.2))

    def forward(self, z):
        return self.level * torch.ones(len(z), 1, 2, 2)


class Slope(nn.Module):
    """A linear critic."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, x):
        return self.layer(x.flatten(1)).squeeze(1)


def sgd(lr):
    return lambda parameters: torch.optim.SGD(parameters, lr=lr)


def greys(steps):
    images = torch.full((4 * steps, 1, 2, 2), 0.8)
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images), batch_size=4)


@pytest.mark.learning
@pytest.mark.parametrize("update", ["separate", "alternating", "simultaneous"])
def test_the_critic_finds_the_distance_within_its_slope(tmp_path, update):
    """Greys of 0.8 and 0.2 lie 0.6 apart in each of four pixels, which a slope of 0.01 sees as 4 * 0.01 * 0.6."""
    torch.manual_seed(0)
    module = WGAN(
        (1, 2, 2), 2, generator=Grey(), discriminator=Slope(), update=update, optimizer_d=sgd(1e-3), optimizer_g=sgd(0)
    )
    trainer(tmp_path).fit(module, greys(60))
    real, fake = (module.discriminator(torch.full((1, 1, 2, 2), grey)) for grey in (0.8, 0.2))
    assert (real - fake).item() == pytest.approx(4 * 0.01 * 0.6, rel=0.05)


@pytest.mark.learning
def test_the_generator_comes_to_where_the_data_is_and_stays(tmp_path):
    """A critic that is raised on made images too would send it on, past the greys of the data."""
    torch.manual_seed(0)
    fast = lambda parameters: torch.optim.RMSprop(parameters, lr=0.005, alpha=0.9)  # noqa: E731
    module = WGAN(
        (1, 2, 2), 2, generator=Grey(), discriminator=Slope(), update="separate", optimizer_d=fast, optimizer_g=sgd(0.5)
    )
    trainer(tmp_path).fit(module, greys(600))
    assert module.generator.level.item() == pytest.approx(0.8, abs=0.05)


class Legible(nn.Module):
    """Lights the pixel of the label, and two more as bright as the codes."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, z, labels, codes):
        rows = torch.cat([nn.functional.one_hot(labels, 10), 0.5 + 0.5 * codes, torch.zeros(len(z), 4)], dim=1)
        return rows.view(-1, 1, 4, 4) + 0.0 * self.unused


@pytest.mark.learning
def test_the_discriminator_of_an_infogan_reads_label_and_codes(tmp_path):
    torch.manual_seed(0)
    fast = lambda p: torch.optim.Adam(p, lr=3e-3)  # noqa: E731
    module = InfoGAN((1, 4, 4), 2, width=0.25, generator=Legible(), read_std=None, optimizer_d=fast)
    images = torch.utils.data.TensorDataset(torch.rand(32 * 400, 1, 4, 4))
    trainer(tmp_path).fit(module, torch.utils.data.DataLoader(images, batch_size=32))
    latents = module.draw_latents(256)
    with torch.no_grad():
        _, labels, codes = module.discriminator(module.generate(latents))
    assert (labels.argmax(dim=1) == latents.labels).float().mean() > 0.98
    assert (codes - latents.codes).abs().mean() < 0.1  # their mean distance from 0 is 0.4
    assert module.discriminator.log_std.max() < -1.0  # it knows how well it reads; log 0.5 = -0.69 would be guessing
