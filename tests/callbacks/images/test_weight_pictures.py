import numpy as np
import pytest
import torch
from pytorch_lightning import LightningModule
from torch import nn

from callbacks import WeightPictures
from callbacks.base.grids import image_grid
from callbacks.images.weight_pictures import around_grey, chosen_units, first_layer
from datamodules import DigitsDataModule
from dlmodules import MLPClassifier
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, trainer


class Net(LightningModule):
    def __init__(self, *layers, input_shape=None):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.input_shape = input_shape


def drawn(module, tmp_path, **options):
    """The picture of a module, without a training."""
    logger, drawing = ImageLogger(), WeightPictures(**options)
    runs = trainer(tmp_path, logger=logger)
    runs.strategy.connect(module)
    drawing.setup(runs, module, "fit")
    drawing.plot(runs, module)
    ((name, picture, _),) = logger.pictures
    assert name == "weights"
    return picture


def test_units_of_a_dense_layer_are_laid_out_as_the_images_are(tmp_path):
    layer = nn.Linear(6, 2)
    with torch.no_grad():
        layer.weight[0] = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0, -0.5])  # row 0, column 2; row 1, column 2
        layer.weight[1] = torch.tensor([2.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    picture = drawn(Net(nn.Flatten(), layer, nn.Linear(2, 9), input_shape=(1, 2, 3)), tmp_path)
    tiles = torch.tensor([[[0.5, 0.5, 1.0], [0.5, 0.5, 0.25]], [[1.0, 0.5, 0.5], [0.5, 0.5, 0.5]]]).unsqueeze(1)
    assert np.array_equal(picture, image_grid(tiles, 10, min_tile=56))


def test_three_channels_are_colours_or_their_mean(tmp_path):
    layer = nn.Linear(3, 1)
    with torch.no_grad():
        layer.weight[0] = torch.tensor([1.0, -1.0, 0.0])
    module = Net(layer, input_shape=(3, 1, 1))
    assert drawn(module, tmp_path)[30, 30].tolist() == [255, 0, 128]
    assert drawn(module, tmp_path, color=False)[30, 30] == 128


def test_filters_of_a_convolution(tmp_path):
    layer = nn.Conv2d(3, 5, 7)
    picture = drawn(Net(layer, nn.Linear(4, 2)), tmp_path, columns=5)
    assert np.array_equal(picture, image_grid(around_grey(layer.weight.detach()), 5, min_tile=56))
    # The mean of inputs that are no colours.
    layer = nn.Conv2d(8, 4, 3)
    picture = drawn(Net(layer), tmp_path)
    assert np.array_equal(
        picture, image_grid(around_grey(layer.weight.detach().mean(1, keepdim=True)), 10, min_tile=56)
    )


def test_units_drawn_by_lot_are_different_and_any_may_be():
    assert chosen_units(5, 100, 0).tolist() == [0, 1, 2, 3, 4]
    chosen = chosen_units(1024, 100, 0).tolist()
    assert len(set(chosen)) == 100
    assert chosen == sorted(chosen)
    assert chosen == chosen_units(1024, 100, 0).tolist()
    assert chosen != chosen_units(1024, 100, 1).tolist()
    # The last unit is one of 100 of 1,024 in about every tenth draw.
    assert 5 <= sum(1023 in chosen_units(1024, 100, seed).tolist() for seed in range(200)) <= 40


def test_what_is_shown_are_the_chosen_units(tmp_path):
    layer = nn.Linear(4, 300)
    picture = drawn(Net(layer, input_shape=(1, 2, 2)), tmp_path, num=6, seed=3)
    weights = layer.weight.detach()[chosen_units(300, 6, 3)].view(6, 1, 2, 2)
    assert np.array_equal(picture, image_grid(around_grey(weights), 10, min_tile=56))


def test_around_grey():
    weights = torch.tensor([[[[2.0, -1.0]]], [[[0.0, 0.0]]]])
    assert around_grey(weights).flatten().tolist() == [1.0, 0.25, 0.5, 0.5]


def test_the_first_layer():
    conv, dense = nn.Conv2d(1, 2, 3), nn.Linear(4, 2)
    assert first_layer(nn.Sequential(nn.ReLU(), conv, dense)) is conv
    assert first_layer(nn.Sequential(dense, conv)) is dense
    assert first_layer(nn.ReLU()) is None


def test_in_a_training_without_leaving_a_trace(tmp_path):
    ends, logger = [], ImageLogger()
    for callbacks in ([], [WeightPictures(num=9)]):
        torch.manual_seed(0)
        module = MLPClassifier(hidden_dims=(16,))
        data = DigitsDataModule(batch_size=64, limit_train=128)
        trainer(tmp_path, *callbacks, max_epochs=2, logger=logger).fit(module, data)
        ends.append(module.network.head.weight.tolist())
    assert ends[0] == ends[1]
    assert [name for name, *_ in logger.pictures] == ["weights", "weights"]


@pytest.mark.parametrize(
    ("module", "line"),
    [
        (Net(nn.ReLU()), "this module has neither"),
        (Net(nn.Linear(4, 2)), r"as the module's `input_shape`; it says nothing"),
        (Net(nn.Linear(4, 2), input_shape=(4,)), r"it says \[4\]"),
        (Net(nn.Linear(4, 2), input_shape=(1, 3, 3)), r"reads 4 numbers, not the 9 of an image \[1, 3, 3\]"),
    ],
)
def test_a_module_that_makes_no_pictures_is_refused(tmp_path, module, line):
    with pytest.raises(UserError, match=line):
        WeightPictures().setup(trainer(tmp_path), module, "fit")


def test_impossible_arguments():
    for options in ({"num": 0}, {"columns": 0}):
        with pytest.raises(UserError, match="num and columns must be 1 or more"):
            WeightPictures(**options)
