"""The tab that samples new images."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from typing_extensions import override

from callbacks.base.grids import Picture
from dlmodules_cli.explore import pictures
from dlmodules_cli.explore.parts import ALL, answering, class_choice, picture
from dlmodules_cli.explore.subject import Subject
from dlmodules_cli.explore.tab import Tab

MOST = 64
FIRST = 16
HEIGHT = 560


class SamplesTab(Tab):
    """A number, a class and a seed, and the images that are sampled so."""

    title = "Samples"

    @staticmethod
    @override
    def suits(subject: Subject) -> bool:
        return subject.samples

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        with gr.Row():
            with gr.Column(scale=3, min_width=240):
                num = gr.Slider(1, MOST, FIRST, step=1, label="Images", buttons=[], elem_id="num")
                label = class_choice(subject, every=True)
                seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31 - 1, elem_id="seed")
                again = gr.Button("Next seed", variant="primary", elem_id="next-seed")
                gr.Markdown("The same seed gives the same images.")
            with gr.Column(scale=8):
                self.image = picture(None, "New images", "samples", HEIGHT)
        self.given = [num, label, seed]
        for event in (num.release, label.input, seed.submit, seed.blur):
            self._sample_on(event)
        again.click(answering(self._following), self.given, [seed, self.image], api_visibility="private")

    @override
    def on_first_sight(self, event: Callable[..., Any]) -> None:
        self._sample_on(event)  # not before: samples may take long

    def _sample_on(self, event: Callable[..., Any]) -> None:
        event(answering(self._sampled), self.given, self.image, api_visibility="private")

    def _sampled(self, num: int, label: int | None, seed: int | None) -> Picture:
        return pictures.sample_picture(self.subject, int(num), int(seed or 0), None if label == ALL else label)

    def _following(self, num: int, label: int | None, seed: int | None) -> tuple[int, Picture]:
        following = (int(seed or 0) + 1) % 2**31
        return following, self._sampled(num, label, following)
