import numpy as np
import pytest
import torch
from PIL import Image

from datamodules import ContentAndStyleDataModule, DigitsDataModule, StyledImagesDataModule
from dlmodules.errors import UserError


@pytest.fixture
def pictures(tmp_path):
    for name, level in (("content.png", 200), ("style/one.png", 100), ("style/two.png", 50)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((20, 30, 3), level, dtype=np.uint8)).save(path)
    return tmp_path


def test_one_content_and_a_folder_of_one_style(pictures):
    data = ContentAndStyleDataModule(
        str(pictures / "content.png"), (8, 12), epoch=3, style=str(pictures / "style"), style_size=6
    )
    batches = list(data.train_dataloader())
    assert len(batches) == 3
    content, style = batches[0]
    assert content.shape == (1, 3, 8, 12)
    assert style.shape == (2, 3, 6, 6)
    torch.testing.assert_close(content, torch.full((1, 3, 8, 12), 200 / 255))
    torch.testing.assert_close(style.mean((1, 2, 3)), torch.tensor([100.0, 50.0]) / 255)
    (checked,) = data.val_dataloader()
    assert torch.equal(checked[0], content)


def test_pictures_that_are_shipped_need_no_download():
    content, style = next(iter(ContentAndStyleDataModule(image_size=(32, 48), style_size=16).test_dataloader()))
    assert content.shape == (1, 3, 32, 48)
    assert style.shape == (1, 3, 16, 16)
    assert 0 <= float(content.min()) < 0.3 < 0.7 < float(content.max()) <= 1


def test_pictures_of_another_data_module_each_with_the_style(pictures):
    images = DigitsDataModule(image_size=16, channels=3)
    data = StyledImagesDataModule(images, style=str(pictures / "content.png"), style_size=10, batch_size=5)
    content, style = next(iter(data.train_dataloader()))
    assert content.shape == (5, 3, 16, 16)
    assert style.shape == (1, 3, 10, 10)
    content, style = next(iter(data.test_dataloader()))
    wanted, _ = next(iter(images.test_dataloader()))
    assert torch.equal(content, wanted[:5])


def test_augmentation_is_of_the_content_alone(pictures):
    data = StyledImagesDataModule(image_size=16, train_transform=lambda x: 0 * x, style_size=4)
    content, style = next(iter(data.train_dataloader()))
    assert float(content.abs().max()) == 0
    assert float(style.max()) > 0


def test_wrong_use_ends_in_one_line(pictures):
    for arguments, words in (
        ({"image_size": (1, 2, 3)}, "image_size is .* one number, or a height and a width"),
        ({"image_size": 0}, "image_size"),
        ({"style_size": (4, -1)}, "style_size"),
        ({"batch_size": 2}, "batch_size is 2, but there is one content: set it to 1"),
        ({"epoch": 0}, "epoch"),
    ):
        with pytest.raises(UserError, match=words):
            ContentAndStyleDataModule(**arguments)
    with pytest.raises(UserError, match="has 2 pictures: content must be one"):
        ContentAndStyleDataModule(str(pictures / "style")).setup("fit")
    with pytest.raises(UserError, match="cannot be read as an image"):
        ContentAndStyleDataModule(str(pictures / "nothing.png")).setup("fit")
