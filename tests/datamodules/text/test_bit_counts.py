"""Sequences of bits and their counts."""

import pytest
import torch

from datamodules import BitCountsDataModule
from dlmodules.errors import UserError


@pytest.mark.parametrize(("name", "bits", "ones"), [("ten", 10, 3), ("forty", 40, 12), ("forty_one", 41, 12)])
def test_the_books_sequences(name, bits, ones):
    data = BitCountsDataModule(name)
    batches = list(data.train_dataloader())
    assert len(batches) == 1
    x, y = batches[0]
    assert x.shape == (1, bits)
    assert x.sum() == y == ones
    assert x[0, :10].tolist() == [0, 0, 0, 0, 1, 0, 1, 0, 1, 0]
    # In the printed sequence one zero more stands before the last ten bits.
    assert x[0, -10:].tolist() == x[0, :10].tolist()
    if bits > 10:
        assert x[0, :30].tolist() == 3 * x[0, :10].tolist()


def fields(loader):
    x, y = zip(*loader, strict=True)
    return torch.cat(x), torch.cat(y)


def test_random_sequences_of_three_lengths():
    data = BitCountsDataModule(train_size=100, val_size=50, test_size=60)
    for loader, shape in (
        (data.train_dataloader(), (100, 10)),
        (data.val_dataloader(), (50, 20)),
        (data.test_dataloader(), (60, 40)),
    ):
        x, y = fields(loader)
        assert x.shape == shape
        assert x.dtype == y.dtype == torch.float32
        assert set(x.unique().tolist()) == {0, 1}
        assert torch.equal(x.sum(1), y)
        assert 0.4 < x.mean() < 0.6


def test_the_seed_draws_training_sequences_and_no_test_sequences():
    first, again, other = (BitCountsDataModule(train_size=50, seed=seed) for seed in (0, 0, 1))
    for data in (first, again, other):
        data.setup()
    assert torch.equal(first.train_set.fields[0], again.train_set.fields[0])
    assert not torch.equal(first.train_set.fields[0], other.train_set.fields[0])
    assert torch.equal(first.test_set.fields[0], other.test_set.fields[0])


def test_drawing_them_touches_no_other_random_numbers():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    BitCountsDataModule().setup()
    assert torch.equal(torch.rand(3), expected)


def test_no_validation_and_mistakes():
    assert BitCountsDataModule("ten", val_size=0).val_dataloader() == []
    with pytest.raises(UserError, match="sequence is 'twenty'; it must be random, ten, forty, forty_one"):
        BitCountsDataModule("twenty")
    with pytest.raises(UserError, match="val_length is 0; it must be 1 or more"):
        BitCountsDataModule(val_length=0)
    with pytest.raises(UserError, match="has no test sequences"):
        BitCountsDataModule(test_size=0).test_dataloader()
