import gzip
from pathlib import Path
from typing import Any

import pytest
import torch

from datamodules import TextTableDataModule
from dlmodules.errors import UserError

ROWS = "label,text\n" + "".join(f'{n % 2},"word{n}, so\nto say"\n' for n in range(20))


def table(tmp_path: Path, content: str | bytes = ROWS, **kwargs: Any) -> TextTableDataModule:
    path = tmp_path / "reviews.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return TextTableDataModule(str(path), **({"batch_size": 4} | kwargs))


@pytest.mark.parametrize("compressed", [False, True])
def test_columns_are_found_by_name(tmp_path: Path, compressed: bool) -> None:
    content = ("\ufeff" + ROWS).encode()
    data = table(tmp_path, gzip.compress(content) if compressed else content, test_size=5)
    assert data.class_names == ["0", "1"]
    texts, labels = data.load(train=True)
    apart, _ = data.load(train=False)
    assert (len(texts), len(apart)) == (15, 5)
    assert sorted(texts + apart) == sorted(f"word{n}, so\nto say" for n in range(20))
    assert all(int(text[4:].partition(",")[0]) % 2 == label for text, label in zip(texts, labels, strict=True))
    assert table(tmp_path, test_size=5, seed=7).load(train=False)[0] == apart


def test_labels_are_names_or_indices(tmp_path: Path) -> None:
    content = "t,l\na b,good\nc,bad\nd,1\ne,0\n"
    columns = {"text_column": "t", "label_column": "l", "test_size": 0}
    data = table(tmp_path, content, class_names=["bad", "good"], **columns)
    assert data.load(train=True)[1].tolist() == [1, 0, 1, 0]
    found = table(tmp_path, "t,l\na,10\nb,9\nc,9\n", **columns)
    assert found.load(train=True)[1].tolist() == [1, 0, 0]  # sorted as numbers
    assert found.class_names == ["9", "10"]


def test_a_file_of_test_texts(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("text,label\nnever seen,1\n")
    data = table(tmp_path, test_file=str(tmp_path / "test.csv"), val_size=0)
    assert len(data.load(train=True)[0]) == 20
    tokens, labels = next(iter(data.test_dataloader()))
    assert (tokens.tolist(), labels.tolist()) == ([[1, 1]], [1])
    (tmp_path / "test.csv").write_text("text,label\nnever seen,2\n")
    with pytest.raises(UserError, match=r"test.csv, line 2: the label '2' is out of range; labels are 0 to 1, or 0, 1"):
        data.load(train=False)


def test_a_text_of_no_words_is_kept_or_refused(tmp_path: Path) -> None:
    content = "text,label\n...,0\na,1\nb,0\n"
    data = table(tmp_path, content, val_size=0, test_size=0)
    data.setup("fit")
    assert data.train_set is not None
    assert sorted(data.train_set.texts.tokens.tolist()) == [1, 2, 3]
    with pytest.raises(UserError, match=r"the text '...' has no words; remove it"):
        table(tmp_path, content, val_size=0, test_size=0, on_empty="raise").setup("fit")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text,label\na,0\nb \xff,1\n", r"reviews.csv, line 3: not UTF-8; save the file as UTF-8"),
        ("review,label\na,0\n", r"has no column 'text'; it has: review, label"),
        ("text,stars\na,0\n", r"has no column 'label'"),
        ("", "is empty"),
        ("text,label\n", r"has no rows"),
        ("text,label\na,0\nb\n", r"line 3: 1 cells for 2 columns"),
        ("text,label\na,0\nI like it, really,1\n", r"line 3: 3 cells for 2 columns"),  # not a class of its own
        ('text,label\na,0\n"b,1\nc,0\n', r"line 4: unexpected end of data"),
        ("text,label\n...,0\n!!,1\n", r"none of the 2 training texts has a word"),
        ("text,label\na,0\nb,\n", r"line 3: the row has no label"),
        ("text,label\na,0\nb,0\nc,0\n", r"all 3 training texts are of the class '0'"),
        (gzip.compress(ROWS.encode(), mtime=0)[:-9], r"reviews.csv is damaged"),
    ],
)
def test_files_that_cannot_be_read_end_in_one_line(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        table(tmp_path, content, val_size=0, test_size=0).setup("fit")
    assert "\n" not in str(raised.value)


def test_labels_outside_of_the_given_classes_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"reviews.csv, line 3: the label '2' is out of range; labels are 0 to 1"):
        table(tmp_path, "text,label\na,0\nb,2\n", class_names=["no", "yes"]).setup("fit")
    with pytest.raises(UserError, match=r"there is no file .*none.csv"):
        TextTableDataModule(str(tmp_path / "none.csv")).setup("fit")
    with pytest.raises(UserError, match="test_size=20 leaves none of the 20"):
        table(tmp_path, test_size=20).setup("fit")


def test_the_line_ends_of_unicode_are_no_lines_of_the_file(tmp_path: Path) -> None:
    data = table(tmp_path, "text,label\na\u2028b,0\nc,1\nd,x\n", class_names=["0", "1"])
    with pytest.raises(UserError, match="line 4"):
        data.load(train=True)
    assert torch.is_tensor(table(tmp_path).load(train=True)[1])
