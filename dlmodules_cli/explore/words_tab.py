"""The tab of a language model: what may come next, of which a person chooses."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from typing_extensions import override

from dlmodules.protocols import ProposesTokens
from dlmodules_cli.explore.parts import answering
from dlmodules_cli.explore.subject import Subject
from dlmodules_cli.explore.tab import Tab

SHOWN = 10
"""Continuations to choose from, the most probable first."""


class WordsTab(Tab):
    """A text, and the ten most probable tokens that may come next: a click puts one behind the text."""

    title = "Next words"

    @staticmethod
    @override
    def suits(subject: Subject) -> bool:
        return subject.proposes_tokens

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        with gr.Row():
            with gr.Column(scale=7):
                self.text = gr.Textbox(
                    subject.module.first_prompt(), lines=12, label="Text", elem_id="text", interactive=True
                )
                show = gr.Button("What comes next?", variant="primary", elem_id="show-next")
            with gr.Column(scale=4, min_width=240):
                self.choice = gr.Radio([], label="Next, with its probability: click to write it", elem_id="next")
        show.click(answering(self._proposed), self.text, self.choice, api_visibility="private")
        self.text.submit(answering(self._proposed), self.text, self.choice, api_visibility="private")
        self.choice.input(
            answering(self._chosen), [self.text, self.choice], [self.text, self.choice], api_visibility="private"
        )

    @override
    def on_first_sight(self, event: Callable[..., Any]) -> None:
        event(answering(self._proposed), self.text, self.choice, api_visibility="private")

    def _proposed(self, text: str) -> Any:
        return gr.Radio(choices=proposals(self.subject, text), value=None)

    def _chosen(self, text: str, continuation: str) -> tuple[str, Any]:
        longer = text + continuation
        return longer, self._proposed(longer)


def proposals(subject: Subject, text: str) -> list[tuple[str, str]]:
    """Return the likeliest continuations of ``text``: what is shown of each, and what is put behind the text."""
    module = subject.module
    assert isinstance(module, ProposesTokens)
    with subject.asked():
        found = module.next_tokens(text, SHOWN)
    return [(f"{_visible(token)}   {100 * probability:.1f} %", token) for token, probability in found]


def _visible(token: str) -> str:
    """Return a token whose line breaks, and whose blanks where it has nothing else, can be seen."""
    shown = token.replace("\n", "⏎")
    return shown.strip() or shown.replace(" ", "␣")
