"""Parts that several tabs of the page have."""

import random
from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from callbacks.base.grids import Picture
from dlmodules.errors import UserError
from dlmodules_cli.explore.picture_files import picture_file
from dlmodules_cli.explore.pictures import LARGE
from dlmodules_cli.explore.subject import Subject

CANVAS = 256
LIGHT, DARK = "#ffffff", "#000000"
COLOURS = ("#d62728", "#2ca02c", "#1f77b4", "#ffbf00")
ALL = -1
"""Stands for every class in turn."""

QUICK: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""How what takes a moment is called."""

LATEST: dict[str, Any] = {**QUICK, "trigger_mode": "always_last"}
"""How what follows a control that moves is called: not for each of its values, but for the last."""


def answering(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function of the page: its pictures become files, and a mistake of the user is shown as one line."""

    @wraps(function)
    def asked(*values: Any) -> Any:
        try:
            answer = function(*values)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return [_as_file(one) for one in answer] if isinstance(answer, list | tuple) else _as_file(answer)

    return asked


def _as_file(value: Any) -> Any:
    return picture_file(value) if isinstance(value, np.ndarray) else value


def new_seed() -> int:
    """Return a seed that nobody chose."""
    return random.SystemRandom().randrange(2**31)


def picture(value: Picture | None, label: str, elem_id: str, height: int = LARGE + 32) -> gr.Image:
    """Return the place of a picture that the page makes; its pixels stay squares."""
    return gr.Image(
        None if value is None else picture_file(value),
        show_label=False,  # it would cover a corner
        alt_text=label,
        elem_id=elem_id,
        elem_classes="picture",
        height=height,
        format="png",
        interactive=False,
        buttons=["download", "fullscreen"],
    )


def class_choice(subject: Subject, label: str = "Class", every: bool = False, render: bool = True) -> gr.Dropdown:
    """Return the choice of a class, hidden where the module knows none. ``every`` offers all in turn, first.

    Without ``render`` its place on the page is where its own ``render`` is called.
    """
    choices: list[tuple[str, int | None]] = [(str(number), number) for number in range(subject.num_classes or 0)]
    if every:
        choices.insert(0, ("all in turn", ALL))
    return gr.Dropdown(
        choices,
        value=choices[0][1] if choices else None,
        label=label,
        visible=subject.num_classes is not None,
        render=render,
    )


def canvas(subject: Subject, label: str, elem_id: str, image: Image.Image | None = None) -> gr.ImageEditor:
    """Return a place to drop or draw an image on; ``image`` lies there at first.

    An empty one has the ground that the module's own images have.
    """
    ground = Image.new("RGB", (CANVAS, CANVAS), DARK if subject.dark_ground else LIGHT)
    colours = [LIGHT, DARK] if subject.image_shape[0] == 1 else [LIGHT, DARK, *COLOURS]
    place = gr.ImageEditor(
        _content(image or ground),
        label=label,
        elem_id=elem_id,
        elem_classes="canvas",
        type="pil",
        sources=["upload", "clipboard"],
        transforms=(),
        layers=False,
        canvas_size=(CANVAS, CANVAS),
        brush=gr.Brush(default_size=CANVAS // 14, colors=colours, default_color=LIGHT if subject.dark_ground else DARK),
        eraser=gr.Eraser(default_size=CANVAS // 10),
        buttons=[],
        width=CANVAS + 98,  # known before the page is laid out: it centres the image when it is made, and only then
        height=CANVAS + 118,
    )
    place.clear(lambda: _content(ground), None, place, **QUICK)
    return place


def _content(image: Image.Image) -> dict[str, Any]:
    return {"background": image, "layers": [], "composite": image}


def drawn(content: dict[str, Any] | None) -> Image.Image:
    """Return the image on a canvas.

    Raises:
        UserError: there is none.
    """
    image = (content or {}).get("composite")
    if not isinstance(image, Image.Image):
        raise UserError("drop an image on the canvas, or draw one, first")
    return image
