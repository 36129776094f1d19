import gzip
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader
from torchvision import datasets
from torchvision.transforms import ToTensor

from datamodules import BinarizedMNISTDataModule, FashionMNISTDataModule, MNISTDataModule
from datamodules.images.mnist import FILES
from dlmodules.errors import UserError

REAL = os.environ.get("DLMODULES_DATA", "")
needs_mnist = pytest.mark.skipif(
    not (Path(REAL) / "MNIST" / "raw").is_dir() or not REAL, reason="needs MNIST in $DLMODULES_DATA"
)
needs_fashion = pytest.mark.skipif(
    not (Path(REAL) / "FashionMNIST" / "raw").is_dir() or not REAL,
    reason="needs FashionMNIST in $DLMODULES_DATA",
)


def idx(dimensions: list[int], values: list[int]) -> bytes:
    head = bytes([0, 0, 8, len(dimensions)]) + b"".join(size.to_bytes(4, "big") for size in dimensions)
    return head + bytes(values)


def contents() -> dict[str, bytes]:
    """Thirty training and ten test images; every pixel of image i is i, and its label is i modulo 10."""
    files = {}
    for images, labels, n in ((FILES[0], FILES[1], 30), (FILES[2], FILES[3], 10)):
        files[images] = idx([n, 28, 28], [i for i in range(n) for _ in range(28 * 28)])
        files[labels] = idx([n], [i % 10 for i in range(n)])
    return files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in contents().items():
        (raw / name).write_bytes(content)
    return tmp_path


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_files_are_read_and_nothing_is_written(folder: Path) -> None:
    before = tree(folder)
    data = MNISTDataModule(data_dir=str(folder), val_size=5, batch_size=10)
    data.prepare_data()
    data.setup()
    assert data.image_shape == (1, 28, 28)
    assert data.num_classes == 10
    sizes = [sum(len(y) for _, y in loader) for loader in (data.train_dataloader(), data.val_dataloader())]
    assert sizes == [25, 5]
    seen = []
    for loader in (data.train_dataloader(), data.val_dataloader()):
        for x, y in loader:
            values = x.mul(255).round()
            assert torch.equal(values[:, 0, 0, 0], values[:, 0, 27, 27])
            assert torch.equal(values[:, 0, 5, 5] % 10, y.float())
            seen += values[:, 0, 5, 5].tolist()
    assert sorted(seen) == list(range(30))
    assert tree(folder) == before


def test_data_dir_defaults_to_the_environment_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLMODULES_DATA", str(folder))
    data = MNISTDataModule(val_size=5)
    data.setup("test")
    assert data.test_set is not None
    assert len(data.test_set) == 10
    monkeypatch.delenv("DLMODULES_DATA")
    assert MNISTDataModule().data_dir == "data"


def test_images_are_resized_and_channels_repeated(folder: Path) -> None:
    data = MNISTDataModule(data_dir=str(folder), image_size=32, channels=3)
    images, _ = data.load(train=False)
    assert data.image_shape == (3, 32, 32)
    assert images.shape == (10, 3, 32, 32)
    assert images[7].unique().tolist() == [7]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"<html>", lambda content: b""])
def test_a_damaged_file_is_named(folder: Path, name: str, damage: Any) -> None:
    file = folder / "MNIST" / "raw" / name
    file.write_bytes(damage(file.read_bytes()))
    data = MNISTDataModule(data_dir=str(folder), val_size=5)
    data.prepare_data()
    with pytest.raises(UserError, match=name):
        data.setup()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[[Path], str]) -> Path:
    """Let torchvision download the small files above, compressed; return the folder that is served."""
    server = tmp_path / "server"
    server.mkdir()
    resources = []
    for name, content in contents().items():
        archive = gzip.compress(content, mtime=0)
        (server / f"{name}.gz").write_bytes(archive)
        resources.append((f"{name}.gz", hashlib.md5(archive).hexdigest()))
    monkeypatch.setattr(datasets.MNIST, "mirrors", [serve(server)])
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    return server


def test_download(server: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    data = MNISTDataModule(data_dir=str(folder), val_size=5)
    data.prepare_data()
    data.setup()
    assert tree(folder) == {"MNIST", "MNIST/raw", *(f"MNIST/raw/{name}" for name in FILES)}
    assert data.train_set is not None
    assert len(data.train_set) == 25


@pytest.mark.parametrize("lost", [0, 3])
def test_a_download_that_breaks_off_leaves_nothing(server: Path, tmp_path: Path, lost: int) -> None:
    archive = server / f"{FILES[lost]}.gz"
    archive.write_bytes(archive.read_bytes()[:20])
    folder = tmp_path / "data"
    with pytest.raises(UserError) as caught:
        MNISTDataModule(data_dir=str(folder)).prepare_data()
    assert tree(folder) == set()
    message = str(caught.value)
    assert "\n" not in message
    for part in (*FILES, str(folder / "MNIST" / "raw"), "DLMODULES_DATA", "DigitsDataModule"):
        assert part in message


def test_a_single_missing_file_is_fetched(server: Path, folder: Path) -> None:
    (folder / "MNIST" / "raw" / FILES[1]).unlink()
    MNISTDataModule(data_dir=str(folder)).prepare_data()
    assert {f"MNIST/raw/{name}" for name in FILES} <= tree(folder)
    assert not [name for name in tree(folder) if ".download" in name]


def test_no_network(server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(UserError, match=r"downloading to .* failed"):
        MNISTDataModule(data_dir=str(tmp_path / "data")).prepare_data()


def test_archives_put_there_by_hand_do_without_a_network(
    server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for archive in server.glob("*.gz"):
        archive.rename(raw / archive.name)
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    data = MNISTDataModule(data_dir=str(tmp_path / "data"), val_size=5)
    data.prepare_data()
    data.setup("fit")
    assert data.train_set is not None


def test_without_data_and_without_prepare_data(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="train-images-idx3-ubyte is missing"):
        MNISTDataModule(data_dir=str(tmp_path)).setup("fit")


@needs_mnist
def test_real_mnist() -> None:
    data = MNISTDataModule(data_dir=REAL)
    data.prepare_data()
    data.setup()
    assert data.train_set is not None
    assert data.val_set is not None
    assert data.test_set is not None
    assert [len(part) for part in (data.train_set, data.val_set, data.test_set)] == [55_000, 5_000, 10_000]
    assert data.train_set.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.test_set.labels[:5].tolist() == [7, 2, 1, 0, 4]
    reference = datasets.MNIST(REAL, transform=ToTensor())
    assert data.train_set.indices is not None
    row = int(data.train_set.indices[17])
    x, y = data.train_set[17]
    assert torch.equal(x, reference[row][0])
    assert int(y) == reference[row][1]


@needs_fashion
def test_real_fashion_mnist() -> None:
    data = FashionMNISTDataModule(data_dir=REAL)
    data.prepare_data()
    data.setup()
    assert data.test_set is not None
    first = data.test_set[0][1]
    assert data.class_names[int(first)] == "Ankle boot"
    assert data.num_classes == 10


@needs_mnist
def test_batches_come_twenty_times_as_fast_as_one_image_at_a_time() -> None:
    def seconds_per_batch(loader: Any, batches: int) -> float:
        start = time.perf_counter()
        for count, _ in enumerate(loader, start=1):
            if count == batches:
                break
        return (time.perf_counter() - start) / batches

    data = MNISTDataModule(data_dir=REAL)
    data.setup("fit")
    slow = DataLoader(datasets.MNIST(REAL, transform=ToTensor()), batch_size=128, shuffle=True)
    ratios = [seconds_per_batch(slow, 20) / seconds_per_batch(data.train_dataloader(), 400) for _ in range(3)]
    assert max(ratios) > 20


def test_binarized_pixels_are_the_same_draw_for_every_seed_and_as_often_white_as_grey(folder: Path) -> None:
    raw = folder / "MNIST" / "raw"
    (raw / FILES[0]).write_bytes(idx([30, 28, 28], [i * 8 for i in range(30) for _ in range(28 * 28)]))
    first, second = (BinarizedMNISTDataModule(data_dir=str(folder), seed=seed).load(train=True)[0] for seed in (0, 1))
    assert torch.equal(first, second)
    assert set(first.flatten().tolist()) == {0, 255}
    share = (first == 255).float().flatten(1).mean(dim=1)
    assert (share - torch.arange(30) * 8 / 255).abs().max() < 0.08
    assert torch.equal(first[0], torch.zeros_like(first[0]))
