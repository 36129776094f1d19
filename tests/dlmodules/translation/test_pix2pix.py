"""Pix2pix: its losses by hand, what each network learns from, and that it learns."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from datamodules import DigitsDataModule, ShrunkPairsDataModule
from dlmodules import Pix2Pix
from dlmodules.errors import UserError
from dlmodules.protocols import Translates
from dlmodules.training.schedules import WarmupStableDecayLR
from tests.quiet import quiet_trainer

SMALL: dict[str, Any] = {"source_shape": (1, 16, 16), "image_shape": (3, 16, 16), "width": 4, "layers": 1}


class Shift(nn.Module):
    """Adds a number to two-pixel images, in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(0.25))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.by


class Weighted(nn.Module):
    """Judges each pixel: the sum of both channels, times a number."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x.sum(dim=1, keepdim=True)


def by_hand(**more: Any) -> Pix2Pix:
    shape = (1, 1, 2)
    return Pix2Pix(shape, shape, generator=Shift(), discriminator=Weighted(), **more)


A = torch.tensor([[[[0.0, 0.5]]]])
B = torch.tensor([[[[1.0, 0.25]]]])


def test_losses_by_hand() -> None:
    made = by_hand()
    pairs = made.pairs_of((A, B))
    fake = made.generator(pairs.a)  # 0.25 and 0.75
    losses = made.generator_losses(pairs, fake)
    outputs = torch.tensor([2 * 0.25, 2 * 1.25])
    adversarial = F.softplus(-outputs).mean()
    assert losses["l1_loss"].item() == pytest.approx((0.75 + 0.5) / 2)
    assert losses["adversarial_loss"].item() == pytest.approx(adversarial.item())
    assert losses["g_loss"].item() == pytest.approx(100 * 0.625 + adversarial.item())
    found = made.discriminator_losses(pairs, fake.detach())
    real = torch.tensor([2 * 1.0, 2 * 0.75])
    assert found["d_loss"].item() == pytest.approx(0.5 * (F.softplus(-real).mean() + F.softplus(outputs).mean()).item())
    assert found["d_real"].item() == pytest.approx(real.sigmoid().mean().item())
    assert found["d_accuracy"].item() == 0.5  # all patches are taken for real


def test_the_distance_is_weighed_in_the_networks_range_and_logged_in_unit_range() -> None:
    made = Pix2Pix(**SMALL)
    pairs = made.pairs_of(made.example_batch(2))
    losses = made.generator_losses(pairs, -pairs.b)
    assert losses["l1_loss"].item() == pytest.approx(
        (2 * made.to_unit_range(pairs.b) - 1).abs().mean().item(), rel=1e-5
    )
    assert (losses["g_loss"] - losses["adversarial_loss"]).item() == pytest.approx(200 * losses["l1_loss"].item())


def test_what_is_weighed_by_0_is_left_out(tmp_path: Path) -> None:
    """Without adversaries the discriminator stays as it was."""
    for adversarial, moves in ((1.0, True), (0.0, False)):
        torch.manual_seed(0)
        made = Pix2Pix(**SMALL, adversarial=adversarial)
        before = [parameter.clone() for parameter in made.discriminator.parameters()]
        trainer = quiet_trainer(max_steps=3, default_root_dir=tmp_path)
        trainer.fit(made, DataLoader([made.example_batch(2)] * 3, batch_size=None))
        assert trainer.global_step == 3
        after = made.discriminator.parameters()
        assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True)) is moves


def test_the_generators_update_leaves_no_gradient_in_the_discriminator(tmp_path: Path) -> None:
    made = Pix2Pix(**SMALL)
    left: list[Tensor | None] = []

    class Watching(Pix2Pix):
        def discriminator_losses(self, pairs: Any, fake: Tensor) -> dict[str, Tensor]:
            losses = super().discriminator_losses(pairs, fake)
            return {**losses, "d_loss": 0 * losses["d_loss"]}

        def on_train_batch_end(self, *args: Any) -> None:
            left.extend(parameter.grad for parameter in self.discriminator.parameters())

    made = Watching(**SMALL)
    batch = made.example_batch(2)
    quiet_trainer(max_steps=1, default_root_dir=tmp_path).fit(made, DataLoader([batch], batch_size=None))
    assert left
    assert all(gradient is not None and not gradient.any() for gradient in left)  # that of its own loss, times 0


def test_the_generator_learns_from_the_updated_discriminator_alone(tmp_path: Path) -> None:
    made = by_hand(
        l1=0.0, optimizer_d=lambda p: torch.optim.SGD(p, lr=1.0), optimizer_g=lambda p: torch.optim.SGD(p, lr=1.0)
    )
    quiet_trainer(max_steps=1, default_root_dir=tmp_path).fit(made, DataLoader([(A, B)], batch_size=None))
    fake, weight = torch.tensor([0.25, 1.25]), 2.0  # sums of both channels
    real = torch.tensor([1.0, 0.75])
    slope = 0.5 * (-(real * (1 - torch.sigmoid(weight * real))).mean() + (fake * torch.sigmoid(weight * fake)).mean())
    moved = weight - slope.item()
    assert made.discriminator.weight.item() == pytest.approx(moved, rel=1e-5)  # type: ignore[operator, union-attr]
    pulled = (-moved * (1 - torch.sigmoid(moved * fake))).mean()
    assert made.generator.by.item() == pytest.approx(0.25 - pulled.item(), rel=1e-5)  # type: ignore[operator, union-attr]


def test_both_rates_follow_the_step(tmp_path: Path) -> None:
    made = Pix2Pix(**SMALL, scheduler=lambda o: WarmupStableDecayLR(o, total_steps=4, decay_steps=4))
    trainer = quiet_trainer(max_steps=3, default_root_dir=tmp_path)
    trainer.fit(made, DataLoader([made.example_batch(2)] * 3, batch_size=None))
    assert [optimizer.param_groups[0]["lr"] for optimizer in trainer.optimizers] == pytest.approx([0.5e-4] * 2)


def test_it_translates_and_says_what_it_cannot() -> None:
    made = Pix2Pix(**SMALL).eval()
    assert isinstance(made, Translates)
    x = torch.rand(2, 1, 16, 16)
    images = made.translate(x)
    assert images.shape == (2, 3, 16, 16)
    assert 0 <= images.min() <= images.max() <= 1
    assert torch.equal(made(x), images)
    with pytest.raises(UserError, match="Pix2Pix has no direction 'b2a'; it has a2b"):
        made.translate(x, "b2a")
    with pytest.raises(UserError, match=r"the images are \[3, 16, 16\] but Pix2Pix was built for \[1, 16, 16\]"):
        made.translate(images)
    with pytest.raises(UserError, match="Pix2Pix needs batches of images and targets"):
        made.pairs_of((x, torch.arange(2)))
    with pytest.raises(UserError, match=r"Pix2Pix needs images in \[0, 1\]"):
        made.pairs_of((x * 255, images))
    with pytest.raises(UserError, match="l1 and adversarial are both 0"):
        Pix2Pix(l1=0.0, adversarial=0.0)
    named = made.pairs_of({"b": images, "a": x, "labels_a": torch.arange(2), "labels_b": torch.arange(2).int()})
    assert torch.equal(named.a, 2 * x - 1)
    assert named.labels_b is not None
    assert named.labels_b.dtype == torch.int64


@pytest.mark.learning
@pytest.mark.parametrize(("weights", "bar"), [({}, 0.1), ({"l1": 0.0}, 0.135)])
def test_it_sharpens_digits(weights: dict[str, float], bar: float, tmp_path: Path) -> None:
    """By both losses, and by its adversary alone. The images that it reads, as they are, are .156 off in the mean."""
    torch.manual_seed(0)
    data = ShrunkPairsDataModule(images=DigitsDataModule(image_size=16), factor=4, batch_size=16)
    made = Pix2Pix((1, 16, 16), (1, 16, 16), width=16, layers=1, **weights)  # type: ignore[arg-type]  # two numbers
    trainer = quiet_trainer(max_steps=300, default_root_dir=tmp_path, limit_val_batches=0)
    trainer.fit(made, datamodule=data)
    (measured,) = trainer.test(made, datamodule=data, verbose=False)
    assert measured["test/l1"] < bar
