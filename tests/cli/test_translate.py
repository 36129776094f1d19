"""``translate``: own images in another domain, by a checkpoint alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from dlmodules import FastStyle, PixelDA
from dlmodules.checkpoints.loading import load_checkpoint, load_module
from dlmodules_cli.main import main
from tests.quiet import quiet_trainer

FIT = [
    *["fit", "--model", "Pix2Pix", "--model.source_shape", "[1, 16, 16]", "--model.image_shape", "[1, 16, 16]"],
    *["--model.width", "4", "--model.layers", "1", "--data", "ShrunkPairsDataModule", "--data.image_size", "16"],
    *["--trainer.max_steps", "2", "--trainer.limit_val_batches", "0", "--trainer.callbacks", "[]"],
    *["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"],
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of a short run."""
    root = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "disabled")
        main([*FIT, "--trainer.default_root_dir", str(root)])
    (found,) = root.glob("*/version_0/checkpoints/last.ckpt")
    return found


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of images, one of them in a folder of its own."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for row, name in enumerate(("one.png", "two.jpg", "more/three.bmp")):
        Image.new("RGB", (20, 30), (80 * row, 0, 0)).save(folder / name)
    (folder / "notes.txt").write_text("no image")
    return folder


def test_each_image_has_a_translation(
    checkpoint: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    main(["translate", str(checkpoint), "--input", str(photos), "--output", str(output)])
    assert f"3 images translated a2b: {output}" in capsys.readouterr().out
    files = sorted(path.relative_to(output).as_posix() for path in output.rglob("*.png"))
    assert files == ["more/three.png", "one.png", "two.png"]
    module = load_module(checkpoint, load_checkpoint(checkpoint))
    black = torch.zeros(1, 1, 16, 16)
    expected = (module.translate(black) * 255).round().byte()[0, 0].numpy()  # type: ignore[operator]  # it has it
    assert (np.asarray(Image.open(output / "one.png")) == expected).all()
    main(["translate", str(checkpoint), "--input", str(photos / "one.png"), "--output", str(tmp_path / "one")])
    assert (np.asarray(Image.open(tmp_path / "one" / "one.png")) == expected).all()


def test_a_network_for_any_size_is_given_larger_images(photos: Path, tmp_path: Path) -> None:
    module = FastStyle(**FastStyle.small_arguments)
    trainer = quiet_trainer(max_steps=1, default_root_dir=tmp_path)
    trainer.fit(module, DataLoader([module.example_batch(2)], batch_size=None))
    trainer.save_checkpoint(tmp_path / "style.ckpt")
    given = ["translate", str(tmp_path / "style.ckpt"), "--input", str(photos / "one.png"), "--output", str(tmp_path)]
    main([*given, "--image_size", "40"])
    assert Image.open(tmp_path / "one.png").size == (40, 40)


def test_the_seed_draws_the_noise(tmp_path: Path) -> None:
    module = PixelDA(**PixelDA.small_arguments)
    trainer = quiet_trainer(max_steps=1, default_root_dir=tmp_path)
    trainer.fit(module, DataLoader([module.example_batch(2)], batch_size=None))
    trainer.save_checkpoint(tmp_path / "pixelda.ckpt")
    Image.new("L", (24, 24), 100).save(tmp_path / "grey.png")

    def translated(name: str, *more: str) -> bytes:
        given = ["translate", str(tmp_path / "pixelda.ckpt"), "--input", str(tmp_path / "grey.png")]
        main([*given, "--output", str(tmp_path / name), *more])
        return (tmp_path / name / "grey.png").read_bytes()

    assert translated("one") == translated("same", "--seed", "0") != translated("other", "--seed", "1")


@pytest.mark.parametrize(
    ("more", "error"),
    [
        (["--direction", "b2a"], "Pix2Pix has no direction 'b2a'; it has a2b"),
        (["--image_size", "24"], "images are [1, 24, 24] but Pix2Pix was built for [1, 16, 16]"),
        (["--image_size", "0"], "image_size"),
        (["--input", "nowhere"], "nowhere is neither an image nor a folder of images"),
        (["--input", "empty"], "there is no image in empty"),
        (["--input", "twice"], "whose translations would be one file: keep one"),
        (["--input", "damaged"], "cannot be read as an image"),
    ],
)
def test_mistakes_end_in_one_line(
    checkpoint: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    error: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("twice").mkdir()
    Path("damaged").mkdir()
    for name in ("a.png", "a.jpg"):
        Image.new("L", (16, 16)).save(Path("twice") / name)
    (Path("damaged") / "a.png").write_text("no image")
    with pytest.raises(SystemExit) as ended:
        main(["translate", str(checkpoint), "--input", str(photos), "--output", "out", *more])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert error in said
    assert said.count("\n") == 1


def test_other_modules_do_not_translate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pytorch_lightning import Trainer

    from dlmodules import GAN

    module = GAN((1, 8, 8), latent_dim=4)
    trainer = Trainer(max_steps=0, logger=False, enable_checkpointing=False, accelerator="cpu")
    trainer.strategy.connect(module)
    trainer.save_checkpoint(tmp_path / "gan.ckpt")
    with pytest.raises(SystemExit):
        main(["translate", str(tmp_path / "gan.ckpt"), "--input", str(tmp_path), "--output", str(tmp_path / "out")])
    assert "GAN does not translate images: it has no `translate` with `directions`" in capsys.readouterr().err
