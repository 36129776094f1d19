"""Own pairs of images in folders, and what is wrong with some."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from datamodules import PairFolderDataModule
from dlmodules.errors import UserError


def save(path: Path, *colours: int) -> None:
    """Write an image of fields side by side, each of one grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("L", (16 * len(colours), 16))
    for number, colour in enumerate(colours):
        image.paste(colour, (16 * number, 0, 16 * number + 16, 16))
    image.save(path)


def test_images_of_one_name_are_a_pair(tmp_path: Path) -> None:
    for row, name in enumerate(("0", "1", "2", "3", "3.k", "4", "5", "6", "7", "8")):
        save(tmp_path / "A" / f"{name}.png", 10 * row)
        save(tmp_path / "B" / f"{name}.bmp", 10 * row + 5)  # where 3 comes before 3.k, which it does not above
    data = PairFolderDataModule(str(tmp_path), image_size=8, channels_a=1, batch_size=4)
    data.prepare_data()
    data.setup()
    parts = [data.train_set, data.val_set, data.test_set]
    assert [len(part or ()) for part in parts] == [8, 1, 1]
    for part in parts:
        assert part is not None
        a, b, labels, _ = part.__getitems__(list(range(len(part))))
        assert a.shape[1:] == (1, 8, 8)
        assert b.shape[1:] == (3, 8, 8)
        assert torch.allclose(b - a, torch.full_like(b, 5 / 255))
        assert not labels.any()
    assert PairFolderDataModule(str(tmp_path), seed=3).rows()["test"].tolist() == data.rows()["test"].tolist()


def test_halves_of_one_image_are_a_pair(tmp_path: Path) -> None:
    for row in range(4):
        save(tmp_path / "train" / f"{row}.png", 50, 200)
    save(tmp_path / "test" / "0.png", 0, 255)
    for sides, first in (("ab", 50), ("ba", 200)):
        data = PairFolderDataModule(str(tmp_path), image_size=8, side_by_side=sides, val_fraction=0.25)  # type: ignore[arg-type]  # both
        data.setup()
        assert data.train_set is not None
        assert len(data.train_set) == 3
        a, b, *_ = data.train_set[0]
        assert (a * 255).round().unique().tolist() == [first]
        assert (b * 255).round().unique().tolist() == [250 - first]
        assert len(data.test_set or ()) == 1


def test_given_parts_and_classes(tmp_path: Path) -> None:
    for part, n in (("train", 3), ("val", 1), ("test", 2)):
        for row in range(n):
            for side in "AB":
                save(tmp_path / side / part / "cats" / f"{row}.png", row)
                save(tmp_path / side / part / "dogs" / f"{row}.png", row)
    data = PairFolderDataModule(str(tmp_path), image_size=8)
    assert {part: len(rows) for part, rows in data.rows().items()} == {"train": 6, "val": 2, "test": 4}
    assert data.class_names == ["cats", "dogs"]
    data.setup("test")
    assert data.test_set is not None
    assert data.test_set.__getitems__(range(4))[2].tolist() == [0, 0, 1, 1]


def test_errors_are_one_line(tmp_path: Path) -> None:
    for row in range(3):
        save(tmp_path / "A" / f"{row}.png", 0)
        save(tmp_path / "B" / f"{row}.png", 0)
    with pytest.raises(UserError, match="side_by_side is 'left'; it must be ab or ba, or null"):
        PairFolderDataModule(str(tmp_path), side_by_side="left")  # type: ignore[arg-type]  # a wrong one
    with pytest.raises(UserError, match="together be less than 1"):
        PairFolderDataModule(str(tmp_path), val_fraction=0.5, test_fraction=0.5)
    save(tmp_path / "A" / "3.png", 0)
    with pytest.raises(UserError, match=r"3 of .*A has no partner of that name in .*B"):
        PairFolderDataModule(str(tmp_path)).setup("fit")
    save(tmp_path / "B" / "3.png", 0)
    save(tmp_path / "B" / "4.png", 0)
    with pytest.raises(UserError, match=r"4 of .*B has no partner of that name in .*A"):
        PairFolderDataModule(str(tmp_path)).setup("fit")
    save(tmp_path / "B" / "3.bmp", 0)
    with pytest.raises(UserError, match="has two images 3: keep one"):
        PairFolderDataModule(str(tmp_path)).setup("fit")
    with pytest.raises(UserError, match="there is no folder"):
        PairFolderDataModule(str(tmp_path / "nowhere")).setup("fit")
