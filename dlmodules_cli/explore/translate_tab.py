"""The tab that translates an image into another domain."""

from dataclasses import replace
from typing import Any

import gradio as gr
import torch
from PIL import Image
from typing_extensions import override

from callbacks.base.grids import Picture, image_grid
from dlmodules.protocols import Translates
from dlmodules_cli.explore.parts import QUICK, answering, canvas, drawn, picture
from dlmodules_cli.explore.pictures import LARGE, image_tensor
from dlmodules_cli.explore.subject import Subject
from dlmodules_cli.explore.tab import Tab


class TranslateTab(Tab):
    """A canvas, and what is on it in the other domain."""

    title = "Translate"

    @staticmethod
    @override
    def suits(subject: Subject) -> bool:
        return isinstance(subject.module, Translates)

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        directions = list(subject.module.directions)
        with gr.Row():
            with gr.Column(scale=5, min_width=360):
                own = canvas(subject, "Drop an image, or draw one", "source")
                way = gr.Radio(
                    directions, value=directions[0], label="Direction", visible=len(directions) > 1, elem_id="direction"
                )
                go = gr.Button("Translate it", variant="primary", elem_id="translate")
            with gr.Column(scale=6):
                both = picture(None, "The image as the network sees it, and its translation", "translation", LARGE + 32)
                gr.Markdown("Left what the network sees, right its translation.")
        go.click(answering(self._translated), [own, way], both, **QUICK)

    def _translated(self, content: dict[str, Any] | None, direction: str) -> Picture:
        return translated_picture(self.subject, drawn(content), direction)


def translated_picture(subject: Subject, image: Image.Image, direction: str) -> Picture:
    """Return any image as the module's network sees it, and beside it its translation in ``direction``."""
    module = subject.module
    assert isinstance(module, Translates)
    channels, height, width = module.domain_shapes[direction[0]]
    seen = image_tensor(replace(subject, image_shape=(channels, height, width)), image)
    with subject.asked():
        translated = module.translate(seen, direction).float().cpu()
    most = max(seen.shape[1], translated.shape[1])
    tiles = torch.cat([part.expand(-1, most, -1, -1) for part in (seen, translated)])
    return image_grid(tiles, 2, min_tile=LARGE // 2)
