import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datamodules import IMDBDataModule
from datamodules.text import imdb
from dlmodules.errors import UserError


def write_archive(path: Path, reviews: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in reviews.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


REVIEWS = {
    "aclImdb/README": b"what it is",
    "aclImdb/test/pos/0_10.txt": b"A test, liked",
    "aclImdb/train/unsup/0_0.txt": b"not labelled",
    "aclImdb/train/pos/1_9.txt": b"good again",
    "aclImdb/train/pos/0_9.txt": b"good",
    "aclImdb/train/neg/0_1.txt": "très bad".encode(),
    "aclImdb/train/neg/1_1.txt": b"bad again",
}


def data(tmp_path: Path, **kwargs: Any) -> IMDBDataModule:
    return IMDBDataModule(data_dir=str(tmp_path), **({"val_size": 0} | kwargs))


def test_the_archive_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    write_archive(tmp_path / "imdb" / "aclImdb_v1.tar.gz", REVIEWS)
    module = data(tmp_path, test_size=0.5)  # not for the archive, which has a test part
    module.prepare_data()
    texts, labels = module.load(train=True)
    assert texts == ["très bad", "bad again", "good", "good again"]
    assert labels.tolist() == [0, 0, 1, 1]
    texts, labels = module.load(train=False)
    assert (texts, labels.tolist()) == (["A test, liked"], [1])
    assert module.class_names == ["negative", "positive"]


def test_the_table_is_read_where_there_is_no_archive(tmp_path: Path) -> None:
    rows = "text,label\n" + "".join(f"review {n},{n // 10}\n" for n in range(20))
    (tmp_path / "imdb").mkdir()
    (tmp_path / "imdb" / "imdb_train_25k.csv.gz").write_bytes(gzip.compress(rows.encode()))
    module = data(tmp_path, test_size=4, val_size=6)
    module.prepare_data()
    module.setup()
    sets = [module.train_set, module.val_set, module.test_set]
    assert [len(part) for part in sets if part is not None] == [10, 6, 4]
    assert module.load(train=False)[0] == data(tmp_path, test_size=4, seed=3).load(train=False)[0]
    with pytest.raises(UserError, match="has no test reviews"):
        data(tmp_path).test_dataloader()


def test_it_is_downloaded_and_checked(
    tmp_path: Path, serve: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_archive(tmp_path / "web" / "aclImdb_v1.tar.gz", REVIEWS)
    monkeypatch.setattr(imdb, "URL", serve(tmp_path / "web") + source.name)
    with pytest.raises(UserError, match=r"downloading to .*imdb failed .*put aclImdb_v1.tar.gz or imdb_train"):
        data(tmp_path).prepare_data()  # its checksum is wrong
    assert list((tmp_path / "imdb").iterdir()) == []
    monkeypatch.setattr(imdb, "MD5", hashlib.md5(source.read_bytes()).hexdigest())
    data(tmp_path).prepare_data()
    assert len(data(tmp_path).load(train=True)[0]) == 4


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"aclImdb_v1.tar.gz is missing\. Without a network"):
        data(tmp_path).setup("fit")
    path = write_archive(tmp_path / "imdb" / "aclImdb_v1.tar.gz", REVIEWS)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-4], b"no archive"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"aclImdb_v1.tar.gz is damaged"):
            data(tmp_path).load(train=True)
    write_archive(path, {"other/file.txt": b"x"})
    with pytest.raises(UserError, match="has no reviews under aclImdb/train"):
        data(tmp_path).load(train=True)
    write_archive(path, {"aclImdb/train/pos/0_1.txt": b"one\n\xff"})
    with pytest.raises(UserError, match=r"aclImdb/train/pos/0_1.txt, line 2: not UTF-8"):
        data(tmp_path).load(train=True)
