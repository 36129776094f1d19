"""Images with a table of attributes, in CelebA's layout and as CSV."""

import os
from pathlib import Path

import pytest
import torch
from PIL import Image

from datamodules import CelebADataModule
from datamodules.images.attribute_table import read_attributes, read_splits
from dlmodules.errors import UserError

HEAD = "Smiling Eyeglasses"


def write(folder: Path, rows: dict[str, str], table: str = "list_attr_celeba.txt") -> Path:
    """Images whose grey value is their number times 20, and a table of attributes."""
    (folder / "img_align_celeba").mkdir()
    for number, file in enumerate(rows):
        Image.new("RGB", (10, 12), (number * 20,) * 3).save(folder / "img_align_celeba" / file)
    lines = [f"{file} {values}" for file, values in rows.items()]
    (folder / table).write_text("\n".join([str(len(rows)), HEAD, *lines]) + "\n")
    return folder


@pytest.fixture
def faces(tmp_path):
    folder = write(tmp_path, {f"{n}.png": f"{1 if n % 2 else -1}  {1 if n > 5 else -1}" for n in range(10)})
    splits = {n: 0 if n < 6 else 1 if n < 8 else 2 for n in range(10)}
    (folder / "list_eval_partition.txt").write_text("".join(f"{n}.png {split}\n" for n, split in splits.items()))
    return folder


def batches(loader):
    return [torch.cat(part) for part in zip(*loader, strict=True)]


def test_images_and_attributes_stay_together_and_the_partition_is_kept(faces):
    data = CelebADataModule(str(faces), image_size=8, batch_size=4)
    data.prepare_data()
    data.setup("fit")
    data.setup("test")
    assert data.attribute_names == ["Smiling", "Eyeglasses"]
    seen = []
    for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader()):
        x, y = batches(loader)
        assert x.shape[1:] == (3, 8, 8)
        numbers = (x[:, 0, 0, 0] * 255 / 20).round().long()
        expected = torch.stack([numbers % 2, (numbers > 5).long()], dim=1)
        assert torch.equal(y, expected)
        seen.append(sorted(numbers.tolist()))
    assert seen == [[0, 1, 2, 3, 4, 5], [6, 7], [8, 9]]


def test_chosen_attributes_in_their_order(faces):
    data = CelebADataModule(str(faces), attributes=["Eyeglasses", "Smiling"], image_size=8)
    data.setup("fit")
    assert data.attribute_names == ["Eyeglasses", "Smiling"]
    assert data.train_set[1][1].tolist() in ([0, 0], [0, 1])
    with pytest.raises(UserError, match="has no attribute 'Hat'; it has Smiling, Eyeglasses"):
        CelebADataModule(str(faces), attributes=["Hat"]).setup("fit")


def test_without_a_partition_the_images_are_drawn_apart(tmp_path):
    data = CelebADataModule(str(write(tmp_path, {f"{n}.png": "1 -1" for n in range(12)})), image_size=8)
    data.setup("fit")
    data.setup("test")
    assert (len(data.train_set), len(data.val_set), len(data.test_set)) == (10, 1, 1)


def test_a_csv_of_your_own(tmp_path):
    write(tmp_path, {"a.png": "1 1", "b.png": "1 1"})
    (tmp_path / "mine.csv").write_text("file,old,new\nb.png,True,0\na.png,-1,1\n")
    table = read_attributes(tmp_path / "mine.csv")
    assert table.names == ("old", "new")
    assert table.rows == {"b.png": (1, 0), "a.png": (0, 1)}
    data = CelebADataModule(str(tmp_path), table="mine.csv", image_size=8, val_fraction=0, test_fraction=0)
    data.setup("fit")
    assert len(data.train_set) == 2


def test_spaces_and_a_byte_order_mark_in_a_csv_are_left_out(tmp_path):
    text = "file, Hat, Beard\na.png, 1, -1\n\nb.png , 0, 1\n"
    (tmp_path / "mine.csv").write_text(text, encoding="utf-8-sig")
    table = read_attributes(tmp_path / "mine.csv", ["Beard"])
    assert (table.names, table.rows) == (("Beard",), {"a.png": (0,), "b.png": (1,)})


def test_attributes_are_named_once_and_there_is_one(tmp_path, faces):
    (tmp_path / "twice.csv").write_text("file,Hat,Hat\na.png,1,0\n")
    with pytest.raises(UserError, match="two columns 'Hat'"):
        read_attributes(tmp_path / "twice.csv")
    (tmp_path / "twice.txt").write_text("1\nHat Hat\na.png 1 -1\n")
    with pytest.raises(UserError, match=r"twice\.txt has the attribute 'Hat' twice"):
        read_attributes(tmp_path / "twice.txt")
    table = faces / "list_attr_celeba.txt"
    with pytest.raises(UserError, match="attributes has the attribute 'Smiling' twice"):
        read_attributes(table, ["Smiling", "Eyeglasses", "Smiling"])
    with pytest.raises(UserError, match="attributes is empty; name one or more"):
        read_attributes(table, [])


def test_hidden_files_are_no_images(faces):
    (faces / "img_align_celeba" / "._0.png").write_bytes(b"what another system leaves beside a file")
    assert len(CelebADataModule(str(faces)).listing.files) == 10


def test_text_that_is_not_utf_8_is_named(faces):
    for name in ("list_attr_celeba.txt", "list_eval_partition.txt"):
        (faces / name).write_bytes("1\nLächeln\n0.png 1\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"list_attr_celeba\.txt is no UTF-8 text; save it as UTF-8"):
        read_attributes(faces / "list_attr_celeba.txt")
    with pytest.raises(UserError, match=r"list_eval_partition\.txt is no UTF-8 text"):
        read_splits(faces / "list_eval_partition.txt")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("1\nSmiling\na.png 2\n", "line 3: '2' is no 0, 1 or -1"),
        ("1\nSmiling Hat\na.png 1\n", "line 3: 1 values for 2 attributes"),
        ("2\nSmiling\na.png 1\na.png -1\n", "line 4: a.png is there twice"),
        ("1\n\n", "names no attributes"),
    ],
)
def test_a_table_that_is_wrong_is_named_with_its_line(tmp_path, rows, words):
    (tmp_path / "table.txt").write_text(rows)
    with pytest.raises(UserError, match=words):
        read_attributes(tmp_path / "table.txt")


def test_files_that_are_missing_are_named(tmp_path, faces):
    with pytest.raises(UserError, match="there is no attribute table"):
        read_attributes(tmp_path / "none.txt")
    assert read_splits(tmp_path / "none.txt") == {}
    os.remove(faces / "img_align_celeba" / "3.png")
    with pytest.raises(UserError, match=r"disagree: 1 of 10 images of the table are not in the folder, 3\.png first"):
        CelebADataModule(str(faces)).setup("fit")
    Image.new("L", (4, 4)).save(faces / "img_align_celeba" / "3.png")
    Image.new("L", (4, 4)).save(faces / "img_align_celeba" / "new.png")
    with pytest.raises(UserError, match=r"1 of 11 images of the folder are not in the table, new\.png first"):
        CelebADataModule(str(faces)).setup("fit")
    with pytest.raises(UserError, match="unpack the images there"):
        CelebADataModule(str(faces), images="img").setup("fit")


def test_a_partition_that_is_wrong_is_named(faces):
    (faces / "list_eval_partition.txt").write_text("0.png 3\n")
    with pytest.raises(UserError, match=r"line 1: '0\.png 3' is not a file name and a 0, 1 or 2"):
        CelebADataModule(str(faces)).setup("fit")
    (faces / "list_eval_partition.txt").write_text("0.png 0\n")
    with pytest.raises(UserError, match=r"does not say where 1\.png belongs"):
        CelebADataModule(str(faces)).setup("fit")
