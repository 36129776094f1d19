import gzip
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from datamodules import AesopDataModule, CorpusDataModule, TinyShakespeareDataModule, WarAndPeaceDataModule
from datamodules.text.corpora import between_gutenberg_marks, joined_lines
from datamodules.text.corpus import shipped_text
from datamodules.text.windows import LaneSampler, OrderedWindows, TokenWindows, WindowSampler
from dlmodules.errors import UserError
from dlmodules.protocols import CountsCharacters, HasLanes, HasTokenizer

TOKENS = np.arange(1, 51, dtype=np.uint16)  # 1 to 50


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "dlmodules" / "text"


def corpus(tmp_path: Path, text: str, **arguments: object) -> CorpusDataModule:
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    return CorpusDataModule(file=str(tmp_path / "text.txt"), **arguments)  # type: ignore[arg-type]


def test_targets_are_one_token_later_and_padding_lies_behind_the_end() -> None:
    x, y = TokenWindows(TOKENS, 4).__getitems__([0, 10, 47])
    assert x.tolist() == [[1, 2, 3, 4], [11, 12, 13, 14], [48, 49, 50, 0]]
    assert y.tolist() == [[2, 3, 4, 5], [12, 13, 14, 15], [49, 50, -100, -100]]
    assert x.dtype == y.dtype == torch.int64


@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_with_an_overlap_every_token_is_a_target_once_too_with_as_many_before_it(overlap: int) -> None:
    windows = OrderedWindows(TOKENS, 4, overlap=overlap)
    x, y = windows.__getitems__(range(len(windows)))
    assert y[y != -100].tolist() == list(range(2, 51))
    assert (y[1:, :overlap] == -100).all()
    assert torch.equal(x[1:, :overlap], x[:-1, -overlap:])
    (short,) = OrderedWindows(TOKENS[:3], 4, overlap=overlap).__getitems__([0])[1].tolist()
    assert short == [2, 3, -100, -100]


@pytest.mark.parametrize("lanes", [1, 3, 5, 100])
def test_ordered_windows_have_every_token_but_the_first_as_a_target_once(lanes: int) -> None:
    windows = OrderedWindows(TOKENS, 4, lanes)
    batches = [
        windows.__getitems__(range(start, start + windows.lanes)) for start in range(0, len(windows), windows.lanes)
    ]
    targets = torch.cat([y for _, y in batches]).flatten()
    assert sorted(targets[targets != -100].tolist()) == list(range(2, 51))
    for (_, before), (after, _) in pairwise(batches):
        goes_on = (before[:, -1] == after[:, 0]) | (before[:, -1] == -100)
        assert goes_on.all()


def test_random_windows_are_whole_and_anew_in_each_epoch() -> None:
    windows = TokenWindows(TOKENS, 4)
    sampler = WindowSampler(windows, num_replicas=1, rank=0, seed=3)
    epochs = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        epochs.append(list(sampler))
        assert len(epochs[-1]) == len(sampler) == 12
        assert all((windows.__getitems__([start])[1] > 0).all() for start in epochs[-1])
    assert epochs[0] != epochs[1]
    many = WindowSampler(windows, windows=5000, num_replicas=1, rank=0)
    assert set(many) == set(range(46))  # each start that has a whole window


def test_lanes_go_on_where_they_ended_and_processes_have_their_own() -> None:
    windows = TokenWindows(np.arange(1, 201, dtype=np.uint16), 5)
    starts = []
    for rank in range(2):
        sampler = LaneSampler(windows, batch_size=3, num_replicas=2, rank=rank, seed=1)
        rows = np.array(list(sampler)).reshape(-1, 3)
        assert len(rows) * 3 == len(sampler)
        assert (np.diff(rows, axis=0) == 5).all()
        starts.append(rows[0])
    assert (np.diff(np.concatenate(starts)) == 199 // 6).all()
    sampler.set_epoch(1)
    assert next(iter(sampler)) != starts[1][0]  # windows are cut elsewhere in another epoch


def test_the_parts_follow_on_each_other_and_the_tokenizer_knows_the_first_alone(tmp_path: Path) -> None:
    data = corpus(tmp_path, "abd" * 5 + "abc" * 20 + "abe" * 5, context=4, val_size=15, test_size=15)
    assert isinstance(data, (HasTokenizer, HasLanes, CountsCharacters))
    data.setup()
    assert {part: len(text) for part, text in data.texts().items()} == {"train": 60, "val": 15, "test": 15}
    assert sorted(data.tokenizer.words) == ["a", "b", "c"]
    assert data.val_set is not None
    assert data.val_set.__getitems__([0])[0].tolist() == [[2, 3, 1, 2]]  # d is unknown
    assert data.characters_per_token("val") == 1.0


def test_token_ids_are_mapped_from_a_file_that_the_next_start_finds(tmp_path: Path, cache: Path) -> None:
    arguments = {"context": 4, "val_size": 0, "test_size": 0}
    first = corpus(tmp_path, "the quick brown fox " * 20, **arguments)
    first.setup("fit")
    assert first.train_set is not None
    assert isinstance(first.train_set.tokens, np.memmap)
    assert first.train_set.tokens.dtype == np.uint16
    files = {file: file.stat().st_mtime_ns for file in cache.iterdir()}
    again = corpus(tmp_path, "the quick brown fox " * 20, **arguments)
    again.setup("fit")
    assert {file: file.stat().st_mtime_ns for file in cache.iterdir()} == files
    assert again.train_set is not None
    assert np.array_equal(again.train_set.tokens, first.train_set.tokens)
    changed = corpus(tmp_path, "the quick brown dog " * 20, **arguments)
    changed.setup("fit")
    assert changed.train_set is not None
    assert not np.array_equal(changed.train_set.tokens, first.train_set.tokens)
    expected = np.array(changed.train_set.tokens)
    for file in cache.iterdir():  # a file that was cut off is made anew
        file.write_bytes(file.read_bytes()[:100])
    whole = corpus(tmp_path, "the quick brown dog " * 20, **arguments)
    whole.setup("fit")
    assert whole.train_set is not None
    assert np.array_equal(whole.train_set.tokens, expected)


def test_without_a_place_for_the_file_the_token_ids_are_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    data = corpus(tmp_path, "abcd " * 20, context=4, cache_dir=str(tmp_path / "file" / "below"))
    with pytest.warns(UserWarning, match="cannot be written"):
        data.setup("fit")
    assert data.train_set is not None


def test_a_folder_is_read_in_the_order_of_its_names_and_gzip_too(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.txt").write_text("two")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"one"))
    (tmp_path / "c.png").write_bytes(b"\x89PNG")
    assert CorpusDataModule(file=str(tmp_path)).read() == "one\n\ntwo"


def test_byte_pairs_say_how_many_characters_a_token_has(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers", reason="tokenizers is not installed: pip install -e '.[text]'")
    data = corpus(tmp_path, shipped_text(), tokenizer="byte_pairs", vocabulary_size=600)
    assert 1.5 < data.characters_per_token("train") < 4
    assert len(data.tokenizer) == 600


def test_a_checkpoint_brings_its_tokenizer(tmp_path: Path) -> None:
    first = corpus(tmp_path, "abcd" * 30, context=4)
    first.setup("fit")
    other = corpus(tmp_path, "dcba" * 30, context=4)
    other.setup("fit")
    other.load_state_dict(first.state_dict())
    assert other.tokenizer == first.tokenizer
    assert other.train_set is not None
    assert other.train_set.tokens[:4].tolist() == first.tokenizer.encode("dcba")


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("", {}, "has no text"),
        (" \n ", {}, "has no text"),
        ("abcdefgh", {"context": 8, "val_size": 0, "test_size": 0}, "8 tokens to train on, too few for a window of"),
        (
            "abc" * 9,
            {"context": 8, "sampling": "lanes", "batch_size": 4},
            "in each of 4 lanes .*lower context or batch",
        ),
        ("abcdefgh", {"val_size": 4, "test_size": 4}, "leave none of the 8 characters"),
        ("abcd", {"sampling": "rows"}, "sampling is 'rows'; it must be windows or lanes"),
        ("abcd", {"overlap": 64}, "overlap is 64; it must be 0 or more, less than context=64, and 0 of lanes"),
        ("abcd", {"overlap": 1, "sampling": "lanes"}, "overlap is 1"),
        ("abcd", {"context": 0}, "context is 0; it must be 1 or more"),
        ("abcd", {"tokenizer": "runes"}, "tokenizer is 'runes'; it must be one of"),
        ("abcd", {"val_size": 1.5}, "val_size is 1.5; it must be a number of characters or a fraction"),
    ],
)
def test_errors_are_one_line(tmp_path: Path, text: str, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        corpus(tmp_path, text, **arguments).setup("fit")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no file"):
        CorpusDataModule(file=str(tmp_path / "none.txt")).setup("fit")
    with pytest.raises(UserError, match="has no text files"):
        CorpusDataModule(file=str(tmp_path)).setup("fit")
    (tmp_path / "latin.txt").write_bytes("one\ncafé".encode("latin-1"))
    with pytest.raises(UserError, match="line 2: not UTF-8"):
        CorpusDataModule(file=str(tmp_path / "latin.txt")).setup("fit")
    with pytest.raises(UserError, match="Without a network, put the text of"):
        TinyShakespeareDataModule(data_dir=str(tmp_path)).read()


def test_lines_of_a_paragraph_are_joined_and_gutenbergs_words_are_gone(tmp_path: Path) -> None:
    text = "\r\n\r\nOne\r\ntwo.\r\n\r\n\r\n\r\nThree \r\nfour.\r\n"
    book = f"licence\r\n*** START OF THE EBOOK ***{text}*** END OF THE ***\r\nmore"
    assert joined_lines(between_gutenberg_marks(book)) == "One two.\n\nThree four.\n"
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "war_and_peace.txt.gz").write_bytes(gzip.compress(book.encode()))
    assert WarAndPeaceDataModule(data_dir=str(tmp_path)).read() == "One two.\n\nThree four.\n"


def test_fables_are_prepared_as_in_the_book(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    title = "THE FOX AND THE GRAPES"
    fables = ("A hungry Fox saw\nsome grapes--high up.", 'THE GOOSE\n\n"Sell it!" he said.', "ILLUSTRATIONS\n")
    fable = f"{title}\n\n" + "\n\n\n\n\n".join(fables)
    (tmp_path / "text" / "aesop_11339.txt").write_text(f"{title}\n{title}\n\nby Aesop\n{fable}")
    text = AesopDataModule(data_dir=str(tmp_path)).read()
    start = "| " * 20
    assert text.strip() == (
        f"{start}the fox and the grapes . a hungry fox saw some grapes - - high up . "
        f'{start}the goose . " sell it ! " he said . {start}'.strip()
    )
    (tmp_path / "text" / "aesop_11339.txt").write_text(title)
    with pytest.raises(UserError, match="not Project Gutenberg's book 11339"):
        AesopDataModule(data_dir=str(tmp_path)).read()


def test_the_books_sequences_predict_their_last_token_alone(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    title = "THE FOX AND THE GRAPES"
    words = " ".join(f"w{number}" for number in range(60))
    (tmp_path / "text" / "aesop_11339.txt").write_text(f"{title}\n{title}\n{title}\n{words}\nILLUSTRATIONS\n")
    data = AesopDataModule(data_dir=str(tmp_path), targets="last", val_size=0, test_size=0, batch_size=4)
    data.setup("fit")
    assert data.train_set is not None
    assert len(data.train_set) == len(data.texts()["train"].split()) - 20
    x, y = next(iter(data.train_dataloader()))
    assert x.shape == y.shape == (4, 20)
    assert (y[:, :-1] == -100).all()
    assert (y[:, -1] > 1).all()


def test_windows_of_last_targets_are_no_lanes() -> None:
    with pytest.raises(UserError, match="targets: last takes windows in any order, which are no lanes"):
        AesopDataModule(targets="last", sampling="lanes")


def test_the_books_counts_come_out(request: pytest.FixtureRequest) -> None:
    data = AesopDataModule(targets="last", val_size=0, test_size=0)
    if data.file is None or not data.file.is_file():
        pytest.skip("no text/aesop_11339.txt in $DLMODULES_DATA")
    data.setup("fit")
    assert data.train_set is not None
    assert len(data.texts()["train"]) == 213_716
    assert len(data.train_set) == 50_416
    assert len(data.tokenizer) == 4_168 + 2  # words, and the ids of padding and the unknown
