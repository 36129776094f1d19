import csv

import pytest
from pytorch_lightning.loggers import CSVLogger

from callbacks import ClassReport
from callbacks.classifiers.class_report import report_text
from tests.callbacks.callback_toys import trainer
from tests.callbacks.classifier_toys import Named, Reader, TableLogger, batches, read_as

PREDICTED = [0, 0, 1, 1, 0, 1]
TRUE = [0, 0, 0, 1, 2, 2]
# cat: 2 of the 3 read as cat are cats, 2 of 3 cats are found; dog: 1 of 3, 1 of 1; bird: never read.
BY_HAND = [("cat", 2 / 3, 2 / 3, 2 / 3, 3), ("dog", 1 / 3, 1.0, 0.5, 1), ("bird", 0.0, 0.0, 0.0, 2)]


@pytest.fixture
def fitted(tmp_path):
    logger = TableLogger()
    data = Named(batches(read_as(PREDICTED), TRUE), batches(read_as([2]), [2]))
    runs = trainer(tmp_path, ClassReport(), logger=[CSVLogger(tmp_path, name="", version=""), logger], max_epochs=2)
    runs.fit(Reader(), datamodule=data)
    return runs, logger, data, tmp_path / "media"


def test_numbers_by_hand(fitted):
    _, logger, _, folder = fitted
    assert [(key, step) for key, _, _, step in logger.tables] == [("class_report", 2), ("class_report", 5)]
    assert logger.tables[0][1] == ["class", "precision", "recall", "f1", "support"]
    for row, expected in zip(logger.tables[0][2], BY_HAND, strict=True):
        assert row[0] == expected[0]
        assert row[1:] == pytest.approx(expected[1:])
    with open(folder / "class_report.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == ["cat", "dog", "bird"]
    assert [float(row["recall"]) for row in rows] == pytest.approx([2 / 3, 1.0, 0.0], abs=1e-6)
    assert [int(row["support"]) for row in rows] == [3, 1, 2]


def test_text_is_laid_out_and_replaced(fitted):
    _, _, _, folder = fitted
    assert sorted(path.name for path in folder.iterdir()) == ["class_report.csv", "class_report.txt"]
    lines = (folder / "class_report.txt").read_text().splitlines()
    assert lines[0] == "validation after 6 steps: 3 of 6 right (50.00%)"
    assert lines[2].split() == ["class", "precision", "recall", "f1", "support"]
    assert lines[4].split() == ["cat", "0.667", "0.667", "0.667", "3"]
    assert lines[-1].split() == ["mean", "over", "classes", "0.333", "0.556", "0.389", "6"]
    assert len({len(line) for line in lines[2:]}) == 1


def test_of_the_test_set(fitted):
    runs, logger, data, folder = fitted
    runs.test(runs.lightning_module, datamodule=data, verbose=False)
    assert logger.tables[-1][0] == "test/class_report"
    assert (folder / "test_class_report.txt").read_text().startswith("test after 6 steps: 1 of 1 right (100.00%)")


def test_without_a_training_no_steps_are_claimed(tmp_path):
    trainer(tmp_path, ClassReport()).test(Reader(), batches(read_as([2]), [2]), verbose=False)
    text = (tmp_path / "media" / "test_class_report.txt").read_text()
    assert text.startswith("test: 1 of 1 right (100.00%)")


def test_the_mean_leaves_out_classes_without_images():
    text = report_text([("a", 1.0, 0.5, 0.6, 4), ("b", 0.0, 0.0, 0.0, 0)], "title")
    assert text.splitlines()[-1].split() == ["mean", "over", "classes", "1.000", "0.500", "0.600", "4"]


def test_a_logger_that_refuses_tables_stops_nothing(tmp_path):
    class Refuses(TableLogger):
        def log_table(self, **kwargs):
            raise RuntimeError("no")

    data = batches(read_as([0]), [0])
    with pytest.warns(UserWarning, match="Refuses did not take the table class_report"):
        trainer(tmp_path, ClassReport(), logger=Refuses()).fit(Reader(), data, data)
