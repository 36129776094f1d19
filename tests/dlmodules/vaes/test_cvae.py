"""The conditional VAE, and foster's networks and weight: counts, terms, labels, and that it learns."""

import pytest
import pytorch_lightning as pl
import torch

from datamodules import DigitsDataModule
from dlmodules import CVAE, VAE
from dlmodules.errors import UserError
from dlmodules.vaes.cvae import ConditionalDecoder, ConditionalEncoder
from dlmodules.vaes.stack_networks import StackDecoder, StackEncoder
from tests.quiet import quiet_trainer


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_parameter_counts_are_the_books():
    assert count(CVAE()) == 174_437
    assert (count(StackEncoder()), count(StackDecoder())) == (105_220, 102_017)
    # The faces' networks: 128x128 becomes 8x8 of 64 channels, 4,096 numbers.
    shape, encoder = (3, 128, 128), {"channels": (32, 64, 64, 64), "strides": (2, 2, 2, 2), "batch_norm": True}
    heads = 2 * (4096 * 200 + 200)
    convolutions = (27 * 32 + 32) + (288 * 64 + 64) + 2 * (576 * 64 + 64)
    norms = 2 * (32 + 3 * 64)
    assert count(StackEncoder(shape, 200, **encoder)) == convolutions + norms + heads
    assert StackDecoder(shape, 200, (64, 64, 32), (2, 2, 2, 2))(torch.zeros(1, 200)).shape == (1, 3, 128, 128)


def test_foster_weighs_the_mean_over_pixels():
    torch.manual_seed(0)
    x, logits = torch.rand(2, 1, 28, 28), torch.randn(2, 1, 28, 28)
    weighted = VAE(likelihood="gaussian", r_loss_factor=1000.0).reconstruction_loss(logits, x)
    torch.testing.assert_close(weighted, 1000 * (logits.sigmoid() - x).square().flatten(1).mean(dim=1))
    summed = VAE(likelihood="gaussian").reconstruction_loss(logits, x)
    same = VAE(likelihood="gaussian", r_loss_factor=784.0).reconstruction_loss(logits, x)
    torch.testing.assert_close(same, summed)
    with pytest.raises(UserError, match="r_loss_factor is 0"):
        VAE(r_loss_factor=0)


def test_the_label_is_drawn_beside_the_image_and_stands_beside_the_code():
    encoder, decoder = ConditionalEncoder((1, 8, 8), 2, 3), ConditionalDecoder((1, 8, 8), 2, 3)
    seen = []
    encoder.encoder.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    decoder.decoder.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    x, condition = torch.rand(1, 1, 8, 8), torch.tensor([[0.0, 1.0, 0.0]])
    encoder(x, condition)
    decoder(torch.tensor([[5.0, 6.0]]), condition)
    assert torch.equal(seen[0][:, :1], x)
    torch.testing.assert_close(seen[0][0, 1].flatten(), encoder.label_to_image.weight[:, 1])  # the bias is 0 at first
    assert seen[1].tolist() == [[5.0, 6.0, 0.0, 1.0, 0.0]]


def test_labels_reach_encoder_and_decoder():
    torch.manual_seed(0)
    module = CVAE(num_classes=3).eval()
    x, labels = torch.rand(4, 1, 28, 28), torch.tensor([0, 1, 2, 0])
    other = torch.tensor([1, 1, 2, 0])
    same = (module.encode(x, labels) == module.encode(x, other)).all(dim=1)
    assert same.tolist() == [False, True, True, True]
    z = torch.zeros(4, 2)
    same = (module.decode(z, labels) == module.decode(z, other)).flatten(1).all(dim=1)
    assert same.tolist() == [False, True, True, True]
    assert module.reconstruct(x, labels).shape == x.shape
    assert torch.equal(module.predict_step((x, labels), 0), module.encode(x, labels))


def test_samples_of_asked_and_of_drawn_classes():
    module = CVAE().eval()
    asked = torch.tensor([3, 3, 7])
    first, second = (module.sample(3, asked, torch.Generator().manual_seed(0)) for _ in range(2))
    assert torch.equal(first, second)
    seen = []
    module.decoder.register_forward_pre_hook(lambda _, args: seen.append(args[1].argmax(dim=1)))
    assert module.sample(200, generator=torch.Generator().manual_seed(0)).shape == (200, 1, 28, 28)
    assert set(seen[0].tolist()) == set(range(10))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (None, "CVAE is conditional: it needs the labels"),
        (torch.tensor([0, 10]), r"outside 0..9 \(labels here: 0..10\)"),
        (torch.tensor([1]), "needs 2 whole numbers"),
        (torch.tensor([0.0, 1.0]), "needs 2 whole numbers"),
    ],
)
def test_wrong_labels_are_named(labels, words):
    with pytest.raises(UserError, match=words):
        CVAE().encode(torch.rand(2, 1, 28, 28), labels)


def test_a_batch_without_labels_is_named():
    x = torch.rand(2, 1, 28, 28)
    for step in (CVAE().training_step, CVAE().predict_step):
        for batch in (x, (x,)):
            with pytest.raises(UserError, match="CVAE is conditional: it needs batches of images and labels"):
                step(batch, 0)


def test_no_classes_are_refused():
    with pytest.raises(UserError, match="num_classes is 0"):
        CVAE(num_classes=0)


@pytest.mark.learning
@pytest.mark.slow
def test_it_draws_the_digit_that_is_asked_for(tmp_path):
    """The nearest class mean of the training images reads the samples; labels that miss the decoder turn it red."""
    pl.seed_everything(0)
    data = DigitsDataModule(batch_size=32)
    module = CVAE(optimizer=lambda p: torch.optim.Adam(p, lr=2e-3))
    trainer = quiet_trainer(max_epochs=15, default_root_dir=tmp_path)
    trainer.fit(module, data)
    images, labels = (torch.cat(part) for part in zip(*data.train_dataloader(), strict=True))
    means = torch.stack([images[labels == digit].mean(0) for digit in range(10)]).flatten(1)
    asked = torch.arange(10).repeat(20)
    samples = module.eval().sample(200, asked, torch.Generator().manual_seed(0)).detach().flatten(1)
    assert (torch.cdist(samples, means).argmin(dim=1) == asked).float().mean() > 0.85
