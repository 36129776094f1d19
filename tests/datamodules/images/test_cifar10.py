import hashlib
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10

from datamodules import CIFAR10DataModule
from dlmodules.errors import UserError

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[[Path], str]) -> Path:
    """A small archive in CIFAR-10's format; red, green and blue of image i are 10, 20 and 30 plus i."""
    content = tmp_path / "content" / "cifar-10-batches-py"
    content.mkdir(parents=True)
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    for name in names:
        pixels = np.repeat(np.array([[10 + i, 20 + i, 30 + i] for i in range(4)], dtype=np.uint8), 1024, axis=1)
        (content / name).write_bytes(pickle.dumps({"data": pixels, "labels": [9, 0, 1, 2]}))
    (content / "batches.meta").write_bytes(pickle.dumps({"label_names": CLASSES}))
    server = tmp_path / "server"
    server.mkdir()
    archive = server / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(content, arcname=content.name)

    def md5(path: Path) -> str:
        return hashlib.md5(path.read_bytes()).hexdigest()

    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(archive))
    monkeypatch.setattr(CIFAR10, "train_list", [[name, md5(content / name)] for name in names[:5]])
    monkeypatch.setattr(CIFAR10, "test_list", [[names[5], md5(content / names[5])]])
    meta = {"filename": "batches.meta", "key": "label_names", "md5": md5(content / "batches.meta")}
    monkeypatch.setattr(CIFAR10, "meta", meta)
    monkeypatch.setattr(CIFAR10, "url", serve(server) + archive.name)
    return archive


def test_download_and_pixels(archive: Path, tmp_path: Path) -> None:
    data = CIFAR10DataModule(data_dir=str(tmp_path / "data"), val_size=5)
    assert data.image_shape == (3, 32, 32)
    assert data.class_names == CLASSES
    data.prepare_data()
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["cifar-10-batches-py"]
    data.setup()
    assert data.train_set is not None
    assert data.val_set is not None
    assert (len(data.train_set), len(data.val_set)) == (15, 5)
    images, labels = data.load(train=False)
    assert images.shape == (4, 3, 32, 32)
    assert images[2, :, 31, 0].tolist() == [12, 22, 32]
    assert labels.tolist() == [9, 0, 1, 2]
    assert labels.dtype == torch.int64


def test_the_archive_put_there_by_hand_does_without_a_network(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    data = CIFAR10DataModule(data_dir=str(archive.parent), val_size=5, image_size=16)
    data.prepare_data()
    images, _ = data.load(train=True)
    assert images.shape == (20, 3, 16, 16)


def test_a_failed_download_leaves_nothing_and_says_what_to_do(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    folder = tmp_path / "data"
    with pytest.raises(UserError) as caught:
        CIFAR10DataModule(data_dir=str(folder)).prepare_data()
    assert list(folder.iterdir()) == []
    for part in ("cifar-10-python.tar.gz", str(folder), "DigitsDataModule"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_damaged_data(archive: Path, tmp_path: Path) -> None:
    data = CIFAR10DataModule(data_dir=str(tmp_path / "data"), val_size=5)
    with pytest.raises(UserError, match="is missing"):
        data.setup("fit")
    data.prepare_data()
    batch = tmp_path / "data" / "cifar-10-batches-py" / "data_batch_3"
    batch.write_bytes(batch.read_bytes()[:100])
    with pytest.raises(UserError, match="cifar-10-batches-py is damaged"):
        data.setup("fit")


def test_some_classes_of_both_splits(archive: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    data = CIFAR10DataModule(data_dir=folder, val_size=2, classes=["bird", "truck"], join_splits=True)
    data.prepare_data()
    data.setup()
    assert data.class_names == ["bird", "truck"]
    assert data.num_classes == 2
    # Image 0 of each of six files is a truck (label 9), image 3 a bird (label 2).
    images, labels = data.load(train=True)
    assert labels.tolist() == [1, 0] * 6
    assert images[:, 0, 0, 0].tolist() == [10, 13] * 6
    assert data.train_set is not None
    assert len(data.train_set) == 10
    with pytest.raises(UserError, match="join_splits trains on the test images"):
        data.test_dataloader()
    apart = CIFAR10DataModule(data_dir=folder, val_size=1, image_size=16, classes=["airplane"])
    assert [len(apart.load(train)[0]) for train in (True, False)] == [5, 1]
    assert apart.load(train=False)[1].tolist() == [0]


@pytest.mark.parametrize(
    ("classes", "message"),
    [(["cow"], "no class 'cow'; there are airplane, auto"), ([], "one or more"), ("dog", r"such as \[dog\]")],
)
def test_classes_that_there_are_not(classes: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        CIFAR10DataModule(classes=classes)
