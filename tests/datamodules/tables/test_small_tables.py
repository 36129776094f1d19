"""The tables that need no file: irises, the diabetes study, exclusive or."""

import torch
from sklearn.datasets import load_diabetes, load_iris

from datamodules import DiabetesDataModule, IrisDataModule, XORDataModule
from datamodules.tables.rows import RowDataModule, RowDataset


def sets(data: RowDataModule) -> list[RowDataset]:
    data.setup()
    return [dataset for dataset in (data.train_set, data.val_set, data.test_set) if dataset is not None]


def test_irises() -> None:
    data = IrisDataModule()
    assert (data.input_shape, data.class_names) == ((4,), ["setosa", "versicolor", "virginica"])
    found = sets(data)
    assert [len(dataset) for dataset in found] == [96, 24, 30]
    x, y = torch.cat([dataset.x for dataset in found]), torch.cat([dataset.y for dataset in found])
    assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
    rows = sorted([*map(float, row), int(label)] for row, label in zip(x, y, strict=True))
    features, species = load_iris(return_X_y=True)
    inputs = torch.from_numpy(features).float()
    assert rows == sorted([*map(float, row), int(label)] for row, label in zip(inputs, species, strict=True))
    assert set(found[2].y.tolist()) == {0, 1, 2}


def test_the_books_split_of_the_irises() -> None:
    data = IrisDataModule(batch_size=120, val_size=0)
    data.setup()
    (batch,) = data.train_dataloader()
    assert batch[0].shape == (120, 4)
    assert data.val_dataloader() == []


def test_test_rows_do_not_depend_on_the_seed() -> None:
    first, other = sets(IrisDataModule(seed=0)), sets(IrisDataModule(seed=1))
    assert torch.equal(first[2].x, other[2].x)
    assert not torch.equal(first[1].x, other[1].x)


def test_diabetes() -> None:
    data = DiabetesDataModule(standardize=False)
    found = sets(data)
    assert [len(dataset) for dataset in found] == [283, 71, 88]
    assert (data.input_shape, data.class_names) == ((10,), [])
    assert all(dataset.y.dtype == torch.float32 for dataset in found)
    x, y = load_diabetes(return_X_y=True, scaled=False)
    ages = torch.cat([dataset.x for dataset in found])[:, 0]
    assert sorted(ages.tolist()) == sorted(x[:, 0].tolist())
    assert sorted(torch.cat([dataset.y for dataset in found]).tolist()) == sorted(y.tolist())


def test_exclusive_or_is_the_same_everywhere() -> None:
    data = XORDataModule(batch_size=4)
    data.setup()
    (x, y) = next(iter(data.train_dataloader()))
    truth = {tuple(point): label for point, label in zip(x.int().tolist(), y.tolist(), strict=True)}
    assert truth == {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 0}
    for loader in (data.val_dataloader(), data.test_dataloader()):
        ((x, y),) = list(loader)
        assert y.tolist() == (x[:, 0] != x[:, 1]).long().tolist()
        assert len(x) == 4
