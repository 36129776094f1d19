"""``sample --traverse``."""

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from PIL import Image

from dlmodules import VAE, InfoGAN, StackedGAN
from dlmodules.errors import UserError
from dlmodules.protocols import Traverses
from dlmodules_cli.main import main
from dlmodules_cli.sampling.traversals import Traversal, parse_traversal


def saved(module, path):
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)
    trainer.strategy.connect(module)
    trainer.save_checkpoint(path)
    return str(path)


@pytest.fixture(scope="module")
def infogan(tmp_path_factory):
    torch.manual_seed(0)
    module = InfoGAN(image_shape=(1, 8, 8), latent_dim=4, num_classes=3, width=0.05)
    return saved(module, tmp_path_factory.mktemp("infogan") / "last.ckpt")


def swept(path, output, *more):
    main(["sample", "--ckpt_path", path, "--output", str(output), *more])
    return np.load(output / "samples.npz")


def test_a_row_for_each_class_a_column_for_each_value(infogan, tmp_path, capsys):
    found = swept(infogan, tmp_path, "--traverse", "code2=-2:2:5", "--seed", "3")
    assert set(found.files) == {"samples", "values", "labels"}
    assert found["samples"].shape == (3, 5, 1, 8, 8)
    assert found["values"].tolist() == [-2, -1, 0, 1, 2]
    assert found["labels"].tolist() == [0, 1, 2]
    assert "code2 from -2 to 2" in capsys.readouterr().out
    # Each image is the one that `sample` makes of the row's noise and class, and of the value as the second code.
    module = InfoGAN.load_from_checkpoint(infogan, weights_only=True).eval()
    noise = module.sample_latents(3, torch.Generator().manual_seed(3)).noise
    for column, value in enumerate([-2.0, -1.0, 0.0, 1.0, 2.0]):
        with torch.no_grad():
            images = module(noise, torch.arange(3), torch.tensor([[0.0, value]]).repeat(3, 1))
        assert np.allclose(found["samples"][:, column], images.numpy(), atol=1e-5)
    assert np.abs(np.diff(found["samples"], axis=1)).max() > 1e-4
    height, width = np.asarray(Image.open(tmp_path / "samples.png")).shape
    tile = 64 + 2
    assert height == 3 * tile + 2
    assert width > 5 * tile + 2  # the classes stand to the left


def test_the_class_and_the_rows_can_be_chosen(infogan, tmp_path):
    one = swept(infogan, tmp_path / "a", "--traverse", "code1=0:1:2", "--label", "2")
    assert one["samples"].shape == (1, 2, 1, 8, 8)
    assert one["labels"].tolist() == [2]
    more = swept(infogan, tmp_path / "b", "--traverse", "code1=0:1:2", "--label", "2", "--num", "4")
    assert more["labels"].tolist() == [2, 2, 2, 2]
    assert np.abs(np.diff(more["samples"], axis=0)).max() > 1e-4  # each row has its own noise
    cycled = swept(infogan, tmp_path / "c", "--traverse", "code1=0:1:2", "--num", "5")
    assert cycled["labels"].tolist() == [0, 1, 2, 0, 1]


def test_a_traversal_is_repeatable_by_seed(infogan, tmp_path):
    first, again, other = (
        swept(infogan, tmp_path / str(index), "--traverse", "code1=-1:1:2", "--seed", seed)["samples"]
        for index, seed in enumerate(("1", "1", "2"))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_codes_of_a_stacked_gan(tmp_path, capsys):
    torch.manual_seed(0)
    module = StackedGAN(image_shape=(1, 8, 8), latent_dim=3, num_classes=3, feature_dim=8, width=0.05)
    path = saved(module, tmp_path / "last.ckpt")
    found = swept(path, tmp_path / "out", "--traverse", "z0=-4:4:3", "--label", "1")
    assert found["samples"].shape == (1, 3, 1, 8, 8)
    assert found["labels"].tolist() == [1]
    with torch.no_grad():
        last = module.eval()(torch.full((1, 3), 4.0), torch.tensor([1]), torch.zeros(1, 3))
    assert np.allclose(found["samples"][:, 2], last.numpy(), atol=1e-5)
    assert swept(path, tmp_path / "all", "--traverse", "z1=-1:1:2")["labels"].tolist() == [0, 1, 2]
    with pytest.raises(SystemExit):
        swept(path, tmp_path / "none", "--traverse", "code1=-2:2:8")
    assert "error: this StackedGAN has no code1; choose z0 or z1" in capsys.readouterr().err


def test_without_classes_there_is_one_row(tmp_path, monkeypatch):
    class Plain(pl.LightningModule):
        traversals = ("z0",)

        def traverse(self, name, values, n, labels=None, generator=None):
            assert labels is None
            return values.view(1, -1, 1, 1, 1).expand(n, -1, 1, 4, 4) / 10

    assert isinstance(Plain(), Traverses)
    monkeypatch.setattr("dlmodules_cli.sample.load_trained", lambda path, ema: (Plain().eval(), {}))
    (tmp_path / "any.ckpt").touch()
    found = swept(str(tmp_path / "any.ckpt"), tmp_path, "--traverse", "z0=0:8:3")
    assert set(found.files) == {"samples", "values"}
    assert found["samples"].shape == (1, 3, 1, 4, 4)
    assert found["samples"][0, :, 0, 0, 0].tolist() == pytest.approx([0, 0.4, 0.8])


def test_reading_a_traversal():
    assert parse_traversal("code1=-2:2.5:8") == Traversal("code1", -2.0, 2.5, 8)
    assert Traversal("z0", 1.0, 0.0, 3).values.tolist() == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    "text", ["code1=a:b", "code1=a:b:3", "code1", "=0:1:3", "code1=0:1", "code1=0:1:2.5", "code1=nan:1:3", "c=0:1:2:3"]
)
def test_a_text_that_is_no_traversal(text):
    with pytest.raises(UserError, match=r"write it as name=low:high:steps, such as code1=-2:2:8"):
        parse_traversal(text)


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--traverse", "code3=-2:2:8"], "this InfoGAN has no code3; choose code1 or code2"),
        (["--traverse", "code1=a:b"], "--traverse code1=a:b: write it as name=low:high:steps"),
        (["--traverse", "code1=-2:2:1"], "--traverse code1=-2:2:1: at least 2 steps are needed"),
        (["--traverse", "code1=-2:2:2", "--label", "3"], "--label is 3; this InfoGAN knows 0..2"),
        (["--traverse", "code1=-2:2:2", "--num", "0"], "--num is 0"),
    ],
)
def test_mistakes_end_in_one_line(infogan, tmp_path, capsys, more, line):
    with pytest.raises(SystemExit) as stop:
        main(["sample", "--ckpt_path", infogan, "--output", str(tmp_path), *more])
    assert stop.value.code == 2
    assert f"error: {line}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_module_without_codes(tmp_path, capsys):
    path = saved(VAE(), tmp_path / "vae.ckpt")
    with pytest.raises(SystemExit) as stop:
        main(["sample", "--ckpt_path", path, "--output", str(tmp_path / "out"), "--traverse", "code1=-2:2:8"])
    assert stop.value.code == 2
    assert "error: VAE has no codes to change: leave --traverse out" in capsys.readouterr().err
