"""PixelDA: its losses by hand, who learns from what, and a classifier that reads a domain without its labels."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader

from dlmodules import PixelDA
from dlmodules.errors import UserError
from dlmodules.translation import (
    NoiseDecoderGenerator,
    NoiseResNetGenerator,
    NoisyDiscriminator,
    StridedTaskNetwork,
    TaskNetwork,
)
from dlmodules.translation.pairs import ImagePairs
from tests.dlmodules.translation.test_cycada import Halves
from tests.dlmodules.translation.test_cyclegan import A, B, Scaled
from tests.quiet import quiet_trainer

SMALL: dict[str, Any] = {
    "source_shape": (1, 16, 16),
    "image_shape": (1, 16, 16),
    "num_classes": 2,
    "width": 8,
    "blocks": 1,
}
LABELS = torch.tensor([1])


def by_hand(**more: Any) -> PixelDA:
    """Translates by a half; reads which half is brighter."""
    return PixelDA(
        (1, 2, 2),
        (1, 2, 2),
        num_classes=2,
        generator=Scaled(0.5),
        discriminator=Scaled(3.0),
        classifier=Halves(),
        loss="least_squares",
        **more,
    )


def test_losses_by_hand() -> None:
    made = by_hand(adversarial=3.0, task=2.0)
    pairs = made.pairs_of((A, B, LABELS, LABELS))
    fake = made.generator(pairs.a)
    torch.testing.assert_close(fake, A / 2)
    # Of a the left half has a mean of 0.1 and the right one of 0.7; its translation half of both; ten times that.
    of_a = F.cross_entropy(torch.tensor([[1.0, 7.0]]), LABELS)
    of_fake = F.cross_entropy(torch.tensor([[0.5, 3.5]]), LABELS)
    torch.testing.assert_close(made.classifier_loss(pairs, fake), of_a + of_fake)
    losses = made.generator_losses(pairs, fake)
    fooled = ((3 * fake - 1) ** 2).mean()
    torch.testing.assert_close(losses["task_loss"], of_fake)
    torch.testing.assert_close(losses["adversarial_loss"], fooled)
    torch.testing.assert_close(losses["g_loss"], 2 * of_fake + 3 * fooled)
    expected = 0.5 * ((3 * B - 1) ** 2).mean() + 0.5 * ((3 * fake) ** 2).mean()
    torch.testing.assert_close(made.discriminator_losses(pairs, fake)["d_loss"], expected)
    alone = by_hand(adversarial=0.0).generator_losses(pairs, fake)
    assert set(alone) == {"g_loss", "task_loss"}


def weights_of(module: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten().clone() for parameter in module.parameters()])


def fitted(module: PixelDA, batches: list[Any], root: Path) -> PixelDA:
    trainer = quiet_trainer(max_steps=len(batches), default_root_dir=root, num_sanity_val_steps=0)
    trainer.fit(module, DataLoader(batches, batch_size=None))
    return module


def built(seed: int = 0, **more: Any) -> PixelDA:
    torch.manual_seed(seed)
    return PixelDA(**{**SMALL, **more})


def two_classes(module: PixelDA, n: int = 8) -> tuple[Tensor, ...]:
    a, b, labels, _ = module.example_batch(n)
    return a, b, labels % 2, labels % 2


def test_labels_of_the_other_domain_are_never_learned_from(tmp_path: Path) -> None:
    a, b, labels, _ = two_classes(built())
    (told, untold) = (
        fitted(built(), [batch] * 3, tmp_path) for batch in ((a, b, labels, labels), (a, b, labels, 1 - labels))
    )
    assert torch.equal(weights_of(told), weights_of(untold))
    other = fitted(built(), [(a, b, 1 - labels, labels)] * 3, tmp_path)
    assert not torch.equal(weights_of(told), weights_of(other))


@pytest.mark.parametrize("network", ["generator", "discriminator", "classifier"])
def test_each_network_learns_by_its_own_optimizer(network: str, tmp_path: Path) -> None:
    """With a learning rate of 0 for one network it stays, and the others move."""
    still = {"generator": "optimizer_g", "discriminator": "optimizer_d", "classifier": "optimizer_c"}
    made = built(**{still[network]: lambda p: torch.optim.SGD(p, lr=0.0)})
    before = {name: weights_of(getattr(made, name)) for name in still}
    fitted(made, [two_classes(made)] * 2, tmp_path)
    for name, weights in before.items():
        assert torch.equal(weights_of(getattr(made, name)), weights) == (name == network)


@pytest.mark.filterwarnings("error:Detected call of `lr_scheduler.step")
def test_without_an_adversary_the_discriminator_stays(tmp_path: Path) -> None:
    made = built(adversarial=0.0, scheduler=lambda optimizer: StepLR(optimizer, 1))
    before = weights_of(made.discriminator)
    fitted(made, [two_classes(made)] * 2, tmp_path)
    assert torch.equal(weights_of(made.discriminator), before)


@pytest.mark.parametrize("generator", [NoiseResNetGenerator, NoiseDecoderGenerator])
def test_noise_makes_many_of_one(generator: Any) -> None:
    torch.manual_seed(0)
    network = generator((1, 16, 16), (3, 16, 16), latent_dim=4, width=8).eval()
    x = torch.rand(1, 1, 16, 16).expand(2, -1, -1, -1)
    first, second = network(x)
    assert first.shape == (3, 16, 16)
    assert not torch.equal(first, second)
    noise = torch.rand(1, 4).expand(2, -1)
    first, second = network(x, noise)
    torch.testing.assert_close(first, second)


def test_the_discriminator_sees_through_noise_in_training_alone() -> None:
    torch.manual_seed(0)
    network = NoisyDiscriminator((1, 16, 16), 8, dropout=0.0, noise=1.0)
    x = torch.rand(4, 1, 16, 16)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


def test_numbers_of_parameters() -> None:
    """The default generator, with a bias for each convolution, and the paper's classifier, by hand."""
    convs = (4 * 9 * 64 + 64) + 12 * (64 * 9 * 64 + 64) + (64 * 9 * 3 + 3)
    norms, noise = 12 * 2 * 64, 11 * 32 * 32
    assert sum(p.numel() for p in NoiseResNetGenerator().parameters()) == convs + norms + noise == 460_035
    assert sum(p.numel() for p in NoiseDecoderGenerator().parameters()) == 255_491
    dense = 48 * 64 * 100 + 100 + 100 * 100 + 100 + 100 * 10 + 10
    assert sum(p.numel() for p in TaskNetwork().parameters()) == 3 * 25 * 32 + 32 + 32 * 25 * 48 + 48 + dense
    convs = 3 * 25 * 32 + 32 * 9 * 64 + 64 * 9 * 128 + 3 * (32 + 64 + 128)
    dense = 128 * 16 * 128 + 128 + 128 * 10 + 10
    assert sum(p.numel() for p in StridedTaskNetwork().parameters()) == convs + dense


def bars(n: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return pictures of a bright bar each, which lies (0) or stands (1), and which of both."""
    labels = torch.randint(2, (n,), generator=draw)
    pictures = torch.zeros(n, 1, 16, 16)
    for picture, label, place in zip(pictures, labels, torch.randint(3, 13, (n,), generator=draw), strict=True):
        lying = torch.zeros(16, 16)
        lying[place - 1 : place + 2, 2:-2] = 0.9
        picture[0] = lying.T if label else lying
    return pictures, labels


def bars_and_shadows(batches: int, seed: int) -> list[Any]:
    """Return bright bars on black, and bars that are subtracted from bright backgrounds, no two of one brightness."""
    draw = torch.Generator().manual_seed(seed)
    made = []
    for _ in range(batches):
        (a, labels_a), (b, labels_b) = bars(32, draw), bars(32, draw)
        slope = 0.3 * torch.randn(32, 1, 1, 1, generator=draw) * torch.linspace(-1, 1, 16)[:, None]
        behind = (0.6 + 0.4 * torch.rand(32, 1, 1, 1, generator=draw) + slope).clamp(0, 1)
        made.append((a, (behind - b).abs(), labels_a, labels_b))
    return made


def test_it_comes_to_read_what_it_has_no_labels_of(tmp_path: Path) -> None:
    generator = NoiseDecoderGenerator((1, 16, 16), (1, 16, 16), latent_dim=8, width=8)
    made = fitted(built(generator=generator, width=16), bars_and_shadows(300, 0), tmp_path)
    loader = DataLoader(bars_and_shadows(10, 99), batch_size=None)
    (found,) = quiet_trainer(default_root_dir=tmp_path).validate(made, loader, verbose=False)
    assert found["val/read_a"] > 0.98
    assert found["val/read_a2b"] > 0.93
    assert found["val/read_b"] > 0.93


def test_bright_bars_alone_do_not_tell_how_to_read_dark_ones() -> None:
    """What the test before is not: some classifiers of bright bars read dark ones by chance, and others do not."""
    b, labels = (torch.cat(parts) for parts in list(zip(*bars_and_shadows(10, 99), strict=True))[1::2])
    accuracies = []
    for seed in range(6):
        torch.manual_seed(seed)
        network = TaskNetwork((1, 16, 16), 2)
        optimizer = torch.optim.Adam(network.parameters(), 1e-3)
        for a, _, labels_a, _ in bars_and_shadows(60, seed):
            optimizer.zero_grad()
            F.cross_entropy(network(a), labels_a).backward()
            optimizer.step()
        accuracies.append(float((network(b).argmax(dim=1) == labels).float().mean()))
    assert min(accuracies) < 0.85


def test_wrong_use_ends_in_one_line() -> None:
    made = by_hand()
    with pytest.raises(UserError, match="PixelDA needs batches of images and labels of both domains"):
        made.labels_of(made.pairs_of((A, B)))
    with pytest.raises(UserError, match=r"a label is outside 0\.\.1"):
        made.pairs_of((A, B, LABELS + 1, LABELS))
    assert isinstance(made.pairs_of((A, B)), ImagePairs)  # to be translated without labels
    with pytest.raises(UserError, match=r"one classifier reads both domains, .*\[1, 16, 16\] and \[3, 16, 16\]"):
        PixelDA(**{**SMALL, "image_shape": (3, 16, 16)})
    with pytest.raises(UserError, match="images of 28x28 must have sides that are multiples of 8"):
        NoiseDecoderGenerator((1, 28, 28), (1, 28, 28))
    with pytest.raises(UserError, match="it makes images as large as those it reads"):
        NoiseResNetGenerator((1, 16, 16), (1, 24, 24))
    for argument in ("adversarial", "task"):
        with pytest.raises(UserError, match=f"{argument} is -1"):
            by_hand(**{argument: -1.0})
