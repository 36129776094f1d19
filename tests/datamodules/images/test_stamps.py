import numpy as np
import pytest
import torch
from PIL import Image

from datamodules import StampsDataModule
from datamodules.images.stamps import SIZES, placed, read_cutout
from dlmodules.errors import UserError

SIZED = {"train_size": 40, "test_size": 30, "val_size": 8, "image_size": 32}


@pytest.fixture
def stamps(tmp_path):
    for name, colour, size in (
        ("fruit/red_one.png", (255, 0, 0), (40, 40)),
        ("fruit/red_two.png", (255, 0, 0), (20, 60)),
        ("blue.png", (0, 0, 255), (50, 30)),
    ):
        pixels = np.zeros((100, 100, 4), dtype=np.uint8)
        pixels[10 : 10 + size[1], 20 : 20 + size[0]] = (*colour, 255)
        path = tmp_path / "stamps" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    for row in range(10):
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.new("RGB", (256, 256), (0, 60 + 10 * row, 0)).save(tmp_path / "photos" / f"{row}.png")
    return tmp_path


def made(folder, **more):
    things = {"red": ["fruit/red_*.png"], "blue": ["*.png"]}
    return StampsDataModule(str(folder / "stamps"), things, photos=str(folder / "photos"), **{**SIZED, **more})


def test_what_is_stamped_is_where_the_mask_says(stamps):
    data = made(stamps)
    data.setup("test")
    x, y = data.test_set.__getitems__(range(30))
    inside, outside = (data.masks == 1).squeeze(1), (data.masks == 0).squeeze(1)
    for image, label, within, without in zip(x, y.tolist(), inside, outside, strict=True):
        stamped, background = image[:, within], image[:, without]
        assert stamped.shape[1] > 30
        assert torch.equal(stamped.amin(dim=1), torch.tensor([1.0, 0.0, 0.0] if label == 0 else [0.0, 0.0, 1.0]))
        assert float(background[0].max()) == float(background[2].max()) == 0.0
        assert float(background[1].min()) > 0.2
    assert set(y.tolist()) == {0, 1}
    assert data.class_names == ["red", "blue"]


def test_sizes_and_places_vary_within_the_image():
    stamp = torch.ones(4, 30, 60)
    draw = torch.Generator().manual_seed(0)
    masks = torch.stack([placed(stamp, 40, draw)[1] for _ in range(200)])
    assert masks.shape == (200, 1, 40, 40)
    widths = (masks.amax(dim=(1, 2)) > 0).sum(dim=1)
    assert 40 * SIZES[0] - 1 <= int(widths.min()) < int(widths.max()) <= 40 * SIZES[1] + 1
    starts = (masks.amax(dim=(1, 2)) > 0).float().argmax(dim=1)
    assert int(starts.min()) == 0
    assert int(starts.max()) > 10


def test_a_cut_out_is_cropped_and_multiplied_by_its_opacity(stamps, tmp_path):
    pixels = np.zeros((10, 10, 4), dtype=np.uint8)
    pixels[2:4, 3:8] = (255, 100, 0, 128)
    Image.fromarray(pixels).save(tmp_path / "half.png")
    found = read_cutout(tmp_path / "half.png", 100)
    assert found.shape == (4, 2, 5)
    torch.testing.assert_close(found[:, 0, 0], torch.tensor([255 * 128, 100 * 128, 0, 255 * 128]) / 255**2)


def test_the_test_is_the_same_for_each_seed_and_on_other_photographs(stamps):
    first, second = made(stamps, seed=0), made(stamps, seed=1)
    one, two = (data.load(train=False)[0] for data in (first, second))
    assert torch.equal(one, two)
    assert not torch.equal(first.load(train=True)[0][:30], one)


def test_wrong_use_ends_in_one_line(stamps, tmp_path):
    with pytest.raises(UserError, match=r"has no image green\*.png, which things names for green"):
        StampsDataModule(str(stamps / "stamps"), {"green": ["green*.png"]}).setup("fit")
    with pytest.raises(UserError, match="things is empty"):
        StampsDataModule(str(stamps / "stamps"), {})
    Image.new("RGB", (4, 4)).save(tmp_path / "opaque.png")
    with pytest.raises(UserError, match=r"opaque.png is no cut-out: it must be transparent around"):
        read_cutout(tmp_path / "opaque.png", 8)
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(UserError, match=r"text.png cannot be read as an image"):
        read_cutout(tmp_path / "text.png", 8)
