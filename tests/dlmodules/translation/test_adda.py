"""ADDA: its losses by hand, who learns from what, and a classifier that comes to read what it could not."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from datamodules import DigitsDataModule
from dlmodules import ADDA, VAE, CNNClassifier
from dlmodules.checkpoints.loading import load_module
from dlmodules.errors import UserError
from tests.dlmodules.translation.test_cycada import Halves
from tests.dlmodules.translation.test_cyclegan import A, B
from tests.dlmodules.translation.test_pixelda import LABELS, weights_of
from tests.quiet import quiet_trainer


def built(classifier: Any = "untrained", **more: Any) -> ADDA:
    torch.manual_seed(0)
    return ADDA(classifier, **{"image_shape": (1, 16, 16), "hidden_dims": (16,), **more})


def fitted(module: ADDA, batches: list[Any], root: Path) -> ADDA:
    trainer = quiet_trainer(max_steps=len(batches), default_root_dir=root, num_sanity_val_steps=0)
    trainer.fit(module, DataLoader(batches, batch_size=None))
    return module


def test_losses_by_hand() -> None:
    made = ADDA(Halves(), (1, 2, 2), hidden_dims=(1,), loss="least_squares")
    with torch.no_grad():
        for parameter in made.discriminator.parameters():
            parameter.fill_(0.5)
    pairs = made.pairs_of((A, B))
    # The means of both halves, ten times: 1 and 7 of a, 7.5 and 2.5 of b; each layer has weights and biases of 1/2.
    real, fake = made.classifier(pairs.a), made(pairs.b)
    torch.testing.assert_close(real, torch.tensor([[1.0, 7.0]]))
    torch.testing.assert_close(fake, torch.tensor([[7.5, 2.5]]))
    of_a, of_b = 0.5 * (0.5 * 8 + 0.5) + 0.5, 0.5 * (0.5 * 10 + 0.5) + 0.5
    losses = made.discriminator_losses(real, fake)
    assert losses["d_loss"].item() == pytest.approx(0.5 * (of_a - 1) ** 2 + 0.5 * of_b**2)
    assert made.adaptation_loss(fake).item() == pytest.approx((of_b - 1) ** 2)


def test_no_label_is_learned_from(tmp_path: Path) -> None:
    a, b, labels, _ = built().example_batch(8)
    told, untold = (
        fitted(built(), [batch] * 3, tmp_path) for batch in ((a, b, labels, labels), (a, b, 9 - labels, 9 - labels))
    )
    assert torch.equal(weights_of(told), weights_of(untold))


def test_the_classifier_stays_and_its_copy_moves(tmp_path: Path) -> None:
    made = built()
    before = weights_of(made.classifier)
    assert torch.equal(weights_of(made.adapted), before)
    fitted(made, [made.example_batch(8)] * 2, tmp_path)
    assert torch.equal(weights_of(made.classifier), before)
    assert not torch.equal(weights_of(made.adapted), before)
    assert all(parameter.grad is None for parameter in made.classifier.parameters())
    assert not made.train().classifier.training
    assert made.adapted.training


@pytest.mark.parametrize("network", ["discriminator", "adapted"])
def test_each_network_learns_by_its_own_optimizer(network: str, tmp_path: Path) -> None:
    still = {"discriminator": "optimizer_d", "adapted": "optimizer_c"}
    made = built(**{still[network]: lambda p: torch.optim.SGD(p, lr=0.0)})
    before = {name: weights_of(getattr(made, name)) for name in still}
    fitted(made, [made.example_batch(8)] * 2, tmp_path)
    for name, weights in before.items():
        assert torch.equal(weights_of(getattr(made, name)), weights) == (name == network)


def test_a_checkpoint_has_the_classifier_in_it(tmp_path: Path) -> None:
    source = tmp_path / "source.ckpt"
    quiet_trainer(max_steps=0, default_root_dir=tmp_path).fit(
        classifier := CNNClassifier((1, 16, 16), 2, filters=(4, 4)), DataLoader([])
    )
    classifier.trainer.save_checkpoint(source)
    made = fitted(built(str(source)), [built(str(source)).example_batch(8)] * 2, tmp_path)
    made.trainer.save_checkpoint(tmp_path / "adapted.ckpt")
    source.unlink()
    again = load_module(tmp_path / "adapted.ckpt")
    assert isinstance(again, ADDA)
    assert torch.equal(weights_of(again), weights_of(made))
    assert again.num_classes == 2


def in_the_dusk(images: Tensor, draw: torch.Generator) -> Tensor:
    """Return digits half as light on a ground that is light at one end, more or less so."""
    slope = torch.rand(len(images), 1, 1, 1, generator=draw) * torch.linspace(-0.5, 0.5, 16)[:, None]
    return (0.2 + 0.5 * images + slope).clamp(0, 1)


@pytest.mark.learning
def test_it_comes_to_read_what_its_classifier_does_not(tmp_path: Path) -> None:
    digits = DigitsDataModule(image_size=16)
    (x, y), (x_test, y_test) = ((images / 255, labels) for images, labels in map(digits.load, (True, False)))
    draw = torch.Generator().manual_seed(0)

    def some() -> Tensor:
        return torch.randint(len(x), (64,), generator=draw)

    torch.manual_seed(0)
    classifier = CNNClassifier((1, 16, 16), filters=(16, 16))
    optimizer = torch.optim.Adam(classifier.parameters(), 2e-3)
    for _ in range(200):
        rows = some()
        optimizer.zero_grad()
        F.cross_entropy(classifier(x[rows]), y[rows]).backward()
        optimizer.step()
    batches = []
    for _ in range(300):
        a, b = some(), some()
        batches.append((x[a], in_the_dusk(x[b], draw), y[a], y[b]))
    made = fitted(built(classifier, hidden_dims=(500, 500)), batches, tmp_path)
    loader = DataLoader([(x_test, in_the_dusk(x_test, draw), y_test, y_test)], batch_size=None)
    (found,) = quiet_trainer(default_root_dir=tmp_path).validate(made, loader, verbose=False)
    assert found["val/read_a"] > 0.9
    assert found["val/unadapted"] < 0.8
    assert found["val/read_b"] > found["val/unadapted"] + 0.06


def test_wrong_use_ends_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="ADDA needs a classifier of the images of a"):
        fitted(built(None), [built().example_batch(8)], tmp_path)
    with pytest.raises(UserError, match=r"a label is outside 0\.\.1"):
        ADDA(Halves(), (1, 2, 2)).pairs_of((A, B, LABELS + 1, LABELS))
    with pytest.raises(UserError, match=r"input_shape is \[1, 16, 16\], but the classifier was built with"):
        ADDA(CNNClassifier((3, 16, 16), filters=(4,)), (1, 16, 16))
    with pytest.raises(UserError, match="classifier is a VAE, which gives no logits"):
        ADDA(VAE((1, 16, 16)), (1, 16, 16))
    with pytest.raises(UserError, match=r"the images are \[3, 16, 16\] but ADDA was built for \[1, 16, 16\]"):
        built()(torch.rand(2, 3, 16, 16))
    with pytest.raises(UserError, match="loss 'l1' is unknown"):
        built(loss="l1")
    assert isinstance(built().classifier, nn.Module)
