"""The one way a picture leaves a run: into its ``media`` folder and to every logger that takes pictures.

Only the first process writes. Nothing is written during the sanity check or a fast dev run. A
picture that cannot be written or logged never stops a training: it warns once, in one line.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np
from pytorch_lightning import Trainer
from pytorch_lightning.utilities import rank_zero_warn

from callbacks.base.grids import Picture
from callbacks.base.progress import logged_step, position
from callbacks.base.trainers import is_quiet
from dlmodules.checkpoints.atomic import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Viewers play a GIF faster than this at a tenth of the speed.
MAX_GIF_FPS = 50

_complained: WeakSet[Any] = WeakSet()


def warn_once(about: object, message: str) -> None:
    """Warn, unless a warning about the same object was given before."""
    if about not in _complained:
        _complained.add(about)
        rank_zero_warn(" ".join(message.split()))


def run_folder(trainer: Trainer) -> Path:
    """The folder of the run: the first logger's that has one, else the trainer's.

    Equals ``trainer.log_dir`` where that is set, but may be asked on one process alone:
    ``log_dir`` waits for all of them.
    """
    folders = [logger.log_dir for logger in trainer.loggers] + [logger.save_dir for logger in trainer.loggers]
    return Path(next((folder for folder in folders if folder), trainer.default_root_dir))


def write_file(trainer: Trainer, path: Path, write: Callable[[Path], object]) -> bool:
    """Let ``write`` fill a temporary file beside ``path``, then rename it, so that no half file is ever seen.

    Returns:
        Whether the file is there; if not, a warning was given.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            write(temporary)
    except OSError as error:
        warn_once(trainer, f"{path} cannot be written ({error}); training continues without it.")
        return False
    return True


def save_image(
    trainer: Trainer, name: str, image: Picture, caption: str | None = None, numbered: bool = True
) -> Path | None:
    """Write a picture to the run folder and hand it to the loggers.

    Args:
        trainer: the trainer of the run.
        name: what the picture shows, the same at every step; ``/`` becomes ``_`` in the file name.
        image: ``(H, W)`` or ``(H, W, 3)``, uint8.
        caption: a line for loggers that show one.
        numbered: put the step into the file name; without, each picture replaces the one before.

    Returns:
        The file, where one was written.
    """
    if is_quiet(trainer) or not trainer.is_global_zero:
        return None
    from PIL import Image

    path = media_path(trainer, name, "png", numbered)
    written = write_file(trainer, path, Image.fromarray(image).save)
    for logger in trainer.loggers:
        try:
            _log_image(logger, name, image, logged_step(trainer), caption)
        except Exception as error:  # a logger is other people's code: whatever it raises, the training goes on
            warn_once(logger, f"{type(logger).__name__} did not take the picture {name} ({error}).")
    return path if written else None


def _log_image(logger: Any, name: str, image: Picture, step: int, caption: str | None) -> None:
    if hasattr(logger, "log_image"):
        logger.log_image(key=name, images=[image], step=step, **({} if caption is None else {"caption": [caption]}))
        return
    experiment: Any = getattr(logger, "experiment", None)
    if hasattr(experiment, "add_image"):
        experiment.add_image(name, image, step, dataformats="HW" if image.ndim == 2 else "HWC")


def save_figure(
    trainer: Trainer, name: str, figure: "Figure", caption: str | None = None, numbered: bool = True
) -> None:
    """Write a matplotlib figure, at its own resolution; otherwise as :func:`save_image`."""
    if is_quiet(trainer) or not trainer.is_global_zero:
        return
    save_image(trainer, name, figure_to_image(figure), caption, numbered)


def figure_to_image(figure: "Figure") -> Picture:
    """Render a figure into an array ``(H, W, 3)`` uint8, without pyplot and its global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    image: Picture = np.asarray(canvas.buffer_rgba(), dtype=np.uint8)[:, :, :3].copy()
    return image


def save_video(
    trainer: Trainer,
    name: str,
    frames: Sequence[Picture],
    fps: float,
    fmt: str = "gif",
    caption: str | None = None,
    numbered: bool = True,
) -> None:
    """Write a film to the run folder and hand it to the loggers that have ``log_video``.

    Args:
        trainer: the trainer of the run.
        name: what the film shows, as for :func:`save_image`.
        frames: pictures of one size, ``(H, W, 3)`` uint8.
        fps: pictures a second. A GIF drops pictures above 50, since viewers refuse to play it faster.
        fmt: ``gif``, or ``mp4`` (needs imageio-ffmpeg).
        caption: a line for loggers that show one.
        numbered: as for :func:`save_image`.
    """
    if is_quiet(trainer) or not trainer.is_global_zero or not len(frames):
        return
    path = media_path(trainer, name, fmt, numbered)
    write = _write_mp4 if fmt == "mp4" else write_gif
    if not write_file(trainer, path, lambda target: write(target, frames, fps)):
        return
    for logger in trainer.loggers:
        if not hasattr(logger, "log_video"):
            continue
        captions = {} if caption is None else {"caption": [caption]}
        try:
            logger.log_video(key=name, videos=[str(path)], step=logged_step(trainer), format=[fmt], **captions)
        except Exception as error:  # as for pictures
            warn_once(logger, f"{type(logger).__name__} did not take the film {name} ({error}).")


def media_path(trainer: Trainer, name: str, suffix: str, numbered: bool) -> Path:
    """Return where a picture, film or text called ``name`` lies in the run folder, by its step where ``numbered``."""
    number = f"-{position(trainer):07d}" if numbered else ""
    return run_folder(trainer) / "media" / f"{name.replace('/', '_')}{number}.{suffix}"


def write_gif(path: Path, frames: Sequence[Picture], fps: float) -> None:
    """Write ``frames`` of one size, ``(H, W, 3)`` uint8, as an endless GIF."""
    from PIL import Image

    stride = math.ceil(fps / MAX_GIF_FPS)
    images = [Image.fromarray(frame) for frame in frames[::stride]]
    # One palette for the whole film, from pictures all over it: faster than one a
    # picture, and no flicker.
    chosen = frames[:: max(1, len(frames) // 8)]
    palette = Image.fromarray(np.concatenate(chosen, axis=0)).quantize(256)
    first, *rest = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    first.save(path, save_all=True, append_images=rest, duration=round(1000 * stride / fps), loop=0)


def _write_mp4(path: Path, frames: Sequence[Picture], fps: float) -> None:
    import importlib

    ffmpeg = importlib.import_module("imageio_ffmpeg")
    height, width = frames[0].shape[:2]
    writer = ffmpeg.write_frames(str(path), (width, height), fps=fps, macro_block_size=2)
    writer.send(None)
    try:
        for frame in frames:
            writer.send(np.ascontiguousarray(frame))
    finally:
        writer.close()
