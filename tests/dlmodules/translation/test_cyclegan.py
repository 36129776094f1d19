"""CycleGAN: its terms by hand, what each side learns from, and that it learns."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from typing_extensions import override

from datamodules import DigitsDataModule, PairDataModule
from dlmodules import CycleGAN
from dlmodules.adversarial.optimizers import AdversarialAdam
from dlmodules.errors import UserError
from dlmodules.protocols import Translates
from dlmodules.translation.pairs import ImagePairs
from tests.quiet import quiet_trainer

SMALL: dict[str, Any] = {"source_shape": (1, 16, 16), "image_shape": (1, 16, 16), "width": 4, "blocks": 1, "layers": 1}


class Scaled(nn.Module):
    """Multiplies images in [0, 1] by a number."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: Tensor) -> Tensor:
        return self.by * x


A = torch.tensor([[[[0.2, 0.4], [0.0, 1.0]]]])
B = torch.tensor([[[[0.5, 0.5], [1.0, 0.0]]]])


def by_hand(**more: Any) -> CycleGAN:
    """Forth by a half, back by a quarter; judges that see one times, and three times, the pixels."""
    shape = (1, 2, 2)
    return CycleGAN(
        *(shape, shape),
        generator_a2b=Scaled(0.5),
        generator_b2a=Scaled(0.25),
        discriminator_a=Scaled(1.0),
        discriminator_b=Scaled(3.0),
        **more,
    )


def fakes_of(made: CycleGAN, pairs: ImagePairs) -> ImagePairs:
    return ImagePairs(made.generator_b2a(pairs.b), made.generator_a2b(pairs.a))


def test_terms_by_hand() -> None:
    made = by_hand(identity=5.0)
    pairs = made.pairs_of((A, B))
    losses = made.generator_losses(pairs, fakes_of(made, pairs))
    cycle = 0.875 * (A.mean() + B.mean())  # an eighth is left of each
    identity = 0.75 * A.mean() + 0.5 * B.mean()
    adversarial = (0.25 * B - 1).square().mean() + (3 * 0.5 * A - 1).square().mean()
    assert losses["cycle_loss"].item() == pytest.approx(cycle.item())
    assert losses["identity_loss"].item() == pytest.approx(identity.item())
    assert losses["adversarial_loss"].item() == pytest.approx(adversarial.item())
    assert losses["g_loss"].item() == pytest.approx((adversarial + 10 * cycle + 5 * identity).item())
    found = made.discriminator_losses(pairs, fakes_of(made, pairs))
    of_a = 0.5 * ((A - 1).square().mean() + (0.25 * B).square().mean())
    of_b = 0.5 * ((3 * B - 1).square().mean() + (1.5 * A).square().mean())
    assert found["d_loss"].item() == pytest.approx((of_a + of_b).item())
    assert found["d_real"].item() == pytest.approx((A.mean() + 3 * B.mean()).item() / 2)


def test_the_way_of_a_there_and_back_has_its_own_weight() -> None:
    made = by_hand(cycle_a=2.0)
    pairs = made.pairs_of((A, B))
    losses = made.generator_losses(pairs, fakes_of(made, pairs))
    weighted = 0.875 * (2 * A.mean() + 10 * B.mean())
    assert losses["g_loss"].item() == pytest.approx((losses["adversarial_loss"] + weighted).item())
    assert losses["cycle_loss"].item() == pytest.approx(0.875 * (A.mean() + B.mean()).item())


def test_weights_of_0_leave_their_terms_out() -> None:
    made = by_hand(cycle=0.0)
    pairs = made.pairs_of((A, B))
    losses = made.generator_losses(pairs, fakes_of(made, pairs))
    assert losses.keys() == {"g_loss", "adversarial_loss"}
    assert torch.equal(losses["g_loss"], losses["adversarial_loss"])


def test_a_step_moves_the_discriminators_by_their_sum_and_then_the_generators(tmp_path: Path) -> None:
    rate = 0.1
    sgd = {f"optimizer_{side}": lambda p: torch.optim.SGD(p, lr=rate) for side in "dg"}
    made = by_hand(**sgd, pool=0)
    quiet_trainer(max_steps=1, default_root_dir=tmp_path).fit(made, DataLoader([(A, B)], batch_size=None))
    judges = [torch.tensor(value, requires_grad=True) for value in (1.0, 3.0)]
    ways = [torch.tensor(value, requires_grad=True) for value in (0.5, 0.25)]
    loss = sum(
        0.5 * ((judge * real - 1).square().mean() + (judge * fake).square().mean())
        for judge, real, fake in ((judges[0], A, 0.25 * B), (judges[1], B, 0.5 * A))
    )
    assert isinstance(loss, Tensor)
    moved = [judge - rate * slope for judge, slope in zip(judges, torch.autograd.grad(loss, judges), strict=True)]
    assert made.discriminator_a.by.item() == pytest.approx(moved[0].item(), rel=1e-5)  # type: ignore[operator, union-attr]
    assert made.discriminator_b.by.item() == pytest.approx(moved[1].item(), rel=1e-5)  # type: ignore[operator, union-attr]
    both = ways[0] * ways[1]
    adversarial = (moved[0].detach() * ways[1] * B - 1).square().mean() + (
        moved[1].detach() * ways[0] * A - 1
    ).square().mean()
    cycle = (1 - both) * (A.mean() + B.mean())
    slopes = torch.autograd.grad(adversarial + 10 * cycle, ways)
    assert made.generator_a2b.by.item() == pytest.approx(0.5 - rate * slopes[0].item(), rel=1e-5)  # type: ignore[operator, union-attr]
    assert made.generator_b2a.by.item() == pytest.approx(0.25 - rate * slopes[1].item(), rel=1e-5)  # type: ignore[operator, union-attr]


def test_the_pool_is_for_the_discriminators_alone(tmp_path: Path) -> None:
    judged: list[Tensor] = []

    class Watching(CycleGAN):
        @override
        def discriminator_losses(self, pairs: ImagePairs, fakes: ImagePairs) -> dict[str, Tensor]:
            judged.append(fakes.b)
            return super().discriminator_losses(pairs, fakes)

        @override
        def generator_losses(self, pairs: ImagePairs, fakes: ImagePairs) -> dict[str, Tensor]:
            assert fakes.a.requires_grad  # none of the pool's
            assert fakes.b.requires_grad
            return super().generator_losses(pairs, fakes)

    made = Watching(**SMALL, pool=1)
    batch = made.example_batch(1)
    quiet_trainer(max_steps=8, default_root_dir=tmp_path).fit(made, DataLoader([batch] * 8, batch_size=None))
    again = [any(torch.equal(one, other) for other in judged[:place]) for place, one in enumerate(judged)]
    assert any(again)
    assert int(made.pool_a.count) == int(made.pool_b.count) == 1


def test_it_translates_both_ways_and_says_what_it_cannot() -> None:
    made = CycleGAN(**{**SMALL, "image_shape": (3, 16, 16)}).eval()
    assert isinstance(made, Translates)
    x = torch.rand(2, 1, 16, 16)
    coloured = made.translate(x)
    assert coloured.shape == (2, 3, 16, 16)
    assert made.translate(coloured, "b2a").shape == x.shape
    with pytest.raises(UserError, match=r"the images are \[1, 16, 16\] but CycleGAN was built for \[3, 16, 16\]"):
        made.translate(x, "b2a")
    with pytest.raises(UserError, match="CycleGAN has no direction 'a'; it has a2b and b2a"):
        made.translate(x, "a")
    with pytest.raises(UserError, match=r"identity is 5\.0, but images of 1 and of 3 channels cannot be compared"):
        CycleGAN(**{**SMALL, "image_shape": (3, 16, 16)}, identity=5.0)
    with pytest.raises(UserError, match="both generators must have one output_range"):
        CycleGAN(**SMALL, generator_a2b=Scaled(1.0))
    with pytest.raises(UserError, match="residual is of the default generators, and both are given"):
        CycleGAN(**SMALL, residual=True, generator_a2b=Scaled(1.0), generator_b2a=Scaled(1.0))


def test_its_default_networks_begin_as_it_says() -> None:
    made = CycleGAN(**SMALL, weight_std=0.3)
    for network in (*made.generators.values(), *made.discriminators):
        weights = torch.cat([parameter.flatten() for parameter in network.parameters() if parameter.ndim > 1])
        assert weights.std().item() == pytest.approx(0.3, rel=0.05)
    with pytest.raises(UserError, match="weight_std is 0; it must be more than 0"):
        CycleGAN(**SMALL, weight_std=0)


class Negatives(DigitsDataModule):
    """Digits in black on white."""

    @override
    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        images, labels = super().load(train)
        return 255 - images, labels


@pytest.mark.learning
def test_it_learns_without_pairs_that_the_other_digits_are_negatives(tmp_path: Path) -> None:
    """Eight seeds end below .06; left as it is an image is .6 off, without the way back .15, and comes back .15 off.

    Patches of one halving are too small to tell a digit by: then most seeds invert the background alone.
    """
    torch.manual_seed(0)
    data = PairDataModule(DigitsDataModule(image_size=16), Negatives(image_size=16), batch_size=16)
    made = CycleGAN(
        **{**SMALL, "width": 8, "layers": 2},
        optimizer_d=lambda p: AdversarialAdam(p, lr=1e-3),
        optimizer_g=lambda p: AdversarialAdam(p, lr=1e-3),
    )
    trainer = quiet_trainer(max_steps=200, limit_val_batches=0, default_root_dir=tmp_path)
    trainer.fit(made, datamodule=data)
    (measured,) = trainer.test(made, datamodule=data, verbose=False)
    assert measured["test/cycle_a"] < 0.1
    assert measured["test/cycle_b"] < 0.1
    a, *_ = data.required_test_set().__getitems__(range(300))
    with torch.no_grad():
        assert (made.eval().translate(a) - (1 - a)).abs().mean() < 0.1
