"""Deep belief networks, dense and convolutional."""

import pytest
import pytorch_lightning as pl
import torch
from sklearn.linear_model import LogisticRegression

from datamodules import DigitsDataModule
from dlmodules import DBN, ConvDBN
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer


def test_parameter_counts():
    # 784 x 500, 500 x 500, 500 x 2000, and the biases of both sides of each.
    assert sum(p.numel() for p in DBN().parameters()) == 1_646_784
    # 24 filters of 9x9 and 40 of 24x5x5, and the biases of maps below and above.
    assert sum(p.numel() for p in ConvDBN().parameters()) == 26_033


def test_codes_go_down_as_they_came_up():
    module = DBN((1, 4, 4), (6, 5), epochs_per_layer=1, sample_steps=3)
    x = torch.rand(3, 1, 4, 4)
    first, second = module.machines
    up = torch.sigmoid(second.up(torch.sigmoid(first.up(x.flatten(1)))))
    assert torch.equal(module.encode(x), up)
    down = torch.sigmoid(up @ second.up.weight + second.visible_bias)
    down = torch.sigmoid(down @ first.up.weight + first.visible_bias)
    torch.testing.assert_close(module.decode(up), down.view(3, 1, 4, 4))
    torch.testing.assert_close(module.reconstruct(x), module.decode(module.encode(x)))
    with pytest.raises(UserError, match=r"this DBN needs \(n, 5\)"):
        module.decode(torch.zeros(1, 6))


@pytest.mark.parametrize("chains", [0, 9])
def test_samples_are_those_of_their_seed(chains):
    module = DBN((1, 4, 4), (6, 5), epochs_per_layer=1, sample_steps=3, chains=chains)
    first, again = (module.sample(2, generator=torch.Generator().manual_seed(1)) for _ in range(2))
    assert first.shape == (2, 1, 4, 4)
    assert torch.equal(first, again)
    with pytest.raises(UserError, match="takes no labels"):
        module.sample(1, torch.tensor([1]))


@pytest.mark.parametrize("visible", ["binary", "gaussian"])
def test_convolutional_shapes(visible):
    module = ConvDBN((3, 16, 16), (4, 5), (5, 3), (2, 2), visible=visible)
    x = torch.rand(2, 3, 16, 16)
    assert module.encode(x).shape == (2, module.latent_dim) == (2, 5 * 2 * 2)
    assert module.reconstruct(x).shape == x.shape
    filters = module.filters()["layer_2"]
    assert filters.shape == (5, 3, 10, 10)  # 3x3 places of blocks of 2x2, seen through filters of 5x5


def test_gaussian_images_are_brought_to_mean_0_and_deviation_1():
    module = ConvDBN((3, 16, 16), (4,), (5,), (2,), visible="gaussian")
    visible = module.visible(torch.rand(2, 3, 16, 16) * 0.2 + 0.7)
    torch.testing.assert_close(visible.mean(dim=(1, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(visible.std(dim=(1, 2, 3)), torch.ones(2))


def test_numbers_that_do_not_fit_together():
    with pytest.raises(UserError, match="layer 1: a kernel of 4 leaves 25x25 places"):
        ConvDBN(kernel_sizes=(4, 5))
    with pytest.raises(UserError, match="a number for each layer"):
        ConvDBN(pools=(2,))
    for zero in ("hidden_channels", "kernel_sizes", "pools"):
        with pytest.raises(UserError, match="hidden_channels, kernel_sizes and pools must be 1 or more"):
            ConvDBN(**{zero: (1, 0)})
    with pytest.raises(UserError, match="must be 1 or more"):
        DBN(hidden_dims=())
    with pytest.raises(UserError, match="epochs_per_layer must be 1 or more"):
        DBN(epochs_per_layer=0)
    with pytest.raises(UserError, match=r"needs images in \[0, 1\]"):
        DBN((1, 4, 4), (3,)).training_step((torch.full((2, 1, 4, 4), 255.0), torch.zeros(2)), 0)


def test_annealing_lets_each_machine_come_to_rest(tmp_path):
    data = DigitsDataModule(batch_size=64, image_size=8, limit_train=256)
    module = DBN((1, 8, 8), (6, 5), epochs_per_layer=2, anneal=True)
    factors, remaining = [], module.remaining
    module.remaining = lambda batch_idx: factors.append(remaining(batch_idx)) or factors[-1]
    train(module, data, 5, tmp_path)
    each = [1 - step / 8 for step in range(8)]  # 2 epochs of 4 batches
    assert factors == pytest.approx([*each, *each, 0, 0, 0, 0])


def test_without_annealing_the_rate_stays():
    assert DBN((1, 4, 4), (3,)).remaining(7) == 1.0


def read_by_features(module, data):
    (train, labels), (test, truth) = (
        [torch.cat(part) for part in zip(*loader, strict=True)]
        for loader in (data.train_dataloader(), data.test_dataloader())
    )
    with torch.no_grad():
        reader = LogisticRegression(max_iter=500).fit(module.encode(train).numpy(), labels.numpy())
        return reader.score(module.encode(test).numpy(), truth.numpy())


def train(module, data, epochs, folder):
    trainer = quiet_trainer(max_epochs=epochs, default_root_dir=folder)
    trainer.fit(module, data)
    return trainer.test(module, data, verbose=False)[0]["test/reconstruction"]


@pytest.mark.learning
def test_two_machines_learn_features_and_to_go_down_again(tmp_path):
    pl.seed_everything(0)
    data = DigitsDataModule(batch_size=32, image_size=8)
    module = DBN((1, 8, 8), (64, 64), epochs_per_layer=15, optimizer=lambda p: torch.optim.SGD(p, lr=0.2))
    assert train(module, data, 30, tmp_path) < 0.045  # of the mean image: 0.075
    assert read_by_features(module, data) > 0.8  # untrained: 0.09


@pytest.mark.learning
def test_convolutional_machines_learn_features(tmp_path):
    pl.seed_everything(0)
    data = DigitsDataModule(batch_size=32, image_size=16)
    module = ConvDBN((1, 16, 16), (12, 24), (5, 3), (2, 2), epochs_per_layer=4)
    assert train(module, data, 8, tmp_path) < 0.057  # of the mean image: 0.07
    assert read_by_features(module, data) > 0.6  # untrained: 0.09
