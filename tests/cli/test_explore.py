"""What the page of ``explore`` shows, without the page; and its mistakes."""

import importlib.util
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch_lightning import LightningModule, Trainer
from torch import nn

from callbacks.latents.attribute_file import AttributeFile, write_attribute_file
from dlmodules import (
    CVAE,
    DBN,
    DCGAN,
    RBM,
    VAE,
    Autoencoder,
    ColorizationAutoencoder,
    MLPClassifier,
    StateAutoencoder,
)
from dlmodules.errors import UserError
from dlmodules_cli.explore import codes, pictures
from dlmodules_cli.explore.command import find_attributes, free_port
from dlmodules_cli.explore.subject import subject_of
from dlmodules_cli.main import main

SHAPE = (1, 8, 8)


def attributes(dim, names=("smiling", "hat")):
    vectors = np.zeros((len(names), dim), dtype=np.float32)
    vectors[:, 0] = range(1, len(names) + 1)
    mean, std = np.full(dim, 5, dtype=np.float32), np.arange(dim, dtype=np.float32)
    return AttributeFile(tuple(names), vectors, mean, std)


def rbm(hidden=6):
    return RBM(SHAPE, hidden_dim=hidden, sample_steps=2)


MODULES = {
    "Autoencoder": lambda: Autoencoder(SHAPE, latent_dim=3),
    "VAE": lambda: VAE(SHAPE, latent_dim=3),
    "CVAE": lambda: CVAE(SHAPE, latent_dim=3, num_classes=4),
    "RBM": rbm,
    "DBN": lambda: DBN(SHAPE, hidden_dims=(6, 5), sample_steps=2),
    "ColorizationAutoencoder": lambda: ColorizationAutoencoder((3, 8, 8), latent_dim=3, channels=(4,)),
}


def subject(name, given=None):
    torch.manual_seed(0)
    return subject_of(MODULES[name]().eval(), given)


def checkpoint(module, folder):
    trainer = Trainer(logger=False, enable_checkpointing=False, enable_progress_bar=False, accelerator="cpu")
    trainer.strategy.connect(module)
    path = folder / "checkpoints" / "last.ckpt"
    trainer.save_checkpoint(path)
    return str(path)


@pytest.mark.parametrize(
    ("name", "prior"),
    [
        ("Autoencoder", "assumed"),
        ("VAE", "normal"),
        ("CVAE", "normal"),
        ("RBM", "sampled"),
        ("DBN", "sampled"),
        ("ColorizationAutoencoder", "assumed"),
    ],
)
def test_every_picture_of_every_kind_of_module(name, prior):
    found = subject(name)
    channels = found.image_shape[0]
    assert (found.prior, found.encodes) == (prior, True)
    label = None if found.num_classes is None else 1
    depth = () if channels == 1 else (3,)
    for code in (codes.first_code(found), codes.zero_code(found), codes.random_codes(found, 1, 3)[0]):
        assert code.shape == (found.latent_dim,)
        picture = pictures.decoded_picture(found, code, label)
        assert picture.shape == (416, 416, *depth)
        assert picture.dtype == np.uint8
    own = Image.fromarray(np.full((20, 30), 200, dtype=np.uint8))
    start, end = pictures.encode(found, own, label), codes.zero_code(found)
    assert start.dtype == np.float32
    assert pictures.morph_picture(found, start, end, 0.5, "spherical", label).shape == (416, 416, *depth)
    assert pictures.morph_strip(found, start, end, "linear", label, steps=3).shape[1] == 3 * (112 + 2) + 2
    if found.samples:
        assert pictures.sample_picture(found, 4, 0, label).shape == (2 * 98 + 2, 2 * 98 + 2)


def test_a_picture_is_the_decoded_code_in_squares():
    found = subject("VAE")
    code = np.array([1, -1, 0.5], dtype=np.float32)
    with torch.no_grad():
        image = found.module.decode(torch.from_numpy(code)[None])[0, 0]
    picture = pictures.decoded_picture(found, code)
    assert np.array_equal(picture[::52, ::52], (image * 255).round().byte().numpy())
    assert np.array_equal(picture[:52, :52], np.full((52, 52), picture[0, 0]))


def test_the_class_changes_the_image_and_must_be_one():
    found = subject("CVAE")
    code = codes.zero_code(found)
    assert not torch.equal(pictures.decode(found, code[None], 0), pictures.decode(found, code[None], 3))
    for label in (None, -1, 4):
        with pytest.raises(UserError, match=r"this CVAE knows 0\.\.3"):
            pictures.decode(found, code[None], label)


def test_attributes_move_the_code_by_their_strength():
    found = subject("VAE", attributes(3))
    code = np.array([1, 2, 3], dtype=np.float32)
    moved = codes.with_attributes(found, code, {"smiling": 0.5, "hat": -1.0})
    assert moved.tolist() == [1 + 0.5 * 1 - 1.0 * 2, 2, 3]
    assert code.tolist() == [1, 2, 3]
    expected = pictures.decoded_picture(found, moved)
    assert np.array_equal(pictures.decoded_picture(found, code, None, {"smiling": 0.5, "hat": -1.0}), expected)
    with pytest.raises(UserError, match="there is no attribute beard; there are: smiling, hat"):
        codes.with_attributes(found, code, {"beard": 1.0})
    with pytest.raises(UserError, match="of codes of 2 numbers, but VAE has codes of 3"):
        subject("VAE", attributes(2))


def test_random_codes_come_from_the_prior():
    normal = codes.random_codes(subject("VAE"), 2000, 0)
    assert np.allclose(normal.mean(0), 0, atol=0.1)
    assert np.allclose(normal.std(0), 1, atol=0.1)
    measured = codes.random_codes(subject("Autoencoder", attributes(3)), 2000, 0)
    assert np.allclose(measured.mean(0), 5, atol=0.2)
    assert np.allclose(measured.std(0), [0, 1, 2], atol=0.1)
    hidden = codes.random_codes(subject("RBM"), 20, 0)
    assert 0 <= hidden.min() < hidden.max() <= 1
    again = subject("VAE", attributes(3))  # a prior is not what was measured
    assert again.prior == "normal"
    assert np.array_equal(codes.random_codes(again, 2, 7), codes.random_codes(again, 2, 7))
    assert not np.array_equal(codes.random_codes(again, 2, 7), codes.random_codes(again, 2, 8))


def test_sliders_reach_the_code_wherever_it_is():
    found = subject("VAE")
    assert codes.slider_range(found, np.array([0, 3.14, -20.02], dtype=np.float32), 0) == (-3, 3)
    assert codes.slider_range(found, np.array([0, 3.14, -20.02], dtype=np.float32), 1) == (-3, 3.2)
    assert codes.slider_range(found, np.array([0, 3.14, -20.02], dtype=np.float32), 2) == (-20.1, 3)
    measured = subject("Autoencoder", attributes(3))
    assert codes.slider_range(measured, codes.first_code(measured), 2) == (-1, 11)  # 5 - 3 * 2, 5 + 3 * 2
    low, high = codes.slider_range(measured, codes.first_code(measured), 0)
    assert low < 5 < high
    assert codes.slider_range(subject("RBM"), np.full(6, 0.5, dtype=np.float32), 0) == (0, 1)


def test_the_dimensions_that_vary_most_come_first():
    assert codes.first_dimensions(subject("VAE")) == [0, 1, 2]
    assert codes.first_dimensions(subject("Autoencoder"), limit=2) == [0, 1]
    assert codes.first_dimensions(subject("Autoencoder", attributes(3)), limit=2) == [2, 1]
    machine = rbm()
    with torch.no_grad():  # hidden unit 4 alone looks at the image, at one pixel
        machine.rbm.up.weight.zero_()
        machine.rbm.up.weight[4, 0] = 1.0
    assert codes.first_dimensions(subject_of(machine.eval()), limit=1) == [4]


def test_dimensions_are_read_from_text():
    assert codes.parse_dimensions(" 0, 7 ,20 - 23", 24) == [0, 7, 20, 21, 22, 23]
    assert codes.parse_dimensions("5", 6) == [5]
    for text, line in {
        "x": "'x' is no dimension",
        "1.5": "'1.5' is no dimension",
        "24": "24 is outside the dimensions 0-23",
        "5-2": "5-2 is outside",
        "0-16": "at most 16",
        "": "at least one",
        "1 1": "each once",
    }.items():
        with pytest.raises(UserError, match=line):
            codes.parse_dimensions(text, 24)


def test_any_image_becomes_one_of_the_module():
    found = subject("VAE")
    half = Image.new("RGBA", (40, 20), (255, 255, 255, 255))
    half.paste((255, 0, 0, 255), (0, 0, 10, 20))  # outside the middle square
    assert pictures.image_tensor(found, half).shape == (1, *SHAPE)
    assert pictures.image_tensor(found, half).min() > 0.9  # red is 0.3 as grey
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert pictures.image_tensor(found, clear).unique().tolist() == [0.0 if found.dark_ground else 1.0]
    coloured = subject("ColorizationAutoencoder")
    red = pictures.image_tensor(coloured, Image.new("RGB", (5, 9), (255, 0, 51)))
    assert red[0, :, 0, 0].tolist() == pytest.approx([1, 0, 0.2])
    assert red.shape == (1, 3, 8, 8)


def test_dark_and_light_grounds_are_told_apart():
    for bias, dark in ((-5.0, True), (5.0, False)):
        machine = rbm()
        nn.init.constant_(machine.rbm.visible_bias, bias)
        assert subject_of(machine.eval()).dark_ground is dark


def test_a_morph_begins_and_ends_with_its_codes():
    found = subject("VAE")
    start, end = codes.random_codes(found, 2, 0)
    for way in ("linear", "spherical"):
        for share, code in ((0.0, start), (1.0, end)):
            assert codes.zero_code(found).dtype == np.float32
            np.testing.assert_allclose(pictures.between(start, end, share, way), code, atol=1e-5)
    np.testing.assert_allclose(pictures.between(start, end, 0.25, "linear"), 0.75 * start + 0.25 * end, atol=1e-6)
    a, b = np.array([2, 0, 0], dtype=np.float32), np.array([0, 2, 0], dtype=np.float32)
    np.testing.assert_allclose(pictures.between(a, b, 0.5, "spherical"), [2**0.5, 2**0.5, 0], atol=1e-5)
    first, second = pictures.two_codes(found)
    assert not np.array_equal(first, second)


def test_samples_by_seed_and_class():
    found = subject("CVAE")
    with torch.no_grad():
        turn = found.module.sample(5, torch.tensor([0, 1, 2, 3, 0]), torch.Generator().manual_seed(9))
    from callbacks.base.grids import image_grid

    assert np.array_equal(pictures.sample_picture(found, 5, 9), image_grid(turn, min_tile=96))
    assert not np.array_equal(pictures.sample_picture(found, 5, 9), pictures.sample_picture(found, 5, 9, 2))
    assert not np.array_equal(pictures.sample_picture(found, 5, 9), pictures.sample_picture(found, 5, 8))
    with pytest.raises(UserError, match="at least 1"):
        pictures.sample_picture(found, 0, 0)


def test_a_module_that_only_samples():
    found = subject_of(DCGAN(image_shape=SHAPE, width=0.05).eval())
    assert (found.latent_dim, found.encodes, found.samples, found.image_shape) == (None, False, True, SHAPE)
    assert pictures.sample_picture(found, 1, 0).shape == (416 + 4, 416 + 4)
    with pytest.raises(UserError, match="DCGAN decodes no codes"):
        codes.zero_code(found)
    with pytest.raises(UserError, match="but DCGAN decodes no codes"):
        subject_of(found.module, attributes(3))


class DecodesOnly(LightningModule):
    latent_dim = 2

    def decode(self, z):
        return z[:, :1, None, None].expand(-1, 1, 4, 4)


def test_a_module_that_only_decodes():
    found = subject_of(DecodesOnly())
    assert (found.encodes, found.samples, found.prior) == (False, False, "assumed")
    assert found.deviations() is None
    with pytest.raises(UserError, match="DecodesOnly encodes no images"):
        pictures.encode(found, Image.new("L", (4, 4)))


def test_torchs_random_numbers_are_left_alone():
    found = subject("RBM")
    torch.manual_seed(1)
    before = torch.get_rng_state()
    codes.random_codes(found, 1, 0)
    pictures.sample_picture(found, 2, 0)
    subject_of(found.module)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.fixture
def mistake(capsys):
    """Run ``explore``, which must fail, and return its one line."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(["explore", *arguments])
        assert stop.value.code == 2
        (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))
        return line

    return run


def test_mistakes_are_one_line(mistake, tmp_path, monkeypatch):
    path = checkpoint(VAE(SHAPE, latent_dim=3), tmp_path)
    assert "--ckpt_path must be given" in mistake()
    assert "there is no checkpoint nowhere" in mistake("--ckpt_path", "nowhere")
    assert "there is no file of attribute vectors no.npz" in mistake("--ckpt_path", path, "--attributes", "no.npz")
    (tmp_path / "wrong.npz").write_text("x")
    line = mistake("--ckpt_path", path, "--attributes", str(tmp_path / "wrong.npz"))
    assert "wrong.npz is no file of attribute vectors" in line
    assert "--imports no_such_module" in mistake("--ckpt_path", path, "--imports", "[no_such_module]")
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "gradio" else found(name))
    assert 'explore needs gradio: pip install ".[app]" in a checkout of dlmodules' in mistake("--ckpt_path", path)


@pytest.mark.parametrize("module", [MLPClassifier(input_shape=(4,), hidden_dims=(3,)), StateAutoencoder()])
def test_a_module_with_nothing_to_show(mistake, tmp_path, module):
    line = mistake("--ckpt_path", checkpoint(module, tmp_path))
    assert f"{type(module).__name__} cannot be explored: it neither decodes" in line


def test_a_busy_or_impossible_port(mistake, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"cannot listen at 127\.0\.0\.1:{port}: Address already in use; choose"):
            free_port("127.0.0.1", port)
    assert free_port("127.0.0.1", port) == port
    assert free_port("127.0.0.1", None) >= 7860
    with pytest.raises(UserError, match="--port is 70000; it must be 1 to 65535"):
        free_port("127.0.0.1", 70000)
    with pytest.raises(UserError, match="--host not an address: "):
        free_port("not an address", 7860)


def test_the_runs_own_attribute_file_is_found(tmp_path):
    path = checkpoint(VAE(SHAPE, latent_dim=3), tmp_path)
    assert find_attributes(path, None) is None
    write_attribute_file(tmp_path / "attribute_vectors.npz", attributes(3, ("own",)))
    write_attribute_file(tmp_path / "other.npz", attributes(3, ("other",)))
    assert find_attributes(path, None).names == ("own",)
    assert find_attributes(path, str(tmp_path / "other.npz")).names == ("other",)


@pytest.mark.slow
def test_the_command_line_starts_without_gradio():
    code = "import sys, dlmodules_cli.main, dlmodules_cli.explore.command; print('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
