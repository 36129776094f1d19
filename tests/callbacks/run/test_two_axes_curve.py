import numpy as np
import pytest
from PIL import Image

from callbacks import TwoAxesCurve
from callbacks.run.two_axes_curve import two_axes
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ToyVAE, loader, trainer


class Falling(ToyVAE):
    """Logs a loss and a weight, and is broken off by an error after four steps where it is told to be."""

    stops = False

    def training_step(self, batch, batch_idx):
        loss = super().training_step(batch, batch_idx)
        if self.stops and self.global_step == 4:
            raise UserError("the loss is infinite")
        self.log("train/loss", 10.0 - self.global_step)
        self.log("train/w", 0.5 * self.global_step)
        return loss


def test_a_run_is_plotted_on_two_axes(tmp_path):
    curve = TwoAxesCurve(["train/w"], left_limits=(0.0, 3.0), every_n_epochs=100)
    trainer(tmp_path, curve, max_epochs=2).fit(Falling(), loader())
    (picture,) = tmp_path.glob("**/media/two_axes_curve.png")
    assert np.asarray(Image.open(picture)).std() > 5


def test_a_run_that_ends_with_an_error_is_plotted(tmp_path):
    module = Falling()
    module.stops = True
    curve = TwoAxesCurve(["train/w"], every_n_epochs=100)
    with pytest.raises(UserError, match="the loss is infinite"):
        trainer(tmp_path, curve, max_epochs=2).fit(module, loader())
    assert curve.series["train/w"] == [[1, 0], [2, 0.5], [3, 1], [4, 1.5]]
    assert list(tmp_path.glob("**/media/two_axes_curve.png"))


def test_what_was_never_logged_is_not_plotted(tmp_path):
    trainer(tmp_path, TwoAxesCurve(["train/v"], ["val/v"]), max_epochs=1).fit(Falling(), loader())
    assert not list(tmp_path.glob("**/media/two_axes_curve.png"))


def test_each_axis_has_its_lines_and_limits():
    left = {"train/U": [[1, 0.0], [2, 1.0], [3, 1e260]], "train/W": [[1, 1.0], [2, float("nan")], [3, 0.5]]}
    right = {"train/loss": [[1, 100.0], [2, float("inf")]]}
    axes, beside = two_axes(left, right, (-3, 2), None, "a run").axes
    assert axes.get_ylim() == (-3, 2)
    assert [line.get_label() for line in axes.get_lines()] == ["train/U", "train/W"]
    u, w = (line.get_xydata() for line in axes.get_lines())
    assert u[2, 1] == 502  # what is far outside is cut off there
    assert w.tolist() == [[1, 1], [3, 0.5]]
    assert [line.get_xydata().tolist() for line in beside.get_lines()] == [[[1, 100]]]


def test_no_metrics():
    with pytest.raises(UserError, match="left and right must name one metric or more each"):
        TwoAxesCurve([])
