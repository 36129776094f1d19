"""Edges of images, by OpenCV."""

import sys

import pytest
import torch

from datamodules import DigitsDataModule, EdgesDataModule
from dlmodules.errors import UserError


def test_edges_of_a_square() -> None:
    pytest.importorskip("cv2", reason="OpenCV is not installed: pip install -e '.[edges]'")
    images = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    images[1, :, 4:12, 4:12] = 255
    edges = EdgesDataModule().derive(images)
    assert edges.shape == (2, 1, 16, 16)
    assert set(edges.unique().tolist()) == {0, 255}
    assert not edges[0].any()
    assert not edges[1, 0, 6:10, 6:10].any()
    assert edges[1, 0, 3:5, 6:10].any()
    data = EdgesDataModule(images=DigitsDataModule(image_size=16, channels=3), batch_size=4)
    data.setup("fit")
    a, b, *_ = next(iter(data.train_dataloader()))
    assert (a.shape, b.shape) == ((4, 1, 16, 16), (4, 3, 16, 16))


def test_errors_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"low=3.0 and high=2.0 must rise from 0"):
        EdgesDataModule(low=3.0, high=2.0)
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(UserError, match="EdgesDataModule needs OpenCV: pip install"):
        EdgesDataModule().setup("fit")
