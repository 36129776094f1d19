import math

import pytest
import torch

from callbacks import Mistakes
from callbacks.base.captions import captioned_grid
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, trainer
from tests.callbacks.classifier_toys import Named, Reader, batches, read_as

# Reader gives the class of the pixel s a logit of 10 s against two of 0: a probability of e^10s / (e^10s + 2).
PREDICTED = [0, 1, 2, 1, 0, 2, 1]
SURENESS = [1.0, 0.3, 0.9, 0.5, 0.2, 0.4, 0.7]
TRUE = [0, 0, 1, 1, 2, 2, 0]  # images 1, 2, 4 and 6 are misread; 0, the surest of all, is not
IMAGES = read_as(PREDICTED, SURENESS)


def probability(sureness):
    return math.exp(10 * sureness) / (math.exp(10 * sureness) + 2)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7])
@pytest.mark.parametrize(("num", "kept"), [(1, [2]), (3, [2, 6, 1]), (9, [2, 6, 1, 4])])
def test_the_surest_mistakes_by_hand(tmp_path, num, kept, batch_size):
    drawing, data = Mistakes(num=num), batches(IMAGES, TRUE, batch_size)
    trainer(tmp_path, drawing).fit(Reader(), data, data)
    found = drawing.confidences > 0
    assert drawing.confidences[found].tolist() == pytest.approx([probability(SURENESS[row]) for row in kept])
    assert drawing.classes[found].tolist() == [[TRUE[row], PREDICTED[row]] for row in kept]
    assert torch.equal(drawing.images[found], IMAGES[kept])
    assert len(drawing.images) == num  # never more, however many images pass


def test_the_picture_has_names_and_probabilities(tmp_path):
    logger = ImageLogger()
    data = Named(batches(IMAGES, TRUE))
    trainer(tmp_path, Mistakes(num=2, columns=2), logger=logger).fit(Reader(), datamodule=data)
    ((name, picture, _),) = logger.pictures
    assert name == "mistakes"
    expected = captioned_grid(IMAGES[[2, 6]], ["dog, read as\nbird (100%)", "cat, read as\ndog (100%)"], columns=2)
    assert (picture == expected).all()


def test_each_validation_begins_anew_and_the_test_has_its_own(tmp_path):
    logger, drawing = ImageLogger(), Mistakes(num=3)
    data = Named(batches(IMAGES, TRUE), batches(read_as([1]), [2]))
    runs = trainer(tmp_path, drawing, logger=logger, max_epochs=2)
    runs.fit(Reader(), datamodule=data)
    runs.test(runs.lightning_module, datamodule=data, verbose=False)
    assert [name for name, *_ in logger.pictures] == ["mistakes", "mistakes", "test/mistakes"]
    assert (logger.pictures[0][1] == logger.pictures[1][1]).all()
    assert drawing.classes[drawing.confidences > 0].tolist() == [[2, 1]]


def test_without_mistakes_nothing_is_drawn(tmp_path):
    logger, data = ImageLogger(), batches(read_as([0, 1]), [0, 1])
    trainer(tmp_path, Mistakes(), logger=logger).fit(Reader(), data, data)
    assert logger.pictures == []


def test_what_is_no_number_is_no_mistake():
    drawing = Mistakes(num=2)
    drawing.begin(None, None)
    probabilities = torch.tensor([[math.nan, 0.0], [0.75, 0.25]])
    drawing.collect(torch.rand(2, 1, 2, 2), torch.tensor([1, 1]), probabilities)
    assert (drawing.confidences > 0).tolist() == [True, False]


def test_tables_are_refused(tmp_path):
    table = batches(torch.rand(4, 3), [0, 0, 0, 0])
    with pytest.raises(UserError, match=r"images \(B, C, H, W\)"):
        trainer(tmp_path, Mistakes(), num_sanity_val_steps=1).fit(Reader(), table, table)
    for options in ({"num": 0}, {"columns": 0}):
        with pytest.raises(UserError, match="num and columns must be 1 or more"):
            Mistakes(**options)
