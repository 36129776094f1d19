from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from datamodules import QuickDrawDataModule
from datamodules.images import quickdraw
from dlmodules.errors import UserError


def write(folder: Path, name: str, n: int, first: int = 0) -> Path:
    """Write drawings of which the first pixel of number i is ``first`` + i, and the last pixel 255."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((n, 784), dtype=np.uint8)
    pixels[:, 0] = first + np.arange(n)
    pixels[:, -1] = 255
    np.save(folder / f"{name}.npy", pixels)
    return folder / f"{name}.npy"


def members(data: QuickDrawDataModule, split: str) -> set[tuple[int, int]]:
    """First pixel and label of each image."""
    dataset = getattr(data, f"{split}_set")
    return {(round(float(x[0, 0, 0]) * 255), int(y)) for x, y in dataset}


def test_drawings_and_their_categories_by_hand(tmp_path: Path) -> None:
    write(tmp_path / "quickdraw", "camel", 12)
    write(tmp_path / "quickdraw", "sea turtle", 8, first=100)
    data = QuickDrawDataModule(
        ["camel", "sea turtle"], batch_size=4, val_size=3, test_size=0.25, data_dir=str(tmp_path)
    )
    data.prepare_data()
    data.setup()
    assert data.class_names == ["camel", "sea turtle"]
    x, y = next(iter(data.train_dataloader()))
    assert x.shape == (4, *data.image_shape) == (4, 1, 28, 28)
    assert y.dtype == torch.int64
    assert (x[:, 0, 27, 27] == 1).all()
    assert (x[:, 0, 1:27] == 0).all()
    parts = [members(data, split) for split in ("train", "val", "test")]
    assert [len(part) for part in parts] == [12, 3, 5]
    assert set.union(*parts) == {(i, 0) for i in range(12)} | {(100 + i, 1) for i in range(8)}


def test_the_first_drawings_of_each_category(tmp_path: Path) -> None:
    write(tmp_path / "quickdraw", "camel", 12)
    write(tmp_path / "quickdraw", "cat", 3, first=100)
    data = QuickDrawDataModule(["cat", "camel"], max_images=5, val_size=0, test_size=0, data_dir=str(tmp_path))
    data.setup()
    assert members(data, "train") == {(100, 0), (101, 0), (102, 0)} | {(i, 1) for i in range(5)}
    assert data.val_dataloader() == []
    with pytest.raises(UserError, match="no test images"):
        data.test_dataloader()


def test_the_seed_moves_the_split_but_not_the_test(tmp_path: Path) -> None:
    write(tmp_path / "quickdraw", "camel", 40)
    splits = []
    for seed in (0, 0, 1):
        data = QuickDrawDataModule(val_size=8, test_size=8, seed=seed, data_dir=str(tmp_path))
        data.setup()
        splits.append([members(data, split) for split in ("train", "val", "test")])
    assert splits[0] == splits[1]
    assert splits[0][1] != splits[2][1]
    assert splits[0][2] == splits[2][2]


def test_another_size_in_colour(tmp_path: Path) -> None:
    write(tmp_path / "quickdraw", "camel", 10)
    data = QuickDrawDataModule(image_size=14, channels=3, val_size=0, test_size=0, data_dir=str(tmp_path))
    data.setup()
    images, _ = data.load(train=True)
    assert images.shape == (10, 3, 14, 14)
    assert torch.equal(images[:, 0], images[:, 2])
    assert data.load(train=False)[0].shape == (0, 3, 14, 14)


def test_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[[Path], str]) -> None:
    write(tmp_path / "server", "sea turtle", 30)
    monkeypatch.setattr(quickdraw, "URL", serve(tmp_path / "server"))
    write(tmp_path / "data" / "quickdraw", "camel", 10)
    data = QuickDrawDataModule(["camel", "sea turtle"], data_dir=str(tmp_path / "data"))
    data.prepare_data()
    assert sorted(path.name for path in data.folder.iterdir()) == ["camel.npy", "sea turtle.npy"]
    data.setup("fit")
    assert data.train_set is not None
    assert len(data.train_set) == 37  # of 40, two for the test, and one in twenty of 38


def test_a_download_that_fails_or_is_cut_off_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[[Path], str]
) -> None:
    data = QuickDrawDataModule(data_dir=str(tmp_path / "data"))
    path = write(tmp_path / "server", "camel", 30)
    path.write_bytes(path.read_bytes()[:-1])
    for url in ("http://127.0.0.1:9/", serve(tmp_path / "server")):
        monkeypatch.setattr(quickdraw, "URL", url)
        with pytest.raises(UserError) as caught:
            data.prepare_data()
        assert list(data.folder.iterdir()) == []
        for part in ("camel.npy", str(data.folder), "categories.txt", "DigitsDataModule"):
            assert part in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"camel\.npy is missing"):
        data.setup("fit")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 28, 28), np.uint8), r"uint8 \(4, 28, 28\); it must have drawings"),
        (np.zeros((4, 783), np.uint8), r"\(4, 783\)"),
        (np.zeros((4, 784), np.float32), "float32"),
        (np.zeros((0, 784), np.uint8), r"camel\.npy"),
        (np.array([None]), "cannot be read"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, array: np.ndarray, message: str) -> None:
    (tmp_path / "quickdraw").mkdir()
    np.save(tmp_path / "quickdraw" / "camel.npy", array, allow_pickle=True)
    with pytest.raises(UserError, match=message) as caught:
        QuickDrawDataModule(data_dir=str(tmp_path)).setup("fit")
    assert "\n" not in str(caught.value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "quickdraw"
    folder.mkdir()
    (folder / "camel.npy").write_bytes(b"")
    np.savez(folder / "cat.npz", np.zeros((2, 784), np.uint8))
    (folder / "cat.npz").rename(folder / "cat.npy")
    for name, message in (("camel", "cannot be read"), ("cat", "is an archive")):
        with pytest.raises(UserError, match=message):
            QuickDrawDataModule([name], data_dir=str(tmp_path)).setup("fit")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"categories": []}, "one or more"),
        ({"categories": ["cat", "cat"]}, "each once"),
        ({"categories": "cat"}, r"such as \[cat\]"),
        ({"categories": ["../cat"]}, "no category"),
        ({"max_images": 0}, "max_images is 0"),
        ({"test_size": 1.0}, "test_size is 1.0"),
        ({"channels": 2}, "channels is 2"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        QuickDrawDataModule(**arguments)  # type: ignore[arg-type]


def test_a_test_that_takes_all(tmp_path: Path) -> None:
    write(tmp_path / "quickdraw", "camel", 10)
    with pytest.raises(UserError, match="test_size=10 leaves none of the 10 drawings"):
        QuickDrawDataModule(test_size=10, data_dir=str(tmp_path)).setup("fit")
