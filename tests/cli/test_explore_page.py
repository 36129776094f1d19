"""The page of ``explore`` in a browser: it answers, says no error, and asks no other host for anything."""

import multiprocessing
import os
import re
import shutil
import signal
import socket
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch
from PIL import Image

from callbacks.latents.attribute_file import write_attribute_file
from callbacks.latents.code_file import CodeFile
from dlmodules import CVAE, DCGAN, MDNRNN, VAE, CNNClassifier, InfoGAN, NGram
from dlmodules.sequences.vocabulary import Vocabulary
from tests.cli.test_explore import attributes, checkpoint

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 300
"""Seconds to wait for anything: other work may keep the machine busy."""
ZERO = re.compile(r"^-?0(\.0*)?$")
# The server of the forks has imported what every page needs.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.cli.test_explore_page", "dlmodules_cli.explore.page", "dlmodules_cli.cli"])

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("gradio") is None, reason="gradio is not installed: pip install -e '.[app]'"),
    pytest.mark.skipif(find_spec("playwright") is None, reason="playwright is missing: pip install -e '.[browser]'"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this computer"),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(arguments, said):
    """Be ``train.py`` with these arguments, in a forked process; what it says goes to the file ``said``."""
    # Tests that run in the background were told to ignore Ctrl-C, and would pass that on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream in (1, 2):
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    from dlmodules_cli.main import main

    sys.argv = ["train.py", *arguments]
    main(arguments)


@contextmanager
def explored(path, *more):
    """Run ``explore`` beside the test; yield its address."""
    port, said = free_port(), Path(path).parent / "said.txt"
    said.touch()
    process = FORKS.Process(target=serve, args=(["explore", "--ckpt_path", path, "--port", str(port), *more], said))
    process.start()
    try:
        until = time.monotonic() + PATIENCE
        while f"is at http://127.0.0.1:{port}/ until Ctrl-C" not in said.read_text():
            assert process.is_alive(), said.read_text()
            assert time.monotonic() < until, said.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        if process.is_alive():
            os.kill(process.pid, signal.SIGINT)
        process.join(PATIENCE)
        if process.exitcode is None:
            process.kill()
    assert process.exitcode == 130
    assert "Traceback" not in said.read_text(), said.read_text()


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=1000 * PATIENCE)
        yield browser
        browser.close()


@contextmanager
def opened(chromium, address):
    """Yield the page at an address; afterwards nothing may have gone wrong in it, nor left this computer."""
    hosts, wrong = set(), []
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(1000 * PATIENCE)
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("response", lambda response: response.status >= 400 and wrong.append(f"{response.url} {response.status}"))
    page.goto(address)
    yield page
    page.close()
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


def drop_noise(page, name, folder):
    Image.effect_noise((60, 40), 90).save(folder / "noise.png")
    page.set_input_files(f"#{name} input[type=file]", folder / "noise.png")
    page.wait_for_timeout(1000)  # until it lies on the canvas


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
    """Return what a number's ``expect`` waits on: it may change after the image that it belongs to."""
    from playwright.sync_api import expect

    return expect(page.locator(f"#{name} input[type=number]"))


def test_the_page_of_a_vae(tmp_path, chromium):
    torch.manual_seed(0)
    write_attribute_file(tmp_path / "attribute_vectors.npz", attributes(20))
    module = VAE(latent_dim=20)
    with torch.no_grad():
        module.encoder.mean.weight *= 100  # untrained, it would give all images the same code
    with explored(checkpoint(module, tmp_path)) as address, opened(chromium, address) as page:
        decoded = Picture(page, "decoded")
        slide(page, "slider-0")
        assert decoded.changed()
        number(page, "slider-0").to_have_value(re.compile(r"^0\.20*$"))
        slide(page, "attribute-0")
        assert decoded.changed()
        page.click("#no-attributes")
        assert decoded.changed()
        number(page, "attribute-0").to_have_value(ZERO)
        page.click("#random")
        assert decoded.changed()
        number(page, "slider-1").not_to_have_value(ZERO)
        page.click("#zeros")
        assert decoded.changed()
        number(page, "slider-1").to_have_value(ZERO)

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
        drop_noise(page, "own", tmp_path)
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


def test_the_class_of_a_conditional_module(tmp_path, chromium):
    torch.manual_seed(0)
    with (
        explored(checkpoint(CVAE(latent_dim=2, num_classes=3), tmp_path)) as address,
        opened(chromium, address) as page,
    ):
        decoded = Picture(page, "decoded")
        page.get_by_label("Class", exact=True).first.click()
        page.get_by_role("option", name="2").click()
        assert decoded.changed()


def test_a_module_that_only_samples_shows_samples_at_once(tmp_path, chromium):
    with (
        explored(checkpoint(DCGAN(image_shape=(1, 8, 8), width=0.05), tmp_path)) as address,
        opened(chromium, address) as page,
    ):
        samples = Picture(page, "samples")
        assert page.get_by_role("tab").count() == 1
        slide(page, "num", 1)
        page.click("#next-seed")
        assert samples.changed()


def test_a_code_of_an_infogan_along_rows(tmp_path, chromium):
    module = InfoGAN(image_shape=(1, 16, 16), width=0.05, num_classes=3)
    with explored(checkpoint(module, tmp_path)) as address, opened(chromium, address) as page:
        rows = Picture(page, "traversal")  # at once: the tab is the first
        assert page.get_by_role("tab").all_inner_texts() == ["Codes", "Samples"]
        page.get_by_label("code2").click()
        assert rows.changed()
        slide(page, "high", 3)
        assert rows.changed()
        slide(page, "traversal-steps", 1)
        assert rows.changed()
        assert page.locator("#traversal-rows:visible").count() == 0
        page.get_by_label("Class", exact=True).first.click()
        page.get_by_role("option", name="2").click()
        assert rows.changed()
        page.locator("#traversal-rows").wait_for()
        page.click("#other-noise")
        assert rows.changed()


def test_a_click_on_the_map_decodes_there(tmp_path, chromium):
    torch.manual_seed(0)
    codes = np.array([[-4, -2], [4, 2]], dtype=np.float32)  # so the map spans 8.64 by 4.32
    CodeFile(codes, np.array([0, 1]), ("zero", "one")).save(tmp_path / "latent_codes.npz")
    path = checkpoint(VAE(latent_dim=2), tmp_path)
    with explored(path) as address, opened(chromium, address) as page:
        decoded, on_map = Picture(page, "decoded"), Picture(page, "map")
        box = on_map.place.bounding_box()
        page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
        assert decoded.changed()
        assert on_map.changed()  # the ring moves
        number(page, "slider-0").to_have_value(re.compile(r"^2\.1\d*$"))
        number(page, "slider-1").to_have_value(re.compile(r"^1\.(0[5-9]|1)\d*$"))
        page.get_by_label("Decoded images").click()
        assert on_map.changed()
        slide(page, "slider-0", 5)
        assert on_map.changed()


def test_a_drawing_is_classified(tmp_path, chromium):
    torch.manual_seed(0)
    (tmp_path / "config.yaml").write_text("data: datamodules.FashionMNISTDataModule")
    with explored(checkpoint(CNNClassifier(), tmp_path)) as address, opened(chromium, address) as page:
        page.click("#classify")
        page.get_by_text("draw something on the canvas").wait_for()
        draw(page, "drawing")
        page.click("#classify")
        seen = Picture(page, "seen")
        page.locator("#probabilities").get_by_text("Sandal", exact=True).first.wait_for()
        page.locator("#fitted input").uncheck()
        page.click("#classify")
        assert seen.changed()
        drop_noise(page, "drawing", tmp_path)
        page.click("#classify")
        assert seen.changed()


def test_a_text_is_written_by_clicks(tmp_path, chromium):
    tokenizer = Vocabulary(["the", "fox", "saw"])
    model = NGram(order=2, vocabulary_size=5)
    model.tokenizer = tokenizer
    model.count([torch.tensor(tokenizer.encode("the fox saw the fox saw the fox"))])
    with explored(checkpoint(model, tmp_path)) as address, opened(chromium, address) as page:
        text = page.locator("#text textarea")
        text.wait_for()
        page.locator("#next").get_by_text("fox", exact=False).first.click()
        page.wait_for_function("document.querySelector('#text textarea').value === 'the fox'")
        text.fill("the cat")
        page.click("#show-next")
        page.get_by_text("the word 'cat' is none that the model was trained on").first.wait_for()


def test_a_dream_is_steered_by_keys_and_by_buttons(tmp_path, chromium):
    world = MDNRNN(VAE((1, 8, 8), latent_dim=2), latent_dim=2, action_dim=3, discrete=True, reward_input=False)
    with (
        explored(checkpoint(world, tmp_path)) as address,
        opened(chromium, address) as page,
    ):
        page.get_by_role("tab", name="Dream").click()
        dream, said = Picture(page, "dream"), page.locator("#dream-said")
        page.get_by_role("button", name="→").click()
        assert dream.changed()
        for steps, key in ((4, "ArrowLeft"), (6, "Space"), (8, "ArrowRight")):
            page.keyboard.press(key)
            said.get_by_text(f"step {steps} · ").wait_for()
        page.keyboard.press("ArrowUp")  # is no action here
        page.locator("#dream-seed input").fill("7")
        page.keyboard.press("Enter")
        said.get_by_text("step 0 · paid 0 · goes on").wait_for()
        page.keyboard.press("ArrowLeft")  # moves in the text
        page.get_by_role("button", name="space").click()
        said.get_by_text("step 2 · ").wait_for()
        page.click("#another-dream")
        said.get_by_text("step 0 · paid 0 · goes on").wait_for()
