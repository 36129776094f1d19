import numpy as np
import pytest

from callbacks import ConfusionMatrix
from callbacks.base.media import figure_to_image
from callbacks.classifiers.confusion_matrix import confusion_figure, most_mistaken, row_fractions
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, trainer
from tests.callbacks.classifier_toys import Named, Reader, batches, read_as

#          true 0: two right, one taken for 1; true 1: one right; true 2: one taken for 0, one for 1.
PREDICTED = [0, 0, 1, 1, 0, 1]
TRUE = [0, 0, 0, 1, 2, 2]
BY_HAND = [[2, 1, 0], [0, 1, 0], [1, 1, 0]]


def test_counts_by_hand_and_the_picture_of_them(tmp_path):
    logger, drawing = ImageLogger(), ConfusionMatrix()
    data = Named(batches(read_as(PREDICTED), TRUE), batches(read_as([2]), [2]))
    runs = trainer(tmp_path, drawing, logger=logger, max_epochs=2, num_sanity_val_steps=2)
    runs.fit(Reader(), datamodule=data)
    counts = drawing._matrix.compute().numpy()
    assert counts.tolist() == BY_HAND
    runs.test(runs.lightning_module, datamodule=data, verbose=False)
    assert [name for name, *_ in logger.pictures] == ["confusion_matrix", "confusion_matrix", "test/confusion_matrix"]
    expected = figure_to_image(confusion_figure(np.array(BY_HAND), ["cat", "dog", "bird"]))
    first, second, test = (picture for _, picture, _ in logger.pictures)
    assert np.array_equal(first, expected)
    assert np.array_equal(second, expected)
    assert drawing._matrix.compute().tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]  # of the test alone
    assert test.shape[2] == 3


def test_it_lies_in_the_media_folder(tmp_path):
    data = batches(read_as(PREDICTED), TRUE)
    trainer(tmp_path, ConfusionMatrix()).fit(Reader(), data, data)
    assert [path.name for path in (tmp_path / "media").iterdir()] == ["confusion_matrix-0000003.png"]


def test_rows_sum_to_one_and_a_row_without_images_is_zero():
    fractions = row_fractions(np.array([[3, 1], [0, 0]]))
    assert fractions.tolist() == [[0.75, 0.25], [0.0, 0.0]]


def words(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def labels(figure):
    return [text.get_text() for text in figure.axes[0].get_yticklabels()]


def test_cells_say_counts_and_fractions_of_the_row():
    figure = confusion_figure(np.array([[3, 1], [0, 4]]), ["a", "b"])
    assert words(figure) == ["3\n75%", "1\n25%", "4\n100%"]  # an empty cell says nothing
    assert labels(figure) == ["a", "b"]
    assert figure.axes[0].get_title() == "validation: 7 of 8 right (87.5%)"


def test_twenty_classes_say_fractions_alone_and_a_hundred_nothing():
    assert set(words(confusion_figure(np.eye(20, dtype=int), list("abcdefghijklmnopqrst")))) == {"100%"}
    figure = confusion_figure(np.eye(100, dtype=int), [str(index) for index in range(100)])
    assert words(figure) == []
    assert len(labels(figure)) == 100


def test_more_than_a_hundred_classes_are_reduced_to_those_with_mistakes():
    counts = 5 * np.eye(130, dtype=int)
    counts[129, 7] = 4  # both classes of a mistake are kept
    counts[50, 51] = 1
    assert most_mistaken(counts, 2).tolist() == [7, 129]
    assert most_mistaken(counts, 4).tolist() == [7, 50, 51, 129]
    names = [f"c{index}" for index in range(130)]
    figure = confusion_figure(counts, names, "test")
    assert len(labels(figure)) == 100
    assert "c129" in labels(figure)
    assert figure.axes[0].get_title() == "test: 650 of 655 right (99.2%)\nthe 100 of 130 classes with the most mistakes"
    assert max(figure_to_image(figure).shape) < 2200
    few = confusion_figure(counts, names, max_classes=4)
    assert labels(few) == ["c7", "c50", "c51", "c129"]
    assert "4\n44%" in words(few)  # of the 9 images of class 129, as in the whole matrix


def test_long_names_are_cut():
    figure = confusion_figure(np.eye(2, dtype=int), ["a" * 40, "b"])
    assert labels(figure) == ["a" * 15 + "…", "b"]
    assert max(figure_to_image(figure).shape) < 900


def test_impossible_arguments():
    with pytest.raises(UserError, match="max_classes must be 2 or more, not 1"):
        ConfusionMatrix(max_classes=1)
    with pytest.raises(UserError, match="must be 1 or more"):
        ConfusionMatrix(every_n_epochs=0)
