import pytest
import torch

from callbacks import InputSpace
from callbacks.classifiers.input_space import curve_figure, region_figure
from datamodules import BoxDataModule, XORDataModule
from dlmodules import LinearRegression, MLPClassifier, MLPRegression
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, trainer


def test_a_curve_goes_through_the_predictions_and_shows_the_points():
    axis = torch.linspace(0, 1, 5).numpy()
    figure = curve_figure(axis, axis**2, torch.tensor([[0.5], [0.75]]), torch.tensor([1.0, 2.0]))
    points, line = figure.axes[0].lines
    assert points.get_xdata().tolist() == [0.5, 0.75]
    assert points.get_ydata().tolist() == [1.0, 2.0]
    assert line.get_ydata().tolist() == (axis**2).tolist()


def test_the_first_input_goes_to_the_right_and_the_second_up():
    axes = [torch.linspace(0, 3, 4).numpy(), torch.linspace(10, 11, 2).numpy()]
    classes = torch.tensor([[0, 0], [0, 0], [0, 0], [0, 1]]).float().numpy()  # class 1 at (3, 11) alone
    figure = region_figure(axes, classes, torch.zeros(1, 2), torch.zeros(1, dtype=torch.int64))
    (image,) = figure.axes[0].images
    assert image.origin == "lower"
    assert image.get_array()[1, 3] == 1  # the last row from below, the last column
    assert image.get_extent() == [0, 3, 10, 11]


@pytest.mark.parametrize(
    ("module", "data"),
    [
        (MLPRegression(), BoxDataModule()),
        (MLPClassifier([2], 2, hidden_dims=[4], dropout=0.0), XORDataModule()),
    ],
)
def test_it_is_drawn_when_the_training_ends(module, data, tmp_path):
    logger = ImageLogger()
    trainer(tmp_path, InputSpace(size=20), logger=logger, max_steps=2).fit(module, data)
    assert [name for name, _, _ in logger.pictures] == ["input_space"]


@pytest.mark.parametrize("module", [LinearRegression([2]), MLPClassifier([3], 2), MLPClassifier()])
def test_other_inputs_are_refused(module, tmp_path):
    with pytest.raises(UserError, match="regressions of one input and classifiers of two"):
        InputSpace().setup(trainer(tmp_path), module, "fit")


def test_a_grid_of_one_answer_is_refused():
    with pytest.raises(UserError, match="size must be 2 or more"):
        InputSpace(size=1)
