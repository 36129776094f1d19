"""CyCADA: its semantic loss by hand, that its classifier stays as it is, and that digits stay what they are."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from typing_extensions import override

from dlmodules import CNNClassifier, CyCADA
from dlmodules.adversarial.optimizers import AdversarialAdam
from dlmodules.errors import UserError
from dlmodules.translation.pairs import ImagePairs
from tests.dlmodules.translation.test_cyclegan import A, B, Scaled, fakes_of
from tests.quiet import quiet_trainer

SMALL: dict[str, Any] = {"source_shape": (1, 16, 16), "image_shape": (1, 16, 16), "width": 4, "blocks": 1, "layers": 1}


class Halves(nn.Module):
    """Reads whether an image is brighter on its left or on its right half."""

    def __init__(self, sharpness: float = 10.0) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.tensor(sharpness))

    @override
    def forward(self, x: Tensor) -> Tensor:
        middle = x.shape[3] // 2
        return self.sharpness * torch.stack([x[..., :middle].mean((1, 2, 3)), x[..., middle:].mean((1, 2, 3))], dim=1)


def by_hand(**more: Any) -> CyCADA:
    """Forth by a half, back by a quarter."""
    return CyCADA(
        Halves(),
        source_shape=(1, 2, 2),
        image_shape=(1, 2, 2),
        generator_a2b=Scaled(0.5),
        generator_b2a=Scaled(0.25),
        discriminator_a=Scaled(1.0),
        discriminator_b=Scaled(3.0),
        **more,
    )


def test_semantic_loss_by_hand() -> None:
    made = by_hand(semantic=2.0)
    pairs = made.pairs_of((A, B))
    losses = made.generator_losses(pairs, fakes_of(made, pairs))
    # a is brighter on its right (0.1 and 0.7), b on its left (0.75 and 0.25); of a one half is left, of b a quarter.
    of_a = F.cross_entropy(torch.tensor([[0.5, 3.5]]), torch.tensor([1]))
    of_b = F.cross_entropy(torch.tensor([[1.875, 0.625]]), torch.tensor([0]))
    assert losses["semantic_loss"].item() == pytest.approx((of_a + of_b).item())
    without = by_hand(semantic=0.0).generator_losses(pairs, fakes_of(made, pairs))
    assert losses["g_loss"].item() == pytest.approx(without["g_loss"].item() + 2 * (of_a + of_b).item())
    assert "semantic_loss" not in without


def test_each_translation_is_held_to_its_own_image() -> None:
    """Both ways alone: what is translated from a to what a is read as, and from b likewise."""
    made = by_hand()
    pairs = made.pairs_of((A, B))
    flipped = fakes_of(made, pairs)
    wrong = ImagePairs(flipped.a.flip(3), flipped.b)
    assert made.semantic_loss(pairs, wrong) > made.semantic_loss(pairs, flipped)
    wrong = ImagePairs(flipped.a, flipped.b.flip(3))
    assert made.semantic_loss(pairs, wrong) > made.semantic_loss(pairs, flipped)


def test_the_classifier_stays_as_it_is(tmp_path: Path) -> None:
    made = CyCADA(Halves(), **SMALL)
    trainer = quiet_trainer(max_steps=3, default_root_dir=tmp_path)
    trainer.fit(made, DataLoader([made.example_batch(4)] * 3, batch_size=None))
    assert made.classifier.sharpness.grad is None
    assert float(made.classifier.sharpness) == 10.0
    assert not any("classifier" in key or "sharpness" in key for key in made.state_dict())


def test_a_batch_is_translated_once_to_be_validated(tmp_path: Path) -> None:
    made = CyCADA(Halves(), **SMALL)
    calls = []
    for way, generator in made.generators.items():
        generator.register_forward_hook(lambda *_, way=way: calls.append(way))
    trainer = quiet_trainer(default_root_dir=tmp_path)
    trainer.validate(made, DataLoader([made.example_batch(4)] * 3, batch_size=None), verbose=False)
    assert {way: calls.count(way) for way in calls} == {"a2b": 2 * 3, "b2a": 2 * 3}  # there and back


class Recoloured(nn.Module):
    """Changes the brightness of each half by a number of its own: it can swap which is brighter."""

    output_range = (0.0, 1.0)

    def __init__(self) -> None:
        super().__init__()
        self.gain, self.shift = nn.Parameter(torch.ones(2)), nn.Parameter(torch.zeros(2))
        self.swap = nn.Parameter(torch.tensor(0.0))

    @override
    def forward(self, x: Tensor) -> Tensor:
        share = self.swap.sigmoid()
        mixed = (1 - share) * x + share * x.flip(3)
        gain, shift = (
            values.repeat_interleave(x.shape[3] // 2)[None, None, None] for values in (self.gain, self.shift)
        )
        return (gain * mixed + shift).clamp(0, 1)


@pytest.mark.parametrize("semantic", [5.0, 0.0])
def test_what_is_swapped_is_swapped_back_by_the_semantic_loss_alone(semantic: float, tmp_path: Path) -> None:
    """Generators that begin by swapping both halves there and back satisfy the cycle; the classifier notices."""
    torch.manual_seed(0)
    generators = [Recoloured() for _ in range(2)]
    for generator in generators:
        nn.init.constant_(generator.swap, 1.0)
    made = CyCADA(
        Halves(),
        semantic=semantic,
        **SMALL,
        generator_a2b=generators[0],
        generator_b2a=generators[1],
        optimizer_g=lambda p: AdversarialAdam(p, lr=0.02, beta1=0.5),
    )
    bright = torch.zeros(16, 1, 16, 16)
    bright[:8, :, :, :8], bright[8:, :, :, 8:] = 0.8, 0.8
    labels = (torch.arange(16) >= 8).long()
    batch = (bright, bright.flip(0) * 0.7, labels, labels.flip(0))
    trainer = quiet_trainer(max_steps=150, default_root_dir=tmp_path, num_sanity_val_steps=0)
    trainer.fit(made, DataLoader([batch] * 150, batch_size=None))
    (found,) = trainer.validate(made, DataLoader([batch], batch_size=None), verbose=False)
    if semantic:
        assert found["val/read_a2b"] == found["val/read_b2a"] == 1.0
    else:
        assert found["val/read_a2b"] == found["val/read_b2a"] == 0.0


def test_a_checkpoint_of_a_classifier_is_read(tmp_path: Path) -> None:
    classifier = CNNClassifier((1, 16, 16), filters=(4, 4))
    trainer = quiet_trainer(max_steps=1, default_root_dir=tmp_path)
    trainer.fit(classifier, DataLoader([classifier.example_batch(4)], batch_size=None))
    path = tmp_path / "classifier.ckpt"
    trainer.save_checkpoint(path)
    made = CyCADA(str(path), **SMALL)
    x = torch.rand(3, 1, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(made.logits(made.from_unit_range(x)), classifier.eval()(x))
    assert not any(parameter.requires_grad for parameter in made.classifier.parameters())
    assert made.hparams["classifier"] == str(path)


def test_wrong_use_ends_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="CyCADA needs a classifier of the images of a: train one"):
        CyCADA(**SMALL).setup("fit")
    CyCADA(**SMALL).setup("predict")  # translates without one
    with pytest.raises(UserError, match=r"there is no checkpoint .*nowhere.ckpt"):
        CyCADA(str(tmp_path / "nowhere.ckpt"), **SMALL).setup("fit")
    with pytest.raises(UserError, match=r"one classifier reads both domains, .*\[1, 16, 16\] and \[3, 16, 16\]"):
        CyCADA(Halves(), **{**SMALL, "image_shape": (3, 16, 16)})
    with pytest.raises(UserError, match="semantic"):
        CyCADA(Halves(), semantic=-1.0, **SMALL)
