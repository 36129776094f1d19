"""The page of ``explore`` in a browser: it answers, says no error, and asks no other host for anything."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import torch
from PIL import Image

from callbacks.latents.attribute_file import write_attribute_file
from dlmodules import CVAE, DCGAN, VAE
from tests.cli.test_explore import attributes, checkpoint

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("gradio") is None, reason="gradio is not installed: pip install -e '.[app]'"),
    pytest.mark.skipif(find_spec("playwright") is None, reason="playwright is missing: pip install -e '.[browser]'"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this computer"),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def explored(path, *more):
    """Run ``explore`` beside the test; yield its address."""
    port = free_port()
    command = [sys.executable, str(ROOT / "train.py"), "explore", "--ckpt_path", path, "--port", str(port), *more]
    # A proxy that leads nowhere: the page must do without any.
    hidden = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | hidden,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Tests that run in the background were told to ignore Ctrl-C, and would pass that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        line = process.stdout.readline()
        assert f"is at http://127.0.0.1:{port}/ until Ctrl-C" in line, line + process.stdout.read()
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.send_signal(signal.SIGINT)
        try:
            said, _ = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 130
    assert "Traceback" not in said, said


@contextmanager
def browser():
    """Yield an empty page of a browser; afterwards nothing may have gone wrong in it, nor left this computer."""
    from playwright.sync_api import sync_playwright

    hosts, wrong = set(), []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "response", lambda response: response.status >= 400 and wrong.append(f"{response.url} {response.status}")
        )
        yield page
        chromium.close()
    assert wrong == []
    assert hosts - {None} == {"127.0.0.1"}  # data: and blob: have no host


class Picture:
    """What an image of the page shows."""

    def __init__(self, page, name):
        self.page = page
        self.place = page.locator(f"#{name} img")
        self.place.wait_for()
        self.before = self.source()

    def source(self):
        return self.place.get_attribute("src")

    def changed(self):
        """Wait until it shows another image, and return whether its pixels stand sharp."""
        self.page.wait_for_function(
            "([place, before]) => place.src !== before && place.complete && place.naturalWidth > 0",
            arg=[self.place.element_handle(), self.before],
        )
        self.before = self.source()
        return self.place.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"


def slide(page, name, steps=20):
    page.locator(f"#{name} input[type=range]").focus()
    for _ in range(steps):
        page.keyboard.press("ArrowRight")


def draw(page, name):
    canvas = page.locator(f"#{name} canvas").first
    canvas.wait_for()
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)  # until it takes the pen
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y + 40, steps=5)
    page.mouse.move(x, y + 90, steps=5)
    page.mouse.up()


def number(page, name):
    return float(page.locator(f"#{name} input[type=number]").input_value())


def test_the_page_of_a_vae(tmp_path):
    torch.manual_seed(0)
    write_attribute_file(tmp_path / "attribute_vectors.npz", attributes(20))
    module = VAE(latent_dim=20)
    with torch.no_grad():
        module.encoder.mean.weight *= 100  # untrained, it would give all images the same code
    with explored(checkpoint(module, tmp_path)) as address, browser() as page:
        page.goto(address)
        decoded = Picture(page, "decoded")
        slide(page, "slider-0")
        assert decoded.changed()
        assert number(page, "slider-0") == pytest.approx(0.2)
        slide(page, "attribute-0")
        assert decoded.changed()
        page.click("#no-attributes")
        assert decoded.changed()
        assert number(page, "attribute-0") == 0
        page.click("#random")
        assert decoded.changed()
        assert number(page, "slider-1") != 0
        page.click("#zeros")
        assert decoded.changed()
        assert number(page, "slider-1") == 0

        page.fill("#dimensions textarea", "0, 2-3")
        page.get_by_role("button", name="Show").click()
        page.get_by_text("z0", exact=True).wait_for()  # it varies least by the file, so it had no slider
        assert page.locator("[id^=slider-]:visible").count() == 3
        slide(page, "slider-2")
        assert decoded.changed()
        page.fill("#dimensions textarea", "30")
        page.get_by_role("button", name="Show").click()
        page.get_by_text("30 is outside the dimensions 0-19").wait_for()

        page.get_by_text("Begin with an image: drop or draw one").click()
        draw(page, "own")
        page.click("#encode")
        assert decoded.changed()
        Image.effect_noise((60, 40), 90).save(tmp_path / "noise.png")
        page.set_input_files("#own input[type=file]", tmp_path / "noise.png")
        page.wait_for_timeout(1000)  # until it lies on the canvas
        page.click("#encode")
        assert decoded.changed()

        page.get_by_role("tab", name="Morph").click()
        between, strip = Picture(page, "between"), Picture(page, "strip")
        slide(page, "fraction")
        assert between.changed()
        draw(page, "end")
        page.click("#encode-both")
        assert strip.changed()
        page.get_by_label("Spherical").click()
        assert strip.changed()

        page.get_by_role("tab", name="Samples").click()
        samples = Picture(page, "samples")
        page.click("#next-seed")
        assert samples.changed()


def test_the_class_of_a_conditional_module(tmp_path):
    torch.manual_seed(0)
    with explored(checkpoint(CVAE(latent_dim=2, num_classes=3), tmp_path)) as address, browser() as page:
        page.goto(address)
        decoded = Picture(page, "decoded")
        page.get_by_label("Class", exact=True).first.click()
        page.get_by_role("option", name="2").click()
        assert decoded.changed()


def test_a_module_that_only_samples_shows_samples_at_once(tmp_path):
    with explored(checkpoint(DCGAN(image_shape=(1, 8, 8), width=0.05), tmp_path)) as address, browser() as page:
        page.goto(address)
        samples = Picture(page, "samples")
        assert page.get_by_role("tab").count() == 1
        slide(page, "num", 1)
        page.click("#next-seed")
        assert samples.changed()
