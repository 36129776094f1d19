"""The tab in which a dream of a world model is steered."""

from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr
from typing_extensions import override

from callbacks.base.grids import Picture
from dlmodules_cli.explore import steering
from dlmodules_cli.explore.parts import QUICK, answering, picture
from dlmodules_cli.explore.subject import Subject
from dlmodules_cli.explore.tab import Tab

KEYS = {
    steering.LEFT: "ArrowLeft",
    steering.RIGHT: "ArrowRight",
    steering.UP: "ArrowUp",
    steering.DOWN: "ArrowDown",
    steering.STAY: "Space",
}
LISTEN = """(...given) => {
    if (!window.steers) {
        window.steers = true
        document.addEventListener("keydown", (event) => {
            if (["INPUT", "TEXTAREA"].includes(event.target.tagName)) return
            const place = [...document.querySelectorAll("[id^=dream-key-]")].find(
                (one) => one.offsetParent !== null &&
                    ["dream-key-" + event.key, "dream-key-" + event.code].includes(one.id))
            if (!place) return
            event.preventDefault()
            event.stopPropagation()
            place.click()
        }, true)
    }
    return given
}"""
"""A key clicks the button of its name, where that is seen and nothing is being typed."""


class DreamTab(Tab):
    """The frame of a dream, and buttons and keys that act in it."""

    title = "Dream"

    @staticmethod
    @override
    def suits(subject: Subject) -> bool:
        return steering.can_dream(subject)

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.dream = gr.State()
        with gr.Row():
            with gr.Column(scale=4, min_width=240):
                gr.Markdown("The model makes up what follows what you do: by these buttons, or by the keys they show.")
                with gr.Row():
                    buttons = {
                        name: gr.Button(name, min_width=48, elem_id=f"dream-key-{KEYS.get(name, name)}")
                        for name in steering.actions_of(subject.module)
                    }
                hold = gr.Slider(1, 20, 2, step=1, label="Steps for each press", buttons=[], elem_id="hold")
                temperature = gr.Slider(0.1, 2, 1, step=0.05, label="Temperature", buttons=[], elem_id="temperature")
                self.seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31 - 1, elem_id="dream-seed")
                again = gr.Button("Another dream", variant="primary", elem_id="another-dream")
            with gr.Column(scale=7):
                self.image = picture(None, "What is dreamt", "dream")
                self.said = gr.Markdown(elem_id="dream-said")
        self.shown = [self.dream, self.image, self.said]
        for name, button in buttons.items():
            given = [self.dream, self.seed, hold, temperature]
            button.click(answering(partial(self._act, name)), given, self.shown, **QUICK)
        self.seed.submit(answering(self._begin), self.seed, self.shown, **QUICK)
        again.click(answering(self._another), self.seed, [self.seed, *self.shown], **QUICK)

    @override
    def on_first_sight(self, event: Callable[..., Any]) -> None:
        event(answering(self._begin), self.seed, self.shown, js=LISTEN, **QUICK)

    def _begin(self, seed: int | None) -> tuple[steering.SteeredDream, Picture, str]:
        return self._as_seen(steering.begin(self.subject, int(seed or 0)))

    def _another(self, seed: int | None) -> tuple[int, steering.SteeredDream, Picture, str]:
        following = (int(seed or 0) + 1) % 2**31
        return following, *self._begin(following)

    def _act(
        self, name: str, dream: steering.SteeredDream | None, seed: int | None, hold: int, temperature: float
    ) -> tuple[steering.SteeredDream, Picture, str]:
        begun = dream or steering.begin(self.subject, int(seed or 0))
        return self._as_seen(steering.go_on(self.subject, begun, name, int(hold), float(temperature)))

    def _as_seen(self, dream: steering.SteeredDream) -> tuple[steering.SteeredDream, Picture, str]:
        return dream, steering.dream_picture(self.subject, dream), steering.dream_text(dream)
