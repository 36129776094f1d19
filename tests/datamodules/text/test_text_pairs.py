import gzip
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import torch

from datamodules import DatesDataModule, Multi30kDataModule, NumberWordsDataModule, PairFilesDataModule
from datamodules.text.dates import written
from datamodules.text.number_words import number_in_words
from dlmodules.errors import UserError
from dlmodules.protocols import HasPairs, HasPairTokenizers

LINES = [("Ein Hund.", "A dog."), ("Zwei Hunde, weiß.", "Two dogs, white."), ("", "nothing"), ("Drei.", "Three.")]


def table(folder: Path, rows: Any = LINES, head: str = "source\ttarget") -> str:
    path = folder / "pairs.tsv"
    path.write_text("\n".join([head, *("\t".join(row) for row in rows)]) + "\n", encoding="utf-8")
    return str(path)


def test_batches_have_ends_and_padding(tmp_path: Path) -> None:
    data = PairFilesDataModule([table(tmp_path)], val_size=0, test_size=0, batch_size=3)
    assert isinstance(data, HasPairs)
    assert isinstance(data, HasPairTokenizers)
    (source, target), *_ = data.train_dataloader()
    assert source.dtype == target.dtype == torch.int64
    read, wrote = data.tokenizers
    found = {read.decode(row): wrote.decode(other) for row, other in zip(source.tolist(), target.tolist(), strict=True)}
    assert found == {"ein hund .": "a dog .", "zwei hunde , weiß .": "two dogs , white .", "drei .": "three ."}
    for row, other in zip(source.tolist(), target.tolist(), strict=True):
        ids = [token for token in row if token != 0]
        assert row == [*ids, *[0] * (len(row) - len(ids))]
        assert ids[-1] == read.stop_id
        assert other[0] == wrote.start_id
        assert [token for token in other if token != 0][-1] == wrote.stop_id


def test_a_source_can_be_reversed(tmp_path: Path) -> None:
    one, other = (
        PairFilesDataModule([table(tmp_path)], val_size=0, test_size=0, batch_size=3, batching="random", **more)
        for more in ({}, {"reverse_source": True})
    )
    (forwards, _), (backwards, _) = (next(iter(data.train_dataloader())) for data in (one, other))
    for row, mirrored in zip(forwards.tolist(), backwards.tolist(), strict=True):
        ids, found = ([token for token in line if token != 0] for line in (row, mirrored))
        assert found == [*ids[-2::-1], ids[-1]]


def test_two_files_are_read_line_by_line(tmp_path: Path) -> None:
    german, english = tmp_path / "train.de.gz", tmp_path / "train.en"
    german.write_bytes(gzip.compress("\n".join(one for one, _ in LINES).encode()))
    english.write_text("\n".join(other for _, other in LINES))
    data = PairFilesDataModule([str(german), str(english)], val_size=1, test_size=1)
    parts = [data.read(part) for part in ("train", "val", "test")]
    assert sorted(text for part in parts for text in part.sources) == ["Drei.", "Ein Hund.", "Zwei Hunde, weiß."]
    assert [len(part.sources) for part in parts] == [1, 1, 1]
    english.write_text("A dog.\n")
    with pytest.raises(UserError, match=r"has 4 lines and .*train.en has 1: each line needs its partner"):
        data.read("train")


def test_parts_can_have_their_own_files(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    other = table(tmp_path / "test", [("Vier.", "Four.")])
    data = PairFilesDataModule([table(tmp_path)], test_files=[other], val_size=1)
    assert data.read("test").sources == ["Vier."]
    assert [len(data.read(part).sources) for part in ("train", "val")] == [2, 1]


def test_long_pairs_are_left_out_of_training_alone(tmp_path: Path) -> None:
    data = PairFilesDataModule([table(tmp_path)], val_size=0, test_files=[table(tmp_path)], max_length=3)
    assert len(data.make_train_and_val()[0]) == 2
    assert len(data.make_test()) == 3
    with pytest.raises(UserError, match="max_length=1 leaves none of the 3 pairs to train on"):
        PairFilesDataModule([table(tmp_path)], val_size=0, test_size=0, max_length=1).setup("fit")


def test_one_tokenizer_can_be_shared(tmp_path: Path) -> None:
    data = PairFilesDataModule([table(tmp_path)], val_size=0, test_size=0, shared=True, tokenizer="spaced")
    source, target = data.tokenizers
    assert source is target
    assert source.encode("Hund. dog.") != [1, 1]
    with pytest.raises(UserError, match="shared makes one tokenizer"):
        PairFilesDataModule(["x"], shared=True, target_vocabulary_size=100)


def test_a_checkpoints_tokenizers_come_back(tmp_path: Path) -> None:
    data = PairFilesDataModule([table(tmp_path)], val_size=0, test_size=0)
    state = data.state_dict()
    assert not state
    data.setup("fit")
    (tmp_path / "other").mkdir()
    again = PairFilesDataModule(
        [table(tmp_path / "other", [("Hund Hund", "dog dog"), ("x", "y")])], val_size=0, test_size=0
    )
    again.setup("fit")
    assert again.tokenizers != data.tokenizers
    again.load_state_dict(data.state_dict())
    assert again.tokenizers == data.tokenizers
    assert again.train_set is not None
    assert int(again.train_set.sources.tokens.max()) < len(data.tokenizers[0])


def test_mistakes_in_files_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no column 'target'; its first line names: source, english"):
        PairFilesDataModule([table(tmp_path, head="source\tenglish")]).read("train")
    with pytest.raises(UserError, match="line 3: the row has 1 of 2 columns"):
        PairFilesDataModule([table(tmp_path, [("a", "b"), ("alone",)])]).read("train")
    with pytest.raises(UserError, match="there is no file"):
        PairFilesDataModule([str(tmp_path / "none.tsv")]).read("train")
    with pytest.raises(UserError, match="files must be a list of one table, or of two files"):
        PairFilesDataModule("pairs.tsv")
    with pytest.raises(UserError, match="leave none of the 3 pairs"):
        PairFilesDataModule([table(tmp_path)], val_size=2, test_size=1).read("train")
    (tmp_path / "latin.tsv").write_bytes("source\ttarget\nweiß\twhite\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"latin.tsv, line 2: not UTF-8"):
        PairFilesDataModule([str(tmp_path / "latin.tsv")]).read("train")
    with pytest.raises(UserError, match="there are no pairs in"):
        PairFilesDataModule([table(tmp_path, [("", "b")])], val_size=0, test_size=0).setup("fit")


def test_dates_are_written_as_people_do() -> None:
    day = date(1998, 6, 3)
    assert written(day, "{weekday} the {ordinal} of {month} {year}") == "wednesday the 3rd of june 1998"
    assert written(day, "{short_weekday} {day} {short_month} {year}") == "wed 3 jun 1998"
    ordinals = [written(date(2000, 1, n), "{ordinal}") for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31)]
    assert ordinals == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "31st"]


def test_days_are_in_one_part_alone() -> None:
    data = DatesDataModule(train_size=3000, val_size=500, test_size=500)
    train, val, test = (set(data.read(part).targets) for part in ("train", "val", "test"))
    assert not train & val
    assert not train & test
    assert not val & test
    other = DatesDataModule(train_size=3000, val_size=500, test_size=500, seed=1)
    assert other.read("test") == data.read("test")
    assert other.read("train") != data.read("train")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (10, "ten"),
        (21, "twenty one"),
        (905, "nine hundred five"),
        (1_000_000, "one million"),
        (210_031, "two hundred ten thousand thirty one"),
        (10**17, "one hundred quadrillion"),
    ],
)
def test_numbers_in_words(number: int, words: str) -> None:
    assert number_in_words(number) == words


def test_numbers_of_the_test_are_long_and_new() -> None:
    data = NumberWordsDataModule(digits=3, train_size=2000, test_size=50)
    test, train = data.read("test"), data.read("train")
    assert {len(target) for target in test.targets} == {3}
    assert not set(test.targets) & set(train.targets)
    assert {len(target) for target in train.targets} == {1, 2, 3}
    with pytest.raises(UserError, match=r"digits is 19; it must lie in 1\.\.18"):
        NumberWordsDataModule(digits=19)


def test_multi30k_lies_where_data_lie(tmp_path: Path) -> None:
    folder = tmp_path / "multi30k"
    folder.mkdir()
    for part in ("train", "val", "test_2016_flickr"):
        for language, text in (("de", "Ein Hund.\n"), ("en", "A dog.\n")):
            (folder / f"{part}.{language}.gz").write_bytes(gzip.compress(text.encode()))
    data = Multi30kDataModule(data_dir=str(tmp_path))
    data.prepare_data()
    assert data.read("test") == (["Ein Hund."], ["A dog."])
    with pytest.raises(UserError, match="they must be two of de, en and fr"):
        Multi30kDataModule(source="de", target="de")
    with pytest.raises(UserError, match=r"downloading to .* put test_2017_flickr.de.gz"):
        Multi30kDataModule(data_dir=str(tmp_path), test_set="test_2017_flickr").prepare_data()
