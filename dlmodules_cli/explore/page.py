"""The page as a whole, and its server. Only this file, the tabs and their parts know Gradio."""

import logging
import os
import shutil
import tempfile
import threading

# Before Gradio is imported, which reads them then: nothing is to be sent anywhere.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

import gradio as gr
from starlette.requests import ClientDisconnect

from dlmodules.errors import UserError
from dlmodules_cli.explore.classify_tab import ClassifyTab
from dlmodules_cli.explore.codes_tab import CodesTab
from dlmodules_cli.explore.decode_tab import DecodeTab
from dlmodules_cli.explore.dream_tab import DreamTab
from dlmodules_cli.explore.morph_tab import MorphTab
from dlmodules_cli.explore.samples_tab import SamplesTab
from dlmodules_cli.explore.subject import Subject
from dlmodules_cli.explore.tab import Tab
from dlmodules_cli.explore.translate_tab import TranslateTab
from dlmodules_cli.explore.words_tab import WordsTab

TABS: tuple[type[Tab], ...] = (DecodeTab, CodesTab, MorphTab, SamplesTab, ClassifyTab, TranslateTab, WordsTab, DreamTab)
"""The tabs of the page, from left to right; one without anything of the subject to show is left out."""

CSS = """
.gradio-container { width: 100% !important; max-width: 1160px !important; margin: 0 auto !important; }
.picture img { image-rendering: pixelated; width: 100%; height: 100%; object-fit: contain; }
.canvas { margin: 0 auto; }
#view { position: sticky; top: 12px; align-self: flex-start; }
"""


def build(subject: Subject, path: str) -> gr.Blocks:
    """Make the page of ``subject``, which was loaded from ``path``."""
    channels, height, width = subject.image_shape
    facts = [f"images {height} × {width}, {'grey' if channels == 1 else 'coloured'}"] if channels else ["text"]
    if subject.latent_dim is not None:
        facts.append(f"codes of {subject.latent_dim} number{'s' if subject.latent_dim > 1 else ''}")
    if classes := len(subject.classes) or subject.num_classes:
        facts.append(f"{classes} classes")
    with gr.Blocks(title=f"{subject.name}: explore", analytics_enabled=False, delete_cache=(600, 600)) as page:
        gr.Markdown(f"## {subject.name}\n{' · '.join(facts)} · `{path}`")
        with gr.Tabs():
            for index, tab in enumerate(tab for tab in TABS if tab.suits(subject)):
                with gr.Tab(tab.title) as place:
                    content = tab(subject)
                content.on_first_sight(page.load if index == 0 else place.select)
    return page


def serve(subject: Subject, path: str, host: str, port: int) -> None:
    """Show the page at ``host`` and ``port`` until the program is interrupted.

    Raises:
        UserError: the address cannot be listened at.
    """
    # The check that the page answers must not go through a proxy, nor the page's own requests.
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "localhost", "127.0.0.1", host]))
    kept = tempfile.mkdtemp(prefix="dlmodules-explore-")
    os.environ["GRADIO_TEMP_DIR"] = kept  # the pictures of this page, which nobody needs after it
    page = build(subject, path)
    fonts = ["ui-sans-serif", "system-ui", "sans-serif"]
    try:
        page.launch(
            server_name=host,
            server_port=port,
            share=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            inbrowser=False,
            quiet=True,
            prevent_thread_lock=True,
            footer_links=[],
            theme=gr.themes.Default(primary_hue="indigo", font=fonts, font_mono=["ui-monospace", "monospace"]),
            css=CSS,
        )
        logging.getLogger("uvicorn.error").addFilter(_is_no_goodbye)
        print(f"{subject.name} is at {page.local_url} until Ctrl-C", flush=True)
        threading.Event().wait()
    except OSError as error:
        raise UserError(f"cannot listen at {host}:{port}: {error}; choose another --port, or leave it out") from error
    finally:
        page.close(verbose=False)
        shutil.rmtree(kept, ignore_errors=True)


def _is_no_goodbye(record: logging.LogRecord) -> bool:
    """Tell whether a record of the server is more than the traceback of a browser that was closed."""
    return not (record.exc_info and isinstance(record.exc_info[1], ClientDisconnect))
