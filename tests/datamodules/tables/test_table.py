"""Tables: what is read from a CSV file, how it is split and scaled, and the line that each mistake gets."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from callbacks.run.exact_resume import ExactResume
from datamodules import TableDataModule
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer

PEOPLE = """age,town,height,kind
20,Rome,1.5,b
30,Oslo,1.7,a
40,Rome,1.9,b
50,Bonn,1.6,a
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def _write(text: str | bytes, name: str = "table.csv") -> str:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    return _write


def everything(data: TableDataModule) -> tuple[Tensor, Tensor]:
    """All rows in the order of the file."""
    x, y = data.load()
    return torch.from_numpy(x), torch.from_numpy(y)


def numbered(rows: int, columns: int = 3) -> str:
    """A table whose first cell is the number of its row; it has two classes."""
    lines = [",".join(f"f{column}" for column in range(columns)) + ",label"]
    lines += [",".join([str(row), *["0.5"] * (columns - 1), "ab"[row % 2]]) for row in range(rows)]
    return "\n".join(lines)


def test_numbers_and_classes_by_hand(write: Any) -> None:
    data = TableDataModule(write(PEOPLE), features=["age", "height"])
    x, y = everything(data)
    assert x.tolist() == [[20.0, 1.5], [30.0, 1.7], [40.0, 1.9], [50.0, 1.6]]
    assert data.class_names == ["a", "b"]
    assert y.tolist() == [1, 0, 1, 0]
    assert (data.num_classes, data.input_shape, data.feature_names) == (2, (2,), ["age", "height"])


def test_words_become_columns_of_zeros_and_ones(write: Any) -> None:
    data = TableDataModule(write(PEOPLE), text="one_hot")
    assert data.feature_names == ["age", "town=Bonn", "town=Oslo", "town=Rome", "height"]
    assert everything(data)[0][1].tolist() == [30.0, 0.0, 1.0, 0.0, 1.7]
    with pytest.raises(UserError, match=r"line 2, column 'town': 'Rome' is no number; set text to one_hot"):
        everything(TableDataModule(write(PEOPLE)))


def test_any_column_is_the_target(write: Any) -> None:
    data = TableDataModule(write(PEOPLE), target="town", features=["age"])
    assert data.class_names == ["Bonn", "Oslo", "Rome"]
    assert everything(data)[1].tolist() == [2, 1, 2, 0]


def test_whole_numbers_are_classes_sorted_by_size(write: Any) -> None:
    data = TableDataModule(write("x,y\n1,10\n2,9\n3,10.0\n4,-1\n"))
    assert data.class_names == ["-1", "9", "10"]
    assert everything(data)[1].tolist() == [2, 1, 2, 0]


def test_regression_batches_are_float32(write: Any) -> None:
    data = TableDataModule(write(PEOPLE), target="height", features=["age"], task="regression", test_size=1, val_size=1)
    data.setup()
    x, y = next(iter(data.train_dataloader()))
    assert (x.dtype, x.shape, y.dtype, y.shape) == (torch.float32, (2, 1), torch.float32, (2,))
    assert data.class_names == []
    assert {round(value, 4) for value in y.tolist()} < {1.5, 1.7, 1.9, 1.6}


def test_a_file_of_semicolons_without_a_header(write: Any) -> None:
    text = "\ufeff1; 'x' ;2\r\n\r\n3;'y';4\r\n"  # a byte order mark, spaces, an empty line
    data = TableDataModule(write(text), names=["a", "b", "c"], separator=";", target="b")
    assert everything(data)[0].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert data.class_names == ["'x'", "'y'"]
    quoted = TableDataModule(write('a,b\n1,"x, y"\n2,"z"\n'))
    assert quoted.class_names == ["x, y", "z"]


def test_the_three_sets_are_disjoint_complete_and_seeded(write: Any) -> None:
    path = write(numbered(50))

    def sets(**kwargs: Any) -> list[list[int]]:
        data = TableDataModule(path, **kwargs)
        data.setup()
        found = (data.train_set, data.val_set, data.test_set)
        return [dataset.x[:, 0].int().tolist() for dataset in found if dataset is not None]

    train, val, test = sets(val_size=8, test_size=0.2)
    assert (len(train), len(val), len(test)) == (32, 8, 10)
    assert sorted(train + val + test) == list(range(50))
    assert test != list(range(10))  # shuffled: the rows of a file are often in the order of their classes
    assert sets(val_size=8, test_size=0.2) == [train, val, test]
    other = sets(val_size=8, test_size=0.2, seed=1)
    assert other[1] != val
    assert other[2] == test


def test_labels_stay_with_their_rows(write: Any) -> None:
    data = TableDataModule(write(numbered(50)), batch_size=7)
    data.setup()
    for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader()):
        for x, y in loader:
            assert torch.equal(x[:, 0].long() % 2, y)


def test_standardizing_uses_the_training_rows_alone(write: Any) -> None:
    path = write(numbered(40, columns=2))
    raw, data = TableDataModule(path), TableDataModule(path, standardize=True)
    raw.setup()
    data.setup()
    assert raw.train_set is not None
    assert data.train_set is not None
    assert data.test_set is not None
    assert raw.test_set is not None
    train = raw.train_set.x[:, 0].double()
    mean, deviation = train.mean(), train.std(correction=0)
    assert torch.allclose(data.train_set.x[:, 0].mean(), torch.tensor(0.0), atol=1e-6)
    assert torch.allclose(data.train_set.x[:, 0].std(correction=0), torch.tensor(1.0), atol=1e-6)
    expected = ((raw.test_set.x[:, 0].double() - mean) / deviation).float()
    assert torch.allclose(data.test_set.x[:, 0], expected)
    assert data.train_set.x[:, 1].tolist() == [0.0] * len(train)  # a feature that never varies


HOLES = "a,word,y\n1,u,p\n,u,q\n4,v,q\n7,?,p\n"


def test_missing_values(write: Any) -> None:
    path = write(HOLES)
    with pytest.raises(UserError, match=r"line 3, column 'a': no value; set missing to drop its row"):
        everything(TableDataModule(path, text="one_hot"))
    x, y = everything(TableDataModule(path, text="one_hot", missing="drop"))
    assert x.tolist() == [[1.0, 1.0, 0.0], [4.0, 0.0, 1.0]]
    assert y.tolist() == [0, 1]


def test_a_mean_is_that_of_the_training_rows(write: Any) -> None:
    data = TableDataModule(write(HOLES), text="one_hot", missing="mean", test_size=1, val_size=1)
    data.setup()
    sets = [data.train_set, data.val_set, data.test_set]
    rows = torch.cat([dataset.x for dataset in sets if dataset is not None])
    assert not rows.isnan().any()
    raw, _ = data.load()
    order = torch.cat([torch.as_tensor(data._split(4)[name]) for name in ("train", "val", "test")]).numpy()
    train = raw[order[:2]]
    for row, source in zip(rows.numpy(), raw[order], strict=True):
        expected = np.where(np.isnan(source), np.nanmean(train, axis=0), source)
        assert row == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("", {}, "is empty"),
        ("\n\n", {}, "is empty"),
        ("a,b\n", {}, "has no rows"),
        ("a,b\n1,x\n2\n", {}, r"line 3: 1 cells for 2 columns"),
        ("a,b\n1,x\n2,y,z\n", {}, r"line 3: 3 cells for 2 columns"),
        ("a,b\n1,x\n", {"names": ["a"]}, r"line 1: 2 cells for 1 columns"),
        ("a,a\n1,x\n2,y\n", {}, "two columns 'a'"),
        ("5.1,x\n4.9,y\n", {}, "holds the number 5.1, so it is no header: set names"),
        ("a,b\n1,x\n2,x\n", {}, "is 'x' in every row; two classes are needed"),
        ("a,b\n1,x\n2,y\n", {"target": "c"}, "has no column 'c'; it has: a, b"),
        ("a,b\n1,x\n2,y\n", {"features": ["d"]}, "has no column 'd'"),
        ("a,b\n1,x\n2,y\n", {"features": ["a", "b"]}, "the target 'b' is among the features"),
        ("a;b\n1;x\n2;y\n", {}, "no feature beside the target 'a;b'; is separator right"),
        ("a,b\n1,x\ninf,y\n", {}, r"line 3, column 'a': inf is not finite"),
        ("a,b\n1,x\n1e39,y\n", {}, r"line 3, column 'a': 1e39 is not finite in 32 bits"),
        ("a,b\n1,2.5\n2,3.5\n", {}, r"line 2, column 'b': 2.5 is no class; set task to regression"),
        ("a,b\n1,x\n2,y\n", {"task": "regression"}, r"line 2, column 'b': 'x' is no number"),
        ("a,b\n1,x\n2,\n", {"missing": "mean"}, r"line 3, column 'b': no value of the target"),
        ("a,b\n,x\n2,\n", {"missing": "drop"}, "missing: drop leaves none"),
        ('a,b\n1,"x\n2,y\n', {}, r"line \d: unexpected end of data"),
        (b"a,b\n1,caf\xe9\n2,y\n", {}, r"line 2: not UTF-8; save the file as UTF-8"),
    ],
)
def test_a_bad_file_gets_one_clear_line(write: Any, text: str | bytes, arguments: Any, message: str) -> None:
    data = TableDataModule(write(text), **arguments)
    with pytest.raises(UserError, match=message) as raised:
        everything(data)
    assert "\n" not in str(raised.value)
    assert "table.csv" in str(raised.value) or "target" in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file .*missing\.csv"):
        TableDataModule(str(tmp_path / "missing.csv")).setup("fit")
    with pytest.raises(UserError, match="cannot be read"):
        TableDataModule(str(tmp_path)).setup("fit")


def test_a_column_without_a_training_value(write: Any) -> None:
    with pytest.raises(UserError, match="column 'a' has no value in any training row"):
        TableDataModule(write("a,b,y\n,1,p\n,2,q\n,3,p\n"), missing="mean").setup("fit")


def test_a_table_too_small_for_its_sets(write: Any) -> None:
    with pytest.raises(UserError, match="test_size=2 and val_size=2 leave none of the 4 rows"):
        TableDataModule(write(PEOPLE), features=["age"], test_size=2, val_size=2).setup("fit")
    data = TableDataModule(write(PEOPLE), features=["age"], test_size=0)
    with pytest.raises(UserError, match="TableDataModule has no test rows"):
        data.test_dataloader()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "ranking"}, "task is 'ranking'; it must be one of classification, regression"),
        ({"missing": "guess"}, "missing is 'guess'"),
        ({"text": "hash"}, "text is 'hash'"),
        ({"val_size": 1.5}, "val_size is 1.5; it must be a number of rows"),
        ({"test_size": -1}, "test_size is -1"),
        ({"batch_size": 0}, "batch_size is 0"),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        TableDataModule("table.csv", **arguments)


def test_a_separator_is_one_character(write: Any) -> None:
    with pytest.raises(UserError, match="separator is ', '; it must be one character"):
        TableDataModule(write(PEOPLE), separator=", ").setup("fit")


class Recorder(pl.LightningModule):
    """Keeps the first feature of each batch that it trains on."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)
        self.seen: list[list[float]] = []

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        self.seen.append(batch[0][:, 0].tolist())
        return self.layer(batch[0]).mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_training_resumes_inside_an_epoch(write: Any, tmp_path: Path) -> None:
    path = write(numbered(40))

    def run(steps: int, checkpoint: str | None = None) -> tuple[Recorder, pl.Trainer]:
        trainer = quiet_trainer(max_steps=steps, callbacks=[ExactResume()], default_root_dir=tmp_path)
        module = Recorder()
        trainer.fit(module, TableDataModule(path, batch_size=8), ckpt_path=checkpoint, weights_only=True)
        return module, trainer

    unbroken, _ = run(9)
    first, trainer = run(6)
    trainer.save_checkpoint(tmp_path / "six.ckpt")
    rest, _ = run(9, str(tmp_path / "six.ckpt"))
    assert len(unbroken.seen) == 9
    assert unbroken.seen[:4] != unbroken.seen[4:8]
    assert first.seen + rest.seen == unbroken.seen
