"""Texts in memory: their batches, their order, and their vocabulary in a checkpoint."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from datamodules import TextDataModule, ToySentimentDataModule
from datamodules.base.length_batches import LengthSampler
from datamodules.base.sampling import shuffled
from datamodules.text.text_dataset import TextDataset
from dlmodules.errors import UserError
from dlmodules.sequences.vocabulary import Vocabulary
from tests.quiet import quiet_trainer


def dataset(**kwargs: Any) -> TextDataset:
    texts = [np.array(text, dtype=np.int32) for text in ([2, 3, 4], [], [5], [6, 7, 8, 9])]
    return TextDataset(texts, torch.tensor([0, 1, 1, 0]), num_classes=2, **kwargs)


def test_padding_by_hand() -> None:
    front, labels = dataset().__getitems__([0, 1, 3])
    assert front.tolist() == [[0, 2, 3, 4], [0, 0, 0, 1], [6, 7, 8, 9]]
    assert front.dtype == labels.dtype == torch.int64
    assert labels.tolist() == [0, 1, 0]
    back, _ = dataset(padding="back").__getitems__([0, 2])
    assert back.tolist() == [[2, 3, 4], [5, 0, 0]]


def test_long_texts_keep_their_last_words() -> None:
    assert dataset(max_length=2).__getitems__([0, 2, 3])[0].tolist() == [[3, 4], [0, 5], [8, 9]]
    fixed = dataset(max_length=3, pad_to=5, padding="back")
    assert fixed.__getitems__([3, 2])[0].tolist() == [[7, 8, 9, 0, 0], [5, 0, 0, 0, 0]]
    assert dataset(max_length=3, pad_to=5)[-1][0].tolist() == [0, 0, 7, 8, 9]
    assert dataset(max_length=2).lengths.tolist() == [2, 1, 1, 2]


def test_by_length_sorts_texts_with_their_labels() -> None:
    ordered = dataset().by_length()
    assert [ordered[row][0].tolist() for row in range(4)] == [[1], [5], [2, 3, 4], [6, 7, 8, 9]]
    assert ordered.labels.tolist() == [1, 1, 0, 0]


def test_labels_are_checked() -> None:
    texts = [np.array([2], dtype=np.int32)] * 2
    with pytest.raises(UserError, match="label 2 of text 1 is out of range; labels are 0 to 1"):
        TextDataset(texts, torch.tensor([0, 2]), num_classes=2)
    with pytest.raises(UserError, match="labels must be int64"):
        TextDataset(texts, torch.tensor([0.0, 1.0]), num_classes=2)


def order(lengths: np.ndarray, seed: int, epoch: int, window: int = 3) -> list[int]:
    rows: Any = torch.utils.data.TensorDataset(torch.arange(len(lengths)))

    def kind(*args: Any, **kwargs: Any) -> LengthSampler:
        return LengthSampler(*args, lengths=lengths, batch_size=4, window=window, **kwargs)

    sampler = shuffled(rows, seed, kind=kind)
    sampler.set_epoch(epoch)
    return list(sampler)


def test_length_batches_hold_every_row_once_and_are_narrow() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, 62)
    rows = order(lengths, 0, 0)
    assert sorted(rows) == list(range(62))
    batches = [lengths[rows[start : start + 4]] for start in range(0, 60, 4)]
    # Sorted windows of three batches: within a window no two batches' ranges cross, in random batches they do.
    assert np.mean([np.ptp(batch) for batch in batches]) < 35
    whole = order(lengths, 0, 0, window=15)
    widths = sorted((batch.min(), batch.max()) for batch in (lengths[whole[s : s + 4]] for s in range(0, 60, 4)))
    assert all(before[1] <= after[0] for before, after in pairwise(widths))
    firsts = [lengths[whole[start]] for start in range(0, 60, 4)]
    assert firsts != sorted(firsts)  # the batches are shuffled


def test_length_batches_are_a_function_of_seed_and_epoch() -> None:
    lengths = np.arange(62)
    assert order(lengths, 0, 1) == order(lengths, 0, 1)
    assert order(lengths, 0, 1) != order(lengths, 0, 0)
    assert order(lengths, 1, 0) != order(lengths, 0, 1)
    # With distinct lengths, whole windows and no shuffling a batch's set of rows would be the same in every epoch.
    batches = [{frozenset(rows[s : s + 4]) for s in range(0, 60, 4)} for rows in (order(lengths, 0, e) for e in (0, 1))]
    assert batches[0] != batches[1]
    # Nor do short and long batches come at the same places.
    firsts = [np.argsort([rows[s] for s in range(0, 60, 4)]) for rows in (order(lengths, 0, e, 15) for e in (0, 1))]
    assert firsts[0].tolist() != firsts[1].tolist()


class Tiny(TextDataModule):
    """Text i has i words; its label is whether i is odd."""

    names = ("even", "odd")

    def load(self, train: bool) -> tuple[list[str], Tensor]:
        if not train:
            return ["train words alone", "w1"], torch.tensor([0, 1])
        return [" ".join(f"w{word}" for word in range(n)) for n in range(21)], torch.arange(21) % 2


def tiny(**kwargs: Any) -> Tiny:
    return Tiny(**({"batch_size": 4, "val_size": 3, "seed": 3} | kwargs))


def test_the_vocabulary_is_of_the_training_texts_alone() -> None:
    data = tiny(val_size=0, limit_train=5, seed=0)
    data.setup("fit")
    assert data.train_set is not None
    longest = int(data.train_set.lengths.max())
    assert data.vocabulary.words == sorted(
        (f"w{n}" for n in range(longest)), key=lambda w: (-sum(int(w[1:]) < n for n in data.train_set.lengths), w)
    )
    (tokens, _) = next(iter(data.predict_dataloader()))
    assert tokens[0].tolist() == [1, 1, 1]


def test_batches_of_all_stages() -> None:
    data = ToySentimentDataModule(batch_size=64, val_size=0.25)
    for loader, n in ((data.train_dataloader(), 750), (data.val_dataloader(), 250), (data.test_dataloader(), 200)):
        batches = list(loader)
        assert sum(len(y) for _, y in batches) == n
        assert all(tokens.dtype == torch.int64 and tokens.max() < len(data.vocabulary) for tokens, _ in batches)
        assert all((tokens != 0).any(dim=0).all() for tokens, _ in batches)  # no column of padding alone
    assert set(torch.cat([y for _, y in data.predict_dataloader()]).tolist()) == {0, 1}
    texts, labels = data.load(train=False)
    assert torch.equal(torch.cat([y for _, y in data.predict_dataloader()]), labels)
    assert data.vocabulary.decode(next(iter(data.predict_dataloader()))[0][0]) == texts[0]
    assert data.tokens(["good film", "not bad xyzzy"]).shape == (2, 3)


def test_test_texts_are_the_same_for_every_seed() -> None:
    assert ToySentimentDataModule(seed=1).load(False)[0] == ToySentimentDataModule(seed=2).load(False)[0]


class Recorder(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen: list[Any] = []

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        self.seen.append(batch[0].tolist())
        return self.layer(batch[0].float().mean().view(1, 1)).mean()

    def test_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        self.seen.append(batch[0].tolist())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def trainer(**kwargs: Any) -> pl.Trainer:
    return quiet_trainer(**kwargs)


@pytest.mark.parametrize("batching", ["length", "random"])
@pytest.mark.parametrize("steps", [2, 5, 7])
def test_it_resumes_inside_an_epoch(tmp_path: Path, batching: str, steps: int) -> None:
    whole, first, rest = Recorder(), Recorder(), Recorder()
    trainer(max_steps=12).fit(whole, tiny(batching=batching))
    stopped = trainer(max_steps=steps)
    stopped.fit(first, tiny(batching=batching))
    stopped.save_checkpoint(tmp_path / "last.ckpt")
    torch.manual_seed(9)
    trainer(max_steps=12).fit(rest, tiny(batching=batching), ckpt_path=str(tmp_path / "last.ckpt"), weights_only=True)
    assert first.seen + rest.seen == whole.seen


def test_a_checkpoint_brings_its_vocabulary(tmp_path: Path) -> None:
    fitted = trainer(max_steps=1)
    data = tiny(seed=1, limit_train=4)
    fitted.fit(Recorder(), data)
    fitted.save_checkpoint(tmp_path / "last.ckpt")
    saved = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert saved["Tiny"] == {"words": data.vocabulary.words}
    other, module = tiny(seed=5), Recorder()
    assert other.vocabulary != data.vocabulary
    trainer().test(module, other, ckpt_path=str(tmp_path / "last.ckpt"), weights_only=True, verbose=False)
    assert other.vocabulary == data.vocabulary
    assert module.seen == [[[0, 0, data.vocabulary.encode("w1")[0]], [1, 1, 1]]]  # the shortest first
    assert other.train_set is not None
    assert int(other.train_set.texts.tokens.max()) < len(data.vocabulary)


def test_a_vocabulary_file_is_written_then_read(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.json"
    data = tiny(vocabulary_file=str(path), vocabulary_size=5)
    data.setup("fit")
    assert Vocabulary.load(path) == data.vocabulary
    Vocabulary(["w3"]).save(path)
    again = tiny(vocabulary_file=str(path))
    assert again.vocabulary.words == ["w3"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"padding": "left"}, "padding is 'left'; it must be front or back"),
        ({"batching": "sorted"}, "batching is 'sorted'"),
        ({"on_empty": "drop"}, "on_empty is 'drop'"),
        ({"pad_to": "500"}, "pad_to is '500'"),
        ({"pad_to": 100}, "max_length=500 does not fit into pad_to=100; set max_length to 100"),
        ({"pad_to": 100, "max_length": None}, "max_length=None does not fit"),
        ({"max_length": 0}, "max_length is 0"),
        ({"vocabulary_size": 2}, "vocabulary_size is 2"),
        ({"val_size": 1.0}, "val_size is 1.0; it must be a number of texts"),
        ({"batch_size": 0}, "batch_size is 0"),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Tiny(**arguments)


def test_texts_that_cannot_be_trained_on() -> None:
    with pytest.raises(UserError, match="the text '' has no words"):
        tiny(on_empty="raise").setup("fit")
    with pytest.raises(UserError, match="val_size=21 leaves none of the 21"):
        tiny(val_size=21).setup("fit")
    with pytest.raises(UserError, match="all 1 training texts are of the class"):
        tiny(limit_train=1).setup("fit")
    with pytest.raises(UserError, match="ToySentimentDataModule has no test texts"):
        ToySentimentDataModule(test_texts=0).test_dataloader()
