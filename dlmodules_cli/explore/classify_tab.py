"""The tab that classifies a drawing."""

from typing import Any

import gradio as gr
from typing_extensions import override

from callbacks.base.grids import Picture
from dlmodules.errors import install_command
from dlmodules_cli.explore.classifying import TILE, can_explain, classify
from dlmodules_cli.explore.parts import QUICK, answering, canvas, drawn, picture
from dlmodules_cli.explore.subject import Subject
from dlmodules_cli.explore.tab import Tab

SHOWN = 10
"""At most that many classes are shown, the likeliest first."""


class ClassifyTab(Tab):
    """A canvas, the probabilities of the classes, and where the network finds the likeliest one."""

    title = "Classify"

    @staticmethod
    @override
    def suits(subject: Subject) -> bool:
        return bool(subject.classes)

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        grey = subject.image_shape[0] == 1
        explained = can_explain(subject)
        with gr.Row():
            with gr.Column(scale=5, min_width=360):
                own = canvas(subject, "Draw, or drop an image", "drawing")
                fitted = gr.Checkbox(
                    grey,
                    label="Bring it to the size and place of MNIST's digits",
                    visible=grey,
                    container=False,
                    elem_id="fitted",
                )
                go = gr.Button("Classify it", variant="primary", elem_id="classify")
            with gr.Column(scale=6):
                seen = picture(None, "The image as the network sees it", "seen", TILE + 32)
                gr.Markdown(
                    "Left what the network sees; right, bright, what supports the likeliest class."
                    if explained
                    else "What the network sees. Captum would show what supports the class:"
                    f" `{install_command('explain')}`"
                )
                probabilities = gr.Label(label="Probabilities", num_top_classes=SHOWN, elem_id="probabilities")
        go.click(answering(self._classified), [own, fitted], [probabilities, seen], **QUICK)

    def _classified(self, content: dict[str, Any] | None, fitted: bool) -> tuple[dict[str, float], Picture]:
        return classify(self.subject, drawn(content), fitted)
