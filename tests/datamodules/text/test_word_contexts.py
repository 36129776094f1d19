"""Words and their contexts: windows and subsampling by hand, exact order, files, and what is refused."""

import gzip

import pytest
import torch

from datamodules import WordContextsDataModule
from datamodules.text.toy_analogies import toy_questions, toy_sentences
from datamodules.text.word_windows import contexts_of, draw_contexts, keep_probabilities
from dlmodules.errors import UserError
from dlmodules.protocols import CountsWords, TestsWords


def test_contexts_by_hand():
    words = torch.tensor([5, 6, 7, 8, 9])
    texts = torch.tensor([0, 0, 0, 1, 1])
    assert contexts_of(words, texts, torch.tensor([2, 1, 2, 1, 2]), window=2).tolist() == [
        [0, 0, 6, 7],
        [0, 5, 7, 0],
        [5, 6, 0, 0],
        [0, 0, 9, 0],
        [0, 8, 0, 0],
    ]


def test_windows_have_every_size_equally_often():
    torch.manual_seed(0)
    tokens = torch.full((1, 6000), 3)
    _, contexts = draw_contexts(tokens, torch.zeros_like(tokens), torch.ones(4), window=3)
    sizes = (contexts != 0).sum(1)[3:-3] // 2
    assert torch.bincount(sizes, minlength=4)[1:].tolist() == pytest.approx([2000] * 3, abs=150)


def test_rows_and_padding_stay_apart():
    torch.manual_seed(0)
    tokens = torch.tensor([[2, 3, 0], [4, 5, 6]])
    centers, contexts = draw_contexts(tokens, torch.zeros_like(tokens), torch.ones(7), window=1)
    assert centers.tolist() == [2, 3, 4, 5, 6]
    assert contexts.tolist() == [[0, 3], [2, 0], [0, 5], [4, 6], [5, 0]]


def test_frequent_words_are_dropped_by_the_formula_of_the_program():
    counts = torch.tensor([900, 99, 1])
    keep = keep_probabilities(counts, 0.01)
    assert keep.tolist() == pytest.approx([(0.01 / 0.9) ** 0.5 + 0.01 / 0.9, (0.01 / 0.099) ** 0.5 + 0.01 / 0.099, 1.0])
    assert keep_probabilities(counts, None).tolist() == [1.0, 1.0, 1.0]
    torch.manual_seed(0)
    tokens = torch.full((10, 1000), 2)
    probabilities = torch.cat([torch.zeros(2), keep])
    kept, contexts = draw_contexts(tokens, torch.zeros_like(tokens), probabilities, window=2)
    assert len(kept) / 10_000 == pytest.approx(keep[0].item(), abs=0.01)
    # The windows are laid over what is left: all inner words have neighbours on both sides.
    assert (contexts[:, 1:3] == 2).float().mean() > 0.98


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_text("The cat sat.\nThe cat ate.\n\n  \nA dog ate the cat!\n")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b'review,label\n"a cat, a dog",1\n'))
    (tmp_path / "notes.md").write_text("nothing of this")
    return tmp_path


def test_files_are_read_into_one_array(folder):
    data = WordContextsDataModule(
        [str(folder)], text_column="review", min_count=2, val_size=0, row_length=5, subsample=None
    )
    assert isinstance(data, CountsWords)
    assert isinstance(data, TestsWords)
    assert data.words == ["cat", "a", "the", "ate", "dog"]
    assert data.word_counts.tolist() == [4, 3, 3, 2, 2]
    rows = data.train_set
    assert [data.vocabulary.decode(text) for text in (rows.tokens,)] == [
        "the cat the cat ate a dog ate the cat a cat a dog"
    ]
    assert rows.texts.tolist() == [0] * 5 + [1] * 5 + [2] * 4
    assert rows.__getitems__([2]).tolist() == [[[3, 2, 3, 6, 0], [2, 2, 2, 2, 2]]]
    assert data.analogy_questions == {}
    assert data.rated_pairs == []


def test_names_are_looked_for_in_the_data_folder(folder, monkeypatch):
    monkeypatch.setenv("DLMODULES_DATA", str(folder))
    assert WordContextsDataModule(["a.txt"], min_count=3).words == ["cat", "the"]


def test_made_up_sentences():
    data = WordContextsDataModule()
    assert data.val_set is None
    assert len(data.words) == 104
    questions = data.analogy_questions
    assert {name: len(asked) for name, asked in questions.items()} == {"people": 112, "capitals": 112}
    assert ("man", "woman", "king", "queen") in questions["people"]
    assert {word for asked in questions.values() for question in asked for word in question} <= set(data.words)
    assert toy_sentences(3) == toy_sentences(5)[:3]
    assert toy_questions() == questions


def everything(data, epochs=2):
    loader, batches = data.train_dataloader(), []
    for epoch in range(epochs):
        loader.sampler.set_epoch(epoch)
        batches += list(loader)
    return batches


def test_batches_are_a_function_of_seed_epoch_and_batch():
    def make(seed):
        return WordContextsDataModule(batch_size=40, row_length=100, seed=seed)

    torch.manual_seed(1)
    first = everything(make(0))
    torch.manual_seed(2)
    again, other = everything(make(0)), everything(make(1))
    assert len(first) == 2 * len(make(0).train_dataloader())
    assert all(torch.equal(a, b) for batch, same in zip(first, again, strict=True) for a, b in zip(batch, same))  # noqa: B905
    assert not torch.equal(first[0][0][:50], other[0][0][:50])
    half = len(first) // 2
    assert sorted(first[0][0].tolist()) != sorted(first[half][0].tolist())  # each epoch drops others


def test_a_loader_resumes_inside_an_epoch():
    data = WordContextsDataModule(batch_size=40, row_length=100)
    loader = data.train_dataloader()
    batches = iter(loader)
    for _ in range(3):
        next(batches)
    state = loader.state_dict()
    expected = list(batches)
    resumed = WordContextsDataModule(batch_size=40, row_length=100).train_dataloader()
    resumed.load_state_dict(state)
    found = list(resumed)
    assert len(found) == len(expected) > 1
    for batch, same in zip(found, expected, strict=True):
        assert torch.equal(batch[0], same[0])
        assert torch.equal(batch[1], same[1])


def test_validation_always_has_the_same_contexts_and_other_rows():
    data = WordContextsDataModule(val_size=10, test_size=20, row_length=100)
    data.setup("fit")
    first, again = list(data.val_dataloader()), list(data.val_dataloader())
    assert len(first) == 2
    assert all(torch.equal(a, b) for batch, same in zip(first, again, strict=True) for a, b in zip(batch, same))  # noqa: B905
    test = set(data.required_test_set().rows.tolist())
    val, train = set(data.val_set.rows.tolist()), set(data.train_set.rows.tolist())
    assert (len(val), len(test)) == (10, 20)
    assert not val & train
    assert not (val | train) & test
    assert val | train | test == set(range(len(val) + len(train) + len(test)))


def test_the_vocabulary_of_a_checkpoint_is_taken(folder):
    before = WordContextsDataModule([str(folder / "a.txt")], min_count=1, val_size=0)
    before.setup("fit")
    state = before.state_dict()
    assert state == {"words": ["cat", "the", "ate", "a", "dog", "sat"], "counts": [3, 3, 2, 1, 1, 1]}
    for is_set_up in (False, True):
        after = WordContextsDataModule([str(folder / "a.txt")], min_count=3, val_size=0)
        if is_set_up:
            after.setup("fit")
        after.load_state_dict(state)
        after.setup("fit")
        assert after.words == state["words"]
        assert (after.train_set.tokens == before.train_set.tokens).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"files": ["none.txt"]}, "there is no file or folder none.txt, here or in"),
        ({"files": ["empty"]}, "has no texts: put files with names in .txt, .csv"),
        ({"files": ["a.txt"], "min_count": 99}, "no word occurs 99 times in the 2 texts"),
        ({"files": ["b.csv.gz"]}, "has no column 'text'; it has: review, label"),
        ({"files": ["latin.txt"]}, "line 1: not UTF-8"),
        ({"files": ["a.txt"], "min_count": 1, "val_size": 1, "row_length": 99}, "leave none of the 1 rows"),
        ({"questions": "none.txt"}, "there is no file or folder none.txt"),
        ({"ratings": "a.txt"}, "is not two words and a number with tabs between"),
        ({"window": 0}, "window is 0; it must be 1 or more"),
        ({"subsample": 0.0}, "subsample is 0.0; it must be more than 0"),
        ({"vocabulary_size": 2}, "vocabulary_size is 2; it must be 3 or more"),
        ({"val_size": 1.5}, "val_size is 1.5"),
    ],
)
def test_mistakes_end_in_one_line(folder, arguments, message):
    (folder / "empty").mkdir()
    (folder / "latin.txt").write_bytes(b"k\xf6nig")

    def run():
        data = WordContextsDataModule(data_dir=str(folder), **arguments)
        data.setup("fit")
        return data.analogy_questions, data.rated_pairs

    with pytest.raises(UserError, match=message) as raised:
        run()
    assert "\n" not in str(raised.value)
