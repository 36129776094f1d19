import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from pytorch_lightning import Callback
from pytorch_lightning.loggers import CSVLogger

from callbacks.base import media
from tests.callbacks.callback_toys import BareLogger, ImageLogger, ToyGAN, ToyVAE, loader, trainer

PICTURE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)


class Draw(Callback):
    def __init__(self, picture=PICTURE, **options):
        self.picture, self.options = picture, options

    def on_train_epoch_end(self, trainer, pl_module):
        media.save_image(trainer, "some/name", self.picture, **self.options)


def test_picture_lies_in_the_run_folder_under_its_step(tmp_path):
    trainer(tmp_path, Draw()).fit(ToyVAE(), loader())
    assert [path.name for path in (tmp_path / "media").iterdir()] == ["some_name-0000003.png"]
    assert (np.asarray(Image.open(tmp_path / "media" / "some_name-0000003.png")) == PICTURE).all()


@pytest.mark.parametrize("module", [ToyVAE, ToyGAN])
def test_a_picture_of_an_evaluation_has_the_step_of_the_checkpoint(tmp_path, module):
    class DrawIt(Callback):
        def on_validation_epoch_end(self, trainer, pl_module):
            media.save_image(trainer, "some/name", PICTURE)

    fitted = trainer(tmp_path, max_epochs=2)
    fitted.fit(module(), loader())
    fitted.save_checkpoint(tmp_path / "a.ckpt")
    for path, expected in (("a.ckpt", "some_name-0000006.png"), (None, "some_name-0000000.png")):
        folder = tmp_path / expected
        testing = trainer(folder, DrawIt())
        testing.validate(module(), loader(), ckpt_path=None if path is None else tmp_path / path)
        assert [path.name for path in (folder / "media").iterdir()] == [expected]


def test_unnumbered_picture_is_replaced(tmp_path):
    trainer(tmp_path, Draw(numbered=False), max_epochs=2).fit(ToyVAE(), loader())
    assert [path.name for path in (tmp_path / "media").iterdir()] == ["some_name.png"]


@pytest.mark.parametrize("module", [ToyVAE, ToyGAN])  # one optimizer and two: the global step counts both
def test_loggers_get_the_picture_at_the_step_of_the_metrics(tmp_path, module):
    logger = ImageLogger()

    class Record(Draw):
        def on_train_epoch_end(self, trainer, pl_module):
            super().on_train_epoch_end(trainer, pl_module)
            logger.metric_steps.append("picture")

    trainer(tmp_path, Record(caption="hello"), logger=logger, max_epochs=2).fit(module(), loader(), loader())
    assert [(key, step) for key, _, step in logger.pictures] == [("some/name", 2), ("some/name", 5)]
    assert (logger.pictures[0][1] == PICTURE).all()
    steps = [step for step in logger.metric_steps if step != "picture"]
    assert max(step for step in steps[: logger.metric_steps.index("picture")]) <= 2
    assert all(step >= 2 for step in steps[logger.metric_steps.index("picture") :])


@pytest.mark.parametrize(("picture", "layout"), [(PICTURE, "HWC"), (PICTURE[:, :, 0], "HW")])
def test_tensorboard_like_experiments_get_the_picture(tmp_path, picture, layout):
    calls = []

    class Experiment:
        def add_image(self, name, image, step, dataformats):
            calls.append((name, image.shape, step, dataformats))

    class Logger(BareLogger):
        experiment = Experiment()

    trainer(tmp_path, Draw(picture), logger=Logger()).fit(ToyVAE(), loader())
    assert calls == [("some/name", picture.shape, 2, layout)]


def test_failing_logger_warns_once_and_stops_nothing(tmp_path):
    class Broken(ImageLogger):
        def log_image(self, **kwargs):
            raise RuntimeError("no\nconnection")

    good = ImageLogger()
    fitted = trainer(tmp_path, Draw(), logger=[Broken(), good], max_epochs=3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted.fit(ToyVAE(), loader())
    told = [str(w.message) for w in caught if "did not take" in str(w.message)]
    assert told == ["Broken did not take the picture some/name (no connection)."]
    assert len(good.pictures) == 3


def test_unwritable_folder_warns_once_and_stops_nothing(tmp_path):
    (tmp_path / "media").write_text("a file where the folder should be")
    logger = ImageLogger()
    csv = CSVLogger(tmp_path, name="", version="")
    fitted = trainer(tmp_path, Draw(), logger=[csv, logger], max_epochs=3)
    with pytest.warns(UserWarning, match="cannot be written") as caught:
        fitted.fit(ToyVAE(), loader())
    told = [str(w.message) for w in caught if "cannot be written" in str(w.message)]
    assert len(told) == 1
    assert "\n" not in told[0]
    assert len(logger.pictures) == 3


def test_half_written_file_is_never_seen(tmp_path):
    def full_disk(path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    target = tmp_path / "x.png"
    target.write_bytes(b"old")
    with pytest.warns(UserWarning, match="No space left"):
        assert not media.write_file(trainer(tmp_path), target, full_disk)
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]
    assert target.read_bytes() == b"old"


def test_nothing_is_drawn_in_a_fast_dev_run_or_the_sanity_check(tmp_path):
    class DrawAtValidation(Callback):
        def on_validation_end(self, trainer, pl_module):
            media.save_image(trainer, "x", PICTURE)

    trainer(tmp_path, Draw(), fast_dev_run=True).fit(ToyVAE(), loader())
    checked = trainer(tmp_path, DrawAtValidation(), num_sanity_val_steps=2, limit_train_batches=0)
    checked.fit(ToyVAE(), loader(), loader())
    assert not (tmp_path / "media").exists()


def test_run_folder_is_the_trainers_log_dir(tmp_path):
    for loggers in (CSVLogger(tmp_path, name="a"), [BareLogger(), CSVLogger(tmp_path, name="a")]):
        assert media.run_folder(trainer(tmp_path, logger=loggers)) == tmp_path / "a" / "version_0"
    without = trainer(tmp_path, logger=False)
    assert media.run_folder(without) == tmp_path
    assert without.log_dir == str(tmp_path)


def test_figure_keeps_its_size_and_pyplot_stays_untouched(tmp_path):
    import matplotlib.pyplot as plt

    figure = Figure(figsize=(3, 2), dpi=100)
    figure.add_subplot().plot([1, 2])
    fitted = trainer(tmp_path)
    fitted.fit(ToyVAE(), loader())
    media.save_figure(fitted, "curve", figure)
    assert Image.open(tmp_path / "media" / "curve-0000003.png").size == (300, 200)
    assert plt.get_fignums() == []


def moving_dot(n):
    frames = [np.full((20, 30, 3), 255, np.uint8) for _ in range(n)]
    for index, frame in enumerate(frames):
        frame[5:10, index : index + 5] = (200, 0, 0)
    return frames


@pytest.mark.parametrize(("fps", "n", "shown", "milliseconds"), [(25, 8, 8, 40), (50, 8, 8, 20), (100, 8, 4, 20)])
def test_gif_plays_at_its_speed(tmp_path, fps, n, shown, milliseconds):
    logger = ImageLogger()
    fitted = trainer(tmp_path, logger=logger)
    fitted.fit(ToyVAE(), loader())
    media.save_video(fitted, "episode/0", moving_dot(n), fps)
    path = tmp_path / "media" / "episode_0-0000003.gif"
    film = Image.open(path)
    assert (film.n_frames, film.info["duration"], film.size) == (shown, milliseconds, (30, 20))
    film.seek(shown - 1)
    last = np.asarray(film.convert("RGB")).astype(int)
    assert abs(last[7, (shown - 1) * (n // shown) + 2] - (200, 0, 0)).max() < 10
    assert abs(last[0, 0] - 255).max() < 10
    assert logger.films == [("episode/0", str(path), 2)]


def test_mp4(tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    fitted = trainer(tmp_path)
    fitted.fit(ToyVAE(), loader())
    media.save_video(fitted, "film", moving_dot(10), 10, "mp4")
    frames, seconds = ffmpeg.count_frames_and_secs(str(tmp_path / "media" / "film-0000003.mp4"))
    assert (frames, round(seconds)) == (10, 1)
    assert len(list((tmp_path / "media").iterdir())) == 1
