"""The tab in which one code of a GAN changes along each row of images."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from typing_extensions import override

from callbacks.base.grids import Picture
from dlmodules.protocols import finds_classes
from dlmodules_cli.explore import pictures
from dlmodules_cli.explore.parts import ALL, LATEST, QUICK, answering, class_choice, new_seed, picture
from dlmodules_cli.explore.subject import Subject
from dlmodules_cli.explore.tab import Tab

REACH = 4.0
"""A code goes at most that far from 0."""

MOST_STEPS, MOST_ROWS = 12, 10
HEIGHT = 560


class CodesTab(Tab):
    """A code, its ends, a class and a seed, and the rows of images in which nothing but the code changes."""

    title = "Codes"

    @staticmethod
    @override
    def suits(subject: Subject) -> bool:
        return bool(subject.traversals)

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.seed = gr.State(0)
        with gr.Row():
            with gr.Column(scale=3, min_width=240):
                self.name = gr.Radio(
                    list(subject.traversals), value=subject.traversals[0], label="Code that changes", elem_id="code"
                )
                self.low = self._slider("Left", -1.5, "low")
                self.high = self._slider("Right", 1.5, "high")
                self.steps = gr.Slider(
                    2, MOST_STEPS, 8, step=1, label="Images in a row", buttons=[], elem_id="traversal-steps"
                )
                self.label = class_choice(subject, every=True)
                # With a class for each row there is nothing to choose.
                self.rows = gr.Slider(
                    *(1, MOST_ROWS, 5),
                    step=1,
                    label="Rows",
                    buttons=[],
                    visible=subject.num_classes is None,
                    elem_id="traversal-rows",
                )
                noise = gr.Button("Other noise", variant="primary", elem_id="other-noise")
                own = " The classes were found without labels: their numbers are not those of the data."
                gr.Markdown(
                    "A row has one noise and one class. The other codes are 0."
                    + (own if finds_classes(subject.module) else "")
                )
            with gr.Column(scale=8):
                self.image = picture(None, "Rows in which the code changes", "traversal", HEIGHT)
        self.given = [self.name, self.low, self.high, self.steps, self.label, self.rows, self.seed]
        for control in (self.name, self.low, self.high, self.steps, self.rows):
            control.input(answering(self._traversed), self.given, self.image, **LATEST)
        self.label.input(answering(self._of_class), self.given, [self.rows, self.image], **QUICK)
        noise.click(answering(self._other_noise), self.given, [self.seed, self.image], **QUICK)

    @staticmethod
    def _slider(label: str, value: float, elem_id: str) -> gr.Slider:
        return gr.Slider(-REACH, REACH, value, step=0.1, label=label, buttons=[], elem_id=elem_id)

    @override
    def on_first_sight(self, event: Callable[..., Any]) -> None:
        event(answering(self._traversed), self.given, self.image, **QUICK)  # not before: it may take long

    def _traversed(
        self, name: str, low: float, high: float, steps: int, label: int | None, rows: int, seed: int
    ) -> Picture:
        chosen = None if label == ALL else label
        return pictures.traversal_picture(self.subject, name, (low, high), int(steps), int(rows), int(seed), chosen)

    def _of_class(self, *given: Any) -> tuple[Any, Picture]:
        label = given[4]
        return gr.update(visible=label is None or label != ALL), self._traversed(*given)

    def _other_noise(
        self, name: str, low: float, high: float, steps: int, label: int | None, rows: int, _: int
    ) -> tuple[int, Picture]:
        seed = new_seed()
        return seed, self._traversed(name, low, high, steps, label, rows, seed)
