import numpy as np
import torch
from PIL import Image
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint

from callbacks import LossCurve
from callbacks.run.loss_curve import MAX_POINTS, curves
from tests.callbacks.callback_toys import ToyGAN, ToyVAE, loader, trainer


class Known(ToyVAE):
    """Logs values that can be foretold: the step, and at validation the epoch."""

    def training_step(self, batch, batch_idx):
        loss = super().training_step(batch, batch_idx)
        self.log("train/loss", float(self.global_step + 1))
        self.log("train/both", float(self.global_step + 1), on_step=True, on_epoch=True)
        self.log("train/mean", float(batch_idx), on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val/loss", 100.0 + self.current_epoch)
        self.log("val/constant", 1.0)

    def on_validation_epoch_end(self):
        if self.current_epoch % 2 == 0:
            self.log("val/now_and_then", 7.0)


def test_points_are_those_that_were_logged(tmp_path):
    curve = LossCurve()
    # The other callbacks read the metrics too, in the same hooks.
    others = [
        ModelCheckpoint(tmp_path / "c", monitor="val/loss", save_top_k=-1),
        EarlyStopping("val/loss", patience=99),
    ]
    fitted = trainer(tmp_path, curve, *others, max_epochs=4, log_every_n_steps=2, enable_checkpointing=True)
    fitted.fit(Known(), loader(), loader())  # 3 steps an epoch
    assert curve.series == {
        "train/loss": [[s, s] for s in (2, 4, 6, 8, 10, 12)],
        "train/both": [[s, s] for s in (2, 4, 6, 8, 10, 12)],
        "train/mean": [[3, 1], [6, 1], [9, 1], [12, 1]],
        "val/loss": [[3, 100], [6, 101], [9, 102], [12, 103]],
        "val/constant": [[3, 1], [6, 1], [9, 1], [12, 1]],
        "val/now_and_then": [[3, 7], [9, 7]],
    }


def test_short_epochs_without_a_logging_step_have_a_point(tmp_path):
    curve = LossCurve()
    trainer(tmp_path, curve, max_epochs=2, log_every_n_steps=50).fit(Known(), loader(), loader())
    assert curve.series["train/loss"] == [[3, 3], [6, 6]]


def test_steps_of_two_optimizers_are_counted_once(tmp_path):
    curve = LossCurve()
    trainer(tmp_path, curve, max_epochs=2).fit(ToyGAN(), loader(), loader())
    assert [step for step, _ in curve.series["val/d_real"]] == [3, 6]


def test_resumed_run_has_the_curve_of_the_unbroken_one(tmp_path):
    unbroken, first, second = LossCurve(), LossCurve(), LossCurve()
    trainer(tmp_path, unbroken, max_epochs=4).fit(Known(), loader(), loader())
    saver = ModelCheckpoint(tmp_path, filename="half")
    trainer(tmp_path, first, saver, max_epochs=2, enable_checkpointing=True).fit(Known(), loader(), loader())
    torch.load(tmp_path / "half.ckpt", weights_only=True)
    trainer(tmp_path, second, max_epochs=4).fit(
        Known(), loader(), loader(), ckpt_path=tmp_path / "half.ckpt", weights_only=True
    )
    assert second.series == unbroken.series


def test_long_series_are_thinned_by_means(tmp_path):
    curve = LossCurve()
    curve.series["train/loss"] = [[s, s] for s in range(-MAX_POINTS + 2, 1)]
    trainer(tmp_path, curve, max_epochs=1).fit(Known(), loader(), loader())
    points = curve.series["train/loss"]
    assert len(points) == MAX_POINTS // 2 + 2
    assert points[0] == [-MAX_POINTS + 3, -MAX_POINTS + 2.5]
    assert points[-3:] == [[1, 0.5], [2, 2], [3, 3]]


def test_it_is_drawn_in_one_file_at_the_end_and_now_and_then(tmp_path):
    drawn = []

    class Watched(LossCurve):
        def plot(self, trainer, pl_module):
            super().plot(trainer, pl_module)
            drawn.append(trainer.global_step)

    trainer(tmp_path, Watched(every_n_epochs=2), max_epochs=3).fit(Known(), loader(), loader())
    assert drawn == [6, 9]
    assert [path.name for path in (tmp_path / "media").iterdir()] == ["loss_curve.png"]
    assert np.asarray(Image.open(tmp_path / "media" / "loss_curve.png")).std() > 10


def test_training_and_validation_share_a_panel():
    figure = curves(
        {
            "train/kl": [[1, 5.0], [2, 4.0]],
            "train/loss": [[1, 900.0], [2, 1.0]],
            "val/loss": [[2, 2.0]],
            "val_accuracy": [[2, float("nan")]],
            "lr": [[1, -1.0], [2, 0.0]],
        },
        "title",
    )
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert list(panels) == ["loss", "kl", "accuracy", "lr"]
    assert [text.get_text() for text in panels["loss"].get_legend().get_texts()] == ["train", "val"]
    assert panels["loss"].get_yscale() == "log"
    assert panels["kl"].get_yscale() == "linear"
    assert panels["lr"].get_yscale() == "linear"
    assert panels["loss"].lines[0].get_xydata().tolist() == [[1, 900], [2, 1]]
