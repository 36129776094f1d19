"""The map of a code's two numbers, on which a click chooses the code."""

from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np

from callbacks.base.grids import Picture
from dlmodules_cli.explore.code_map import SIDE, CodeMap, View
from dlmodules_cli.explore.codes import Code
from dlmodules_cli.explore.parts import LATEST, QUICK, answering, picture
from dlmodules_cli.explore.subject import Subject

VIEWS: dict[View, str] = {"codes": "Codes of validation images", "decoded": "Decoded images"}


class MapPart:
    """The map, made where the constructor is called; ``listen`` connects it with the rest of the tab."""

    def __init__(self, subject: Subject, first: Code, label: int | None) -> None:
        self.map = CodeMap(subject)
        views = self.map.views
        (left, right), (bottom, top) = self.map.limits
        gr.Markdown(
            f"Click on the map to decode there. z0 goes from {left:.1f} to {right:.1f}, left to right;"
            f" z1 from {bottom:.1f} to {top:.1f}, upwards."
        )
        self.view = gr.Radio(
            [(VIEWS[view], view) for view in views],
            value=views[0],
            show_label=False,
            container=False,
            visible=len(views) > 1,
            elem_id="map-view",
        )
        self.image = picture(self.map.picture(first, views[0], label), "Map of the codes", "map", SIDE)

    def listen(
        self, code: gr.State, label: gr.Dropdown, begin: Callable[..., list[Any]], given: list[Any], outputs: list[Any]
    ) -> None:
        """Mark ``code`` wherever it comes from, and let a click call ``begin`` with its code and ``given``."""

        def clicked(event: gr.SelectData, *values: Any) -> list[Any]:
            x, y = event.index
            return begin(self.map.code_at(x, y), *values)

        for changed in (code.change, label.input, self.view.input):
            changed(answering(self._marked), [code, self.view, label], self.image, **LATEST)
        self.image.select(answering(clicked), given, outputs, **QUICK)

    def _marked(self, values: list[float], view: View, label: int | None) -> Picture:
        return self.map.picture(np.array(values, dtype=np.float32), view, label)
