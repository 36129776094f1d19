"""The tab that morphs one image into another."""

from typing import Any

import gradio as gr
import numpy as np
from PIL import Image
from typing_extensions import override

from callbacks.base.grids import Picture
from dlmodules_cli.explore import codes, pictures
from dlmodules_cli.explore.parts import CANVAS, LATEST, QUICK, answering, canvas, class_choice, drawn, picture
from dlmodules_cli.explore.subject import Subject
from dlmodules_cli.explore.tab import Tab

Ends = list[list[float]]
"""The codes of both images."""

WAYS: list[tuple[str, str]] = [("Linear", "linear"), ("Spherical", "spherical")]


class MorphTab(Tab):
    """Two images, the way between their codes, and what is decoded on it."""

    title = "Morph"

    @staticmethod
    @override
    def suits(subject: Subject) -> bool:
        return subject.latent_dim is not None and subject.encodes

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        label = None if subject.num_classes is None else 0
        examples = [self._example(code, label) for code in pictures.two_codes(subject, label)]
        ends = [pictures.encode(subject, image, label).tolist() for image in examples]
        with gr.Row():
            with gr.Column(scale=8):
                with gr.Row():
                    with gr.Column(min_width=300):
                        start = canvas(subject, "First image", "start", examples[0])
                        start_label = class_choice(subject, "Class of the first, which all decoded ones have")
                    with gr.Column(min_width=300):
                        end = canvas(subject, "Second image", "end", examples[1])
                        end_label = class_choice(subject, "Class of the second")
                gr.Markdown("Drop an image on a canvas, or draw one.")
                go = gr.Button("Encode both", variant="primary", elem_id="encode-both")
            with gr.Column(scale=4):
                image = picture(self._go(ends, 0.5, "linear", label), "Image between the two", "between", CANVAS + 102)
                fraction = gr.Slider(
                    *(0.0, 1.0, 0.5), step=0.01, label="Fraction of the way", buttons=[], elem_id="fraction"
                )
                way = gr.Radio(WAYS, value="linear", label="Way", show_label=False, elem_id="way")
        strip = picture(self._strip(ends, "linear", label), "Images from the first to the second", "strip", 132)
        self.ends = gr.State(ends)

        moving = [self.ends, fraction, way, start_label]
        fraction.input(answering(self._go), moving, image, **LATEST)
        way.input(answering(self._both), moving, [image, strip], **LATEST)
        given = [start, start_label, end, end_label, fraction, way]
        # Not at each stroke: a canvas does not tell of all of them.
        for event in (go.click, start_label.input, end_label.input):
            event(answering(self._encode), given, [self.ends, image, strip], **QUICK)

    def _example(self, code: codes.Code, label: int | None) -> Image.Image:
        shown = Image.fromarray(pictures.decoded_picture(self.subject, code, label))
        return shown.convert("RGB").resize((CANVAS, CANVAS), Image.Resampling.NEAREST)

    def _go(self, ends: Ends, fraction: float, way: pictures.Way, label: int | None) -> Picture:
        return pictures.morph_picture(self.subject, *_codes(ends), fraction, way, label)

    def _strip(self, ends: Ends, way: pictures.Way, label: int | None) -> Picture:
        return pictures.morph_strip(self.subject, *_codes(ends), way, label)

    def _both(self, ends: Ends, fraction: float, way: pictures.Way, label: int | None) -> tuple[Picture, Picture]:
        return self._go(ends, fraction, way, label), self._strip(ends, way, label)

    def _encode(
        self, start: Any, start_label: int | None, end: Any, end_label: int | None, fraction: float, way: pictures.Way
    ) -> tuple[Any, ...]:
        pairs = ((start, start_label), (end, end_label))
        ends = [pictures.encode(self.subject, drawn(content), label).tolist() for content, label in pairs]
        return ends, *self._both(ends, fraction, way, start_label)


def _codes(ends: Ends) -> tuple[codes.Code, codes.Code]:
    start, end = (np.array(values, dtype=np.float32) for values in ends)
    return start, end
