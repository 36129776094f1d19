import pytest
import torch
from torch import nn

from benchmarks.context import Context
from benchmarks.programs.colours import of_colours, without_learning
from benchmarks.readers import accuracy, both, made_of, trained
from callbacks.images.feature_network import FeatureNetwork
from datamodules import TensorImageDataset
from dlmodules.errors import UserError


class Reddish(nn.Module):
    """Reads images as 1 where they have more red than blue, else as 0."""

    def forward(self, x):
        colours = x.mean(dim=(2, 3))
        return torch.stack([colours[:, 2], colours[:, 0]], dim=1)


READER = FeatureNetwork(Reddish(), lambda x: x.mean(dim=(2, 3)), Reddish(), {"class": "test"})


def plain(colours, labels):
    """Images of one colour each."""
    images = torch.tensor(colours, dtype=torch.uint8)[:, :, None, None].expand(-1, -1, 4, 4)
    return TensorImageDataset(images, torch.tensor(labels))


def test_colours_are_read_and_compared_with_the_true_ones():
    true = plain([[200, 0, 0], [100, 0, 0], [0, 0, 200], [0, 0, 100]], [1, 1, 0, 0])
    other_way = plain([[0, 0, 100], [100, 0, 0], [0, 0, 200], [0, 0, 100]], [1, 1, 0, 0])
    found = of_colours(
        READER, true, {"coloured": true, "autoencoder": other_way, "grey": made_of(true, lambda x: 0 * x)}
    )
    assert found["own_colours"] == found["coloured"] == 1
    assert found["autoencoder"] == 0.75
    assert found["grey"] == 0.5  # all of it is read as 0
    assert found["colour_loss"] == 0
    assert found["grey_loss"] == pytest.approx(50)
    assert found["fid_coloured"] == pytest.approx(0, abs=1e-6)
    # Grey does not vary: the distance of the means and the sum of the variances, which are those of four numbers.
    red = torch.tensor([200, 100, 0, 0]) / 255
    assert found["fid_grey"] == pytest.approx(float(2 * (red.mean() ** 2 + red.var())), rel=1e-4)
    assert found["fid_autoencoder"] > 0.01
    assert found["fid_ratio"] == pytest.approx(0, abs=1e-4)


def test_images_are_made_in_parts_and_keep_their_labels():
    images = TensorImageDataset(torch.arange(1200).remainder(251).byte().view(-1, 1, 1, 1), torch.arange(1200) % 7)
    made = made_of(images, lambda x: (1 - x).expand(-1, 3, -1, -1))
    assert made.images.shape == (1200, 3, 1, 1)
    assert made.images[:, 2, 0, 0].tolist() == [255 - row % 251 for row in range(1200)]
    assert made.labels.tolist() == images.labels.tolist()
    assert len(made_of(images, lambda x: x, 501)) == 501


def test_both_domains_are_told_apart_by_their_labels():
    together = both(plain([[9, 0, 0]], [5]), plain([[0, 0, 1], [0, 0, 2]], [7, 7]))
    assert together.labels.tolist() == [0, 1, 1]
    assert accuracy(Reddish(), together) == pytest.approx(0)
    assert accuracy(Reddish(), both(plain([[0, 0, 1]], [0]), plain([[9, 0, 0]], [0]))) == 1


def test_what_is_trained_once_is_there_the_next_time(tmp_path, monkeypatch):
    commands = []

    def run(args, context, log):
        commands.append(args)
        folder = tmp_path / f"{args[args.index('--trainer.default_root_dir') + 1]}/cnn/version_0/checkpoints"
        folder.mkdir(parents=True)
        (folder / "last.ckpt").touch()

    monkeypatch.setattr("benchmarks.readers.run_command", run)
    paths = {trained("reader", "configs/classifiers/cnn.yaml", ("--x", "1"), Context(work=tmp_path)) for _ in range(2)}
    assert paths == {str(tmp_path / "reader" / "cnn" / "version_0" / "checkpoints" / "last.ckpt")}
    assert len(commands) == 1
    assert commands[0][:6] == ["train.py", "fit", "--config", "configs/classifiers/cnn.yaml", "--x", "1"]


def test_a_training_that_fails_is_not_taken_for_one(tmp_path, monkeypatch):
    def run(args, context, log):
        raise UserError("no data")

    monkeypatch.setattr("benchmarks.readers.run_command", run)
    for _ in range(2):
        with pytest.raises(UserError, match="no data"):
            trained("reader", "configs/classifiers/cnn.yaml", (), Context(work=tmp_path))
    assert not (tmp_path / "reader").exists()


def test_what_takes_no_network_by_hand():
    """One image is red, which is 0.3 in grey, and one white."""
    true = torch.tensor([[255, 0, 0], [255, 255, 255]], dtype=torch.uint8).reshape(2, 3, 1, 1)
    grey = torch.tensor([0.3 * 255, 255]).round().byte().reshape(2, 1, 1, 1)
    labels = torch.zeros(2, dtype=torch.long)
    found = without_learning(TensorImageDataset(grey, labels), TensorImageDataset(true, labels))
    light = int(grey[0]) / 255
    assert found["l1_means"] == pytest.approx((1 / 3 - light) / 2)
    assert found["l1_grey"] == pytest.approx((1 - light + 2 * light) / 3 / 2)
