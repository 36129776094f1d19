"""The tab that draws new images."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from callbacks.base.grids import Picture
from dlmodules_cli.explore import pictures
from dlmodules_cli.explore.parts import ALL, class_choice, picture, told
from dlmodules_cli.explore.subject import Subject

MOST = 64
FIRST = 16
HEIGHT = 560


def samples_tab(subject: Subject) -> Callable[[Callable[..., Any]], Any]:
    """Make the tab.

    Returns:
        What makes an event draw the samples, for the event that first shows the tab: they may take long.
    """
    with gr.Row():
        with gr.Column(scale=3, min_width=240):
            num = gr.Slider(1, MOST, FIRST, step=1, label="Images", buttons=[], elem_id="num")
            label = class_choice(subject, every=True)
            seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31 - 1, elem_id="seed")
            again = gr.Button("Next seed", variant="primary", elem_id="next-seed")
            gr.Markdown("The same seed draws the same images.")
        with gr.Column(scale=8):
            image = picture(None, "New images", "samples", HEIGHT)

    def sampled(num: int, label: int | None, seed: int | None) -> Picture:
        return pictures.sample_picture(subject, int(num), int(seed or 0), None if label == ALL else label)

    def following(num: int, label: int | None, seed: int | None) -> tuple[int, Picture]:
        now = (int(seed or 0) + 1) % 2**31
        return now, sampled(num, label, now)

    given = [num, label, seed]
    for event in (num.release, label.input, seed.submit, seed.blur):
        event(told(sampled), given, image, api_visibility="private")
    again.click(told(following), given, [seed, image], api_visibility="private")
    return lambda event: event(told(sampled), given, image, api_visibility="private")
