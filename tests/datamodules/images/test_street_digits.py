import numpy as np
import pytest
import torch
from PIL import Image

from datamodules import MNISTDataModule, MNISTMDataModule, StreetDigitsDataModule
from datamodules.images.photo_patches import PhotoPatches
from datamodules.images.rendered_digits import CONTRAST, FONTS, glyphs, house_numbers
from dlmodules.errors import UserError

SMALL = {"train_size": 50, "test_size": 20, "val_size": 10}


def test_a_font_has_ten_digits_of_one_height():
    masks = glyphs()
    assert masks.shape == (len(FONTS), 10, 64, 64)
    rows = (masks.amax(dim=3) > 0.5).float()
    assert rows.sum(dim=2).min() >= 36
    assert rows.sum(dim=2).max() <= 40
    assert (masks[:, :, 32].amax(dim=2) > 0).all()
    for first in range(10):
        for second in range(first):
            assert (masks[:, first] - masks[:, second]).abs().mean() > 0.01


def test_the_digit_in_the_middle_can_be_told_and_stands_out():
    draw = torch.Generator().manual_seed(0)
    digits = torch.arange(10).repeat(100)
    plain = torch.full((1000, 3, 32, 32), 0.5)
    images = house_numbers(digits, plain, draw)
    assert images.shape == (1000, 3, 32, 32)
    assert 0 <= float(images.min()) <= float(images.max()) <= 1
    contrast = images.mean(dim=1).flatten(1).std(dim=1)
    assert float(contrast.quantile(0.05)) > 0.03
    flat = images.mean(dim=1).flatten(1)
    flat = ((flat - flat.mean(dim=1, keepdim=True)) / flat.std(dim=1, keepdim=True)).abs()
    means = torch.stack([flat[:500][digits[:500] == digit].mean(dim=0) for digit in range(10)])
    guessed = (flat[500:] @ (means - means.mean(dim=0)).T).argmax(dim=1)
    assert float((guessed == digits[500:]).float().mean()) > 0.2  # twice what is guessed blindly, by means alone
    assert CONTRAST > 0


def test_the_same_images_for_each_seed_of_the_test_and_others_to_train():
    first, second = (StreetDigitsDataModule(**SMALL, seed=seed) for seed in (0, 1))
    one, two = (next(iter(data.test_dataloader()))[0] for data in (first, second))
    assert torch.equal(one, two)
    assert len(first.test_set) == 20
    first.setup("fit")
    assert (len(first.train_set), len(first.val_set)) == (40, 10)
    x, y = first.train_set.__getitems__(range(40))
    assert x.shape == (40, 3, 32, 32)
    assert set(y.tolist()) <= set(range(10))
    assert first.class_names == list("0123456789")


def test_photographs_of_the_test_are_not_trained_on(tmp_path):
    for row, level in enumerate((10, 20, 30, 40, 50, 60, 70, 80, 90, 100)):
        Image.fromarray(np.full((300, 280, 3), level, dtype=np.uint8)).save(tmp_path / f"{row}.png")
    patches = PhotoPatches(str(tmp_path))
    draw = torch.Generator().manual_seed(0)
    levels = [set(patches.draw(200, 8, train, draw)[:, 0, 0, 0].tolist()) for train in (True, False)]
    assert levels[1] == {10, 20}
    assert levels[0] == set(range(30, 101, 10))


def test_photographs_are_kept_where_it_is_asked_for(tmp_path):
    photos, kept = tmp_path / "photos", tmp_path / "kept"
    photos.mkdir()
    for row in range(2):
        Image.fromarray(np.full((300, 280, 3), row, dtype=np.uint8)).save(photos / f"{row}.png")
    StreetDigitsDataModule(photos=str(photos), cache_dir=str(kept), **SMALL).setup("test")
    assert len(list(kept.rglob("*.safetensors"))) == 1
    assert len(list(photos.iterdir())) == 2


def test_patches_are_pieces_of_the_photographs():
    patches = PhotoPatches(None)
    drawn = patches.draw(3, 16, True, torch.Generator().manual_seed(0))
    windows = patches.train.unfold(2, 16, 1).unfold(3, 16, 1)
    for patch in drawn:
        assert (windows == patch[None, :, None, None]).all(dim=(1, 4, 5)).any()
    with pytest.raises(UserError, match="patches of 300 pixels do not fit into photographs of 128x256"):
        patches.draw(1, 300, True, torch.Generator())


def test_street_views_own_files_are_read(tmp_path):
    from scipy.io import savemat

    (tmp_path / "svhn").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 12), dtype=np.uint8)
    labels = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 1], dtype=np.uint8)[:, None]
    for name in ("train_32x32.mat", "test_32x32.mat"):
        savemat(tmp_path / "svhn" / name, {"X": pixels, "y": labels})
    data = StreetDigitsDataModule(source="svhn", data_dir=str(tmp_path), batch_size=12, val_size=0)
    data.prepare_data()  # nothing is downloaded
    (batch,) = data.test_dataloader()
    torch.testing.assert_close(batch[0], torch.from_numpy(pixels).permute(3, 2, 0, 1) / 255)
    assert batch[1].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 1]


def test_damaged_and_missing_files_end_in_one_line(tmp_path, monkeypatch):
    data = StreetDigitsDataModule(source="svhn", data_dir=str(tmp_path))
    with pytest.raises(UserError, match=r"train_32x32.mat is missing. Without a network, put train_32x32.mat and test"):
        data.setup("fit")
    (tmp_path / "svhn").mkdir()
    for content in (b"", b"no such file", b"\0" * 600):
        (tmp_path / "svhn" / "train_32x32.mat").write_bytes(content)
        with pytest.raises(UserError, match=r"train_32x32.mat is damaged .*; delete it"):
            data.setup("fit")
    with pytest.raises(UserError, match="source is 'real'"):
        StreetDigitsDataModule(source="real")


def test_mnist_m_is_the_distance_of_digit_and_photograph(tmp_path, monkeypatch):
    digits = torch.zeros(4, 1, 28, 28, dtype=torch.uint8)
    digits[:, :, 10:18, 10:18] = 255
    monkeypatch.setattr(MNISTDataModule, "load", lambda self, train: (digits.repeat(1, 3, 1, 1), torch.arange(4)))
    images, labels = MNISTMDataModule().load(train=True)
    assert labels.tolist() == [0, 1, 2, 3]
    draw = torch.Generator().manual_seed(0)
    patches = PhotoPatches(None).draw(4, 28, True, draw)
    wanted = patches.clone()
    wanted[:, :, 10:18, 10:18] = 255 - patches[:, :, 10:18, 10:18]
    assert torch.equal(images, wanted)
    assert MNISTMDataModule().image_shape == (3, 28, 28)
