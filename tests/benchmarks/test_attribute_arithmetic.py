import os
import tarfile

import pytest
import torch
from torch import nn

from benchmarks.context import Context
from benchmarks.data.archive import unpacked
from benchmarks.instruments.attribute_reader import read, train_reader
from benchmarks.programs.attribute_arithmetic import Faces, Fractions, best, compared, fractions
from dlmodules.errors import UserError


def test_changed_are_those_read_right_before_and_opposite_after():
    has = torch.tensor([False, False, True, True, True])
    before = torch.tensor([[0, 0], [1, 0], [1, 1], [1, 1], [0, 1]], dtype=torch.bool)
    after = torch.tensor([[1, 0], [1, 0], [0, 0], [1, 1], [1, 1]], dtype=torch.bool)
    # The second was read wrong before, the fourth did not change, the fifth was wrong before and went the wrong way.
    found = compared(before, after, has, 0, 1.5)
    assert found.changed == pytest.approx(2 / 5)
    assert (found.added, found.removed) == pytest.approx((1 / 2, 1 / 3))
    assert found.kept == pytest.approx((2 / 5, 4 / 5))
    assert found.others(0) == pytest.approx([4 / 5])


class Plain(nn.Module):
    """An image is its code; its attributes are the numbers above 0."""

    def decode(self, codes):
        return codes

    def encode(self, images):
        return images

    def forward(self, images):
        return images


def test_faces_go_away_from_what_they_have():
    codes = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [3.0, -1.0]])
    given = Faces(codes, codes > 0, codes)
    vectors = torch.tensor([[1.0, -0.75], [0.0, 1.0]])
    found = fractions(Plain(), Plain(), given, codes > 0, vectors, 0, 2.0)
    # (1, 1) -> (-1, 2.5), (-1, 1) -> (1, -0.5), (3, -1) -> (1, 0.5)
    assert found.changed == pytest.approx(2 / 3)
    assert found.kept == pytest.approx((1 / 3, 1 / 3))


def test_the_best_strength_moves_and_keeps_and_is_no_greater_than_it_need_be():
    tried = [
        Fractions(1.0, 0.5, (0.5, 1.0, 1.0), 0.5, 0.5),
        Fractions(2.0, 0.89, (0.1, 0.9, 0.9), 0.9, 0.9),
        Fractions(2.5, 0.9, (0.1, 0.9, 0.9), 0.9, 0.9),
        Fractions(3.0, 1.0, (0.0, 0.6, 0.7), 1.0, 1.0),
    ]
    assert best(tried, 0).strength == 2.0


@pytest.mark.learning
def test_the_reader_learns_two_attributes():
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(2, (256, 2), generator=generator)
    x = 0.5 * torch.rand(256, 3, 64, 64, generator=generator)
    x[:, 0, 10:20, 10:20] += 0.5 * y[:, 0, None, None]
    x[:, 2, 40:50, 40:50] += 0.5 * y[:, 1, None, None]
    loader = [(x[i : i + 32], y[i : i + 32]) for i in range(0, 192, 32)]
    reader = train_reader(loader, attributes=2, epochs=20, steps=6, seed=0)
    assert (read(reader, x[192:]) == (y[192:] > 0)).float().mean() > 0.95


def test_an_archive_is_unpacked_once_with_the_files_beside_it(tmp_path, monkeypatch):
    data, work = tmp_path / "data", tmp_path / "work"
    (data / "a").mkdir(parents=True)
    work.mkdir()
    (data / "a" / "face.jpg").write_text("face")
    with tarfile.open(data / "a" / "faces.tar.gz", "w:gz") as tar:
        tar.add(data / "a" / "face.jpg", "img/face.jpg")
    (data / "a" / "list.txt").write_text("list")
    monkeypatch.setenv("DLMODULES_DATA", str(data))
    root = data / "a"
    given = (root.relative_to(data) / "faces.tar.gz", [root.relative_to(data) / "list.txt"])
    folder = unpacked(Context(work=work), "faces", *given)
    assert (folder / "img" / "face.jpg").read_text() == "face"
    assert (folder / "list.txt").read_text() == "list"
    assert os.listdir(work) == ["faces"]
    (folder / "list.txt").write_text("kept")
    unpacked(Context(work=work), "faces", *given)
    assert (folder / "list.txt").read_text() == "kept"
    monkeypatch.setenv("DLMODULES_DATA", str(tmp_path))
    with pytest.raises(UserError, match=r"there is no a/faces\.tar\.gz in the folder of data"):
        unpacked(Context(work=work), "other", *given)
