"""What the tabs for codes of a GAN, for a map of codes and for a classifier show, without the page."""

import numpy as np
import pytest
import torch
import yaml
from PIL import Image, ImageDraw
from pytorch_lightning import Trainer
from torch import nn

from callbacks import LatentMap
from callbacks.base.grids import image_grid
from callbacks.latents.code_file import CODE_FILE, CodeFile, read_code_file
from datamodules import DigitsDataModule
from dlmodules import CVAE, VAE, CNNClassifier, InfoGAN, MLPClassifier, StackedGAN
from dlmodules.errors import UserError
from dlmodules_cli.explore import classifying, pictures
from dlmodules_cli.explore.code_map import SIDE, CodeMap
from dlmodules_cli.explore.command import find_class_names, find_codes
from dlmodules_cli.explore.subject import subject_of

SHAPE = (1, 8, 8)


def infogan():
    torch.manual_seed(0)
    return subject_of(InfoGAN(image_shape=(1, 16, 16), width=0.05, num_classes=3).eval())


def vae(codes=None):
    torch.manual_seed(0)
    return subject_of(VAE(SHAPE, latent_dim=2).eval(), codes=codes)


def some_codes(labels=True):
    codes = np.array([[-10, 0], [-10, 4], [30, 0], [30, 4]], dtype=np.float32)
    return CodeFile(codes, np.array([0, 0, 1, 1]) if labels else None, ("low", "high") if labels else ())


def test_a_code_changes_along_each_row():
    found = infogan()
    assert found.traversals == ("code1", "code2")
    picture = pictures.traversal_picture(found, "code2", (-1, 1), steps=4, rows=9, seed=5)
    with torch.no_grad():
        rows = found.module.traverse(
            "code2", torch.linspace(-1, 1, 4), 3, torch.arange(3), torch.Generator().manual_seed(5)
        )
    assert np.array_equal(picture, image_grid(rows.flatten(0, 1), 4, row_labels=["0", "1", "2"]))  # a row a class
    of_one = pictures.traversal_picture(found, "code1", (-1, 1), steps=4, rows=2, seed=5, label=1)
    assert of_one.shape == (2 * 66 + 2, 4 * 66 + 2)
    assert not np.array_equal(of_one, pictures.traversal_picture(found, "code1", (-1, 1), 4, 2, seed=6, label=1))


def test_a_module_of_its_own_codes_and_mistakes():
    stacked = subject_of(StackedGAN(image_shape=(1, 16, 16), width=0.1).eval())
    assert stacked.traversals == ("z0", "z1")
    assert pictures.traversal_picture(stacked, "z1", (-1, 1), 2, 1, label=3).shape == (68, 2 * 66 + 2)
    with pytest.raises(UserError, match="InfoGAN has no code z0; it has: code1, code2"):
        pictures.traversal_picture(infogan(), "z0", (-1, 1), 2, 1)
    with pytest.raises(UserError, match="VAE has no code z0; it has: none"):
        pictures.traversal_picture(vae(), "z0", (-1, 1), 2, 1)
    with pytest.raises(UserError, match="at least 1 row of 2"):
        pictures.traversal_picture(infogan(), "code1", (-1, 1), 1, 1)


def test_a_click_is_the_code_whose_image_lies_there():
    found = vae()
    on_map = CodeMap(found)
    assert on_map.views == ["decoded"]
    assert on_map.limits == ((-3, 3), (-3, 3))
    np.testing.assert_allclose(on_map.code_at(0, SIDE - 1), [-3, -3], atol=0.01)  # left, and the bottom
    np.testing.assert_allclose(on_map.code_at(SIDE * 0.75, SIDE * 0.25), [1.5, 1.5], atol=0.01)
    # The tile at the upper left is decoded from the code of its own middle.
    code = on_map.code_at(15.5, 15.5)
    tile = on_map.picture(np.zeros(2, dtype=np.float32), "decoded")[4:28, 4:28, 0].mean()
    assert tile == pytest.approx(255 * float(pictures.decode(found, code[None])[0, 0].mean()), abs=8)


def test_a_ring_stands_where_the_code_is():
    on_map = CodeMap(vae())
    for code in ([-1.5, 1.5], [2, -2]):
        picture = on_map.picture(np.array(code, dtype=np.float32), "decoded")
        rows, columns = np.nonzero((picture == (255, 0, 0)).all(axis=-1))
        np.testing.assert_allclose(on_map.code_at(columns.mean(), rows.mean()), code, atol=0.03)


def test_the_map_of_the_runs_codes():
    on_map = CodeMap(vae(some_codes()))
    assert on_map.views == ["codes", "decoded"]
    (left, right), (bottom, top) = on_map.limits
    assert left < -10 < 30 < right
    assert bottom < 0 < 4 < top
    picture = on_map.picture(np.array([20, 1], dtype=np.float32), "codes")
    for code, colour in (((-10, 0), (31, 119, 180)), ((30, 4), (255, 127, 14))):  # the first two of matplotlib's
        x, y = on_map._places(np.array([code], dtype=np.float32))[0].round().astype(int)
        assert picture[y, x - 2 : x + 3].tolist().count(list(colour)) > 0
    plain = CodeMap(vae(some_codes(labels=False))).picture(np.zeros(2, dtype=np.float32), "codes")
    assert plain.shape == (SIDE, SIDE, 3)


def test_the_map_of_a_conditional_module_is_that_of_the_class():
    torch.manual_seed(0)
    on_map = CodeMap(subject_of(CVAE(SHAPE, latent_dim=2, num_classes=3).eval()))
    code = np.zeros(2, dtype=np.float32)
    assert not np.array_equal(on_map.picture(code, "decoded", 0), on_map.picture(code, "decoded", 2))


def test_codes_of_another_size_have_no_map():
    torch.manual_seed(0)
    assert subject_of(VAE(SHAPE, latent_dim=3).eval(), codes=some_codes()).codes is None


def test_a_run_leaves_its_codes(tmp_path):
    data = DigitsDataModule(image_size=8, batch_size=200, val_size=200)
    trainer = Trainer(
        default_root_dir=tmp_path,
        max_epochs=1,
        limit_train_batches=1,
        limit_val_batches=1,
        callbacks=[LatentMap(manifold="none")],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
    )
    module = VAE(SHAPE, latent_dim=2)
    trainer.fit(module, data)
    trainer.save_checkpoint(tmp_path / "checkpoints" / "last.ckpt")
    found = find_codes(str(tmp_path / "checkpoints" / "last.ckpt"))
    x, y = next(iter(data.val_dataloader()))
    with torch.no_grad():
        np.testing.assert_allclose(found.codes, module.eval().encode(x), atol=1e-5)
    assert found.labels.tolist() == y.tolist()
    assert found.names == tuple("0123456789")
    written = (tmp_path / CODE_FILE).read_bytes()
    trainer.validate(module, data, verbose=False)
    assert (tmp_path / CODE_FILE).read_bytes() == written  # explore goes on with the codes of the training's end
    assert find_codes(str(tmp_path / "elsewhere" / "checkpoints" / "last.ckpt")) is None


def test_a_damaged_file_of_codes_is_named(tmp_path):
    path = tmp_path / CODE_FILE
    path.write_text("x")
    with pytest.raises(UserError, match="is no file of codes: it is damaged, or lacks `codes`"):
        read_code_file(path)
    for wrong, line in (
        ({"codes": np.zeros((3, 5))}, r"`codes` is \(3, 5\)"),
        ({"codes": np.full((3, 2), np.nan)}, "`codes` must be finite"),
        ({"labels": np.zeros(2, dtype=np.int64)}, r"`labels` is \(2,\) for 3 codes"),
        ({"labels": np.array([0, 1, 2])}, "`labels` must be 0 to 1"),
    ):
        arrays = {"codes": np.zeros((3, 2)), "labels": np.zeros(3, dtype=np.int64), "names": np.array(["a", "b"])}
        np.savez(path, **arrays | wrong)
        with pytest.raises(UserError, match=line):
            read_code_file(path)


class BrightHalf(nn.Module):
    """Tells images whose left half is brighter from the others."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x):
        left, right = x[..., :4].mean(dim=(1, 2, 3)), x[..., 4:].mean(dim=(1, 2, 3))
        return 8 * self.weight * torch.stack([left, right], dim=1)


def halves():
    module = CNNClassifier(network=BrightHalf(), input_shape=SHAPE, num_classes=2).eval()
    return subject_of(module, class_names=("left", "right"))


def test_a_classifier_reads_an_image_and_shows_where():
    found = halves()
    assert (found.classes, found.image_shape) == (("left", "right"), SHAPE)
    assert (found.samples, found.latent_dim) == (False, None)
    image = Image.new("L", (8, 8), 0)
    image.paste(255, (0, 0, 4, 8))
    probabilities, picture = classifying.classify(found, image, fitted=False)
    assert probabilities == pytest.approx({"left": 1 / (1 + np.exp(-8)), "right": 1 / (1 + np.exp(8))}, abs=1e-5)
    assert picture.shape == (228, 2 * 226 + 2, 3)
    seen, lit = picture[:, 2:226], picture[:, 228:452]
    assert seen[100, 50].tolist() == [255] * 3
    assert lit[100, 50].astype(int).sum() > lit[100, 200].astype(int).sum()
    assert found.module.network.weight.grad is None


def test_without_captum_there_are_probabilities_and_the_image(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    probabilities, picture = classifying.classify(halves(), Image.new("L", (8, 8), 255), fitted=False)
    assert probabilities == {"left": 0.5, "right": 0.5}
    assert picture.shape == (228, 228)


@pytest.mark.parametrize("place", [(0, 0), (150, 20), (90, 180)])
def test_a_drawing_is_brought_where_mnists_digits_are(place):
    found = subject_of(CNNClassifier(filters=(2,)).eval())
    drawing = Image.new("RGB", (256, 256), "black")
    x, y = place
    ImageDraw.Draw(drawing).rectangle((x, y, x + 30, y + 60), fill="white")
    image = classifying.fit_as_mnist(found, drawing)
    rows, columns = (image[0, 0] > 0.5).nonzero().T
    assert (rows.min(), rows.max()) == (4, 23)  # 20 of 28 rows
    assert (columns.min(), columns.max()) == (9, 18)
    assert 0 <= image.min() < image.max() <= 1
    with pytest.raises(UserError, match="draw something on the canvas"):
        classifying.fit_as_mnist(found, Image.new("RGB", (256, 256), "black"))


def test_mass_and_not_the_box_is_in_the_middle():
    found = subject_of(CNNClassifier(filters=(2,)).eval())
    drawing = Image.new("L", (100, 100), 0)
    drawing.paste(255, (10, 10, 20, 90))  # heavy on the left
    drawing.paste(255, (10, 10, 60, 14))
    image = classifying.fit_as_mnist(found, drawing)[0, 0]
    across = (image.sum(0) * (torch.arange(28) + 0.5)).sum() / image.sum()
    assert float(across) == pytest.approx(14, abs=0.6)


def test_what_is_no_classifier_of_images():
    assert vae().classes == ()
    assert infogan().classes == ()
    with pytest.raises(UserError, match="VAE classifies no images"):
        classifying.classify(vae(), Image.new("L", (8, 8)), fitted=False)
    with pytest.raises(UserError, match=r"MLPClassifier cannot be explored: .* knows the `input_shape` of its images"):
        subject_of(MLPClassifier(input_shape=(4,)).eval())


def test_the_classes_are_called_as_the_runs_data_calls_them(tmp_path):
    path = str(tmp_path / "checkpoints" / "last.ckpt")
    assert find_class_names(path) == ()
    for data, names in (
        ("datamodules.CIFAR10DataModule", "airplane"),
        ({"class_path": "datamodules.CIFAR10DataModule"}, "airplane"),
        ("no_such_module.Data", None),
        ("datamodules.NoSuchDataModule", None),
        (None, None),
    ):
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({"data": data}))
        found = find_class_names(path)
        assert found[:1] == (() if names is None else (names,))
    found = subject_of(MLPClassifier(input_shape=SHAPE, num_classes=3).eval(), class_names=("a", "b"))
    assert found.classes == ("0", "1", "2")  # names of other data are not taken
