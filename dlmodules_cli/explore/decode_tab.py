"""The tab that decodes a code which the user changes."""

from functools import partial
from typing import Any

import gradio as gr
import numpy as np
from typing_extensions import override

from dlmodules_cli.explore import codes, pictures
from dlmodules_cli.explore.map_part import MapPart
from dlmodules_cli.explore.parts import LATEST, QUICK, answering, canvas, class_choice, drawn, new_seed, picture
from dlmodules_cli.explore.subject import Subject
from dlmodules_cli.explore.tab import Tab

ATTRIBUTES_SHOWN = 8
STRENGTH = 2.0
SLIDER_WIDTH = 220
FEW = 8
"""Up to that many sliders leave room for a canvas beside the image."""
PRIORS = {
    "normal": "Random codes come from the prior, the standard normal.",
    "sampled": "Random codes are those of images that the module samples.",
    "uniform": "Random codes are uniform over the range of their numbers.",
    "measured": "Random codes are normal, with the mean and standard deviation of the codes of images.",
    "assumed": "Random codes are standard normal: this module has no prior.",
}


class DecodeTab(Tab):
    """A code, its sliders and its image."""

    title = "Decode"

    @staticmethod
    @override
    def suits(subject: Subject) -> bool:
        return subject.latent_dim is not None

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        first, dimensions = codes.first_code(subject), codes.first_dimensions(subject)
        self.code = gr.State(first.tolist())
        self.shown = gr.State(dimensions)
        with gr.Row():
            with gr.Column(scale=6):
                with gr.Row():
                    random = gr.Button("Random code", variant="primary", elem_id="random")
                    zeros = gr.Button("All zeros", elem_id="zeros")
                gr.Markdown(PRIORS[subject.prior])
                self._dimension_choice(len(first), dimensions)
                with gr.Row():
                    self.sliders = [
                        gr.Slider(
                            **self._place(first, dimension),
                            step=0.01,
                            min_width=SLIDER_WIDTH,
                            buttons=[],
                            elem_id=f"slider-{index}",
                        )
                        for index, dimension in enumerate(dimensions)
                    ]
                # Made below, where it says what the images are decoded as.
                self.label = class_choice(subject, render=False)
                on_map = MapPart(subject, first, self.label.value) if len(first) == 2 else None
                self._attribute_sliders()
                if subject.encodes:
                    with gr.Accordion(
                        "Begin with an image: drop or draw one",
                        open=on_map is None and len(dimensions) + len(self.names) <= FEW,
                    ):
                        own = canvas(subject, "Your image", "own")
                        encode = gr.Button("Encode it", elem_id="encode")
            with gr.Column(scale=5, elem_id="view"):
                self.label.render()
                self.image = picture(
                    pictures.decoded_picture(subject, first, self.label.value), "Decoded image", "decoded"
                )
        self.everything = [self.code, self.image, *self.sliders]
        self.given = [self.label, *self.strengths]  # what an image depends on besides its code
        self._listen()
        if on_map is not None:
            on_map.listen(self.code, self.label, self._begin_at, [self.shown, *self.given], self.everything)
        random.click(answering(self._random), [self.shown, *self.given], self.everything, **QUICK)
        zeros.click(answering(self._zero), [self.shown, *self.given], self.everything, **QUICK)
        if subject.encodes:
            encode.click(answering(self._encode), [own, self.shown, *self.given], self.everything, **QUICK)

    def _dimension_choice(self, dim: int, dimensions: list[int]) -> None:
        self.chosen = gr.Textbox(
            ", ".join(map(str, dimensions)),
            label=f"Dimensions with a slider, of 0-{dim - 1}",
            info=f"At most {codes.SLIDERS}: numbers and ranges, such as 0, 7, 20-23. The others keep their values.",
            submit_btn="Show",
            elem_id="dimensions",
            visible=dim > codes.SLIDERS,
        )

    def _attribute_sliders(self) -> None:
        """Make a slider for each attribute, those of the first ones visible."""
        attributes = self.subject.attributes
        self.names: tuple[str, ...] = () if attributes is None else attributes.names
        self.strengths: list[gr.Slider] = []
        if not self.names:
            return
        with gr.Accordion("Attributes"):
            self.picked = gr.Dropdown(
                list(self.names),
                value=list(self.names[:ATTRIBUTES_SHOWN]),
                multiselect=True,
                label="Attributes with a slider; one that is taken away goes back to 0",
                visible=len(self.names) > ATTRIBUTES_SHOWN,
            )
            with gr.Row():
                self.strengths = [
                    gr.Slider(
                        *(-STRENGTH, STRENGTH, 0.0),
                        step=0.05,
                        label=name,
                        min_width=SLIDER_WIDTH,
                        buttons=[],
                        visible=index < ATTRIBUTES_SHOWN,
                        elem_id=f"attribute-{index}",
                    )
                    for index, name in enumerate(self.names)
                ]
            self.reset = gr.Button("No attributes", size="sm", elem_id="no-attributes")

    def _listen(self) -> None:
        for index, slider in enumerate(self.sliders):
            inputs = [self.code, self.shown, slider, *self.given]
            slider.input(answering(partial(self._move, index)), inputs, [self.code, self.image], **LATEST)
        for control in self.given:
            control.input(answering(self._decode), [self.code, *self.given], self.image, **LATEST)
        self.chosen.submit(answering(self._show), [self.chosen, self.code], [self.shown, *self.sliders], **QUICK)
        if self.strengths:
            outputs = [self.image, *self.strengths]
            self.picked.input(answering(self._pick), [self.picked, self.code, *self.given], outputs, **QUICK)
            self.reset.click(answering(self._no_attributes), [self.code, self.label], outputs, **QUICK)

    def _place(self, code: codes.Code, dimension: int) -> dict[str, Any]:
        """Return where the slider of a dimension begins, ends and stands."""
        low, high = codes.slider_range(self.subject, code, dimension)
        return {"minimum": low, "maximum": high, "value": round(float(code[dimension]), 2), "label": f"z{dimension}"}

    def _decode(self, values: list[float], label: int | None, *strengths: float) -> Any:
        asked = {name: strength for name, strength in zip(self.names, strengths, strict=True) if strength}
        return pictures.decoded_picture(self.subject, np.array(values, dtype=np.float32), label, asked)

    def _move(self, index: int, values: list[float], shown: list[int], value: float, *given: Any) -> Any:
        values = list(values)
        values[shown[index]] = float(value)
        return values, self._decode(values, *given)

    def _begin_at(self, code: codes.Code, shown: list[int], *given: Any) -> list[Any]:
        values = code.tolist()
        return [values, self._decode(values, *given), *self._sliders_at(code, shown)]

    def _sliders_at(self, code: codes.Code, shown: list[int]) -> list[Any]:
        unused = len(self.sliders) - len(shown)
        return [gr.update(**self._place(code, one), visible=True) for one in shown] + [
            gr.update(visible=False)
        ] * unused

    def _random(self, *given: Any) -> list[Any]:
        return self._begin_at(codes.random_codes(self.subject, 1, new_seed())[0], *given)

    def _zero(self, *given: Any) -> list[Any]:
        return self._begin_at(codes.zero_code(self.subject), *given)

    def _encode(self, content: dict[str, Any] | None, shown: list[int], label: int | None, *given: Any) -> list[Any]:
        return self._begin_at(pictures.encode(self.subject, drawn(content), label), shown, label, *given)

    def _show(self, text: str, values: list[float]) -> list[Any]:
        shown = codes.parse_dimensions(text, len(values))
        return [shown, *self._sliders_at(np.array(values, dtype=np.float32), shown)]

    def _pick(self, picked: list[str], values: list[float], label: int | None, *strengths: float) -> list[Any]:
        kept = [strength if name in picked else 0.0 for name, strength in zip(self.names, strengths, strict=True)]
        updates = [
            gr.update(value=strength, visible=name in picked) for name, strength in zip(self.names, kept, strict=True)
        ]
        return [self._decode(values, label, *kept), *updates]

    def _no_attributes(self, values: list[float], label: int | None) -> list[Any]:
        none = [0.0] * len(self.names)
        return [self._decode(values, label, *none), *none]
