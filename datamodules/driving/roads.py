"""Roads that are drawn at random, as ALVINN saw them, with the steering that leads back to their middle."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from typing_extensions import override

from datamodules.base.fields import FieldsDataset
from datamodules.base.in_memory import InMemoryDataModule
from datamodules.base.sampling import Transform
from datamodules.driving.drawn_roads import DrawnRoads
from datamodules.driving.retina import PIXELS, seen
from datamodules.driving.views import OtherViews
from dlmodules.protocols import Batch
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_fractions

UNKNOWN = 0.5
"""What the road's intensity is before any frame was seen."""


class SyntheticRoadsDataModule(InMemoryDataModule[FieldsDataset[Batch], Batch]):
    """Roads as ALVINN sees them, drawn here: x ``(B, 1217)`` float32 in [0, 1], y ``(B, 2)`` float32; no download.

    A row of x has 30 x 32 pixels of a camera's blue channel, 8 x 32 of a range finder (1 at hand, 0 from 25 metres
    on), and last whether the road of the frame before was lighter than what is beside it: 1, 0, or 0.5 where that is
    not known. A row of y has the steering that leads to the middle of the road ten metres ahead, -1 sharp left to 1
    sharp right, a circle of ten metres; and whether the road is lighter, 1 or 0.

    Bend, place and direction of the car, width, intensities, light, noise, shadows, banks and posts are drawn for each
    by itself, so that all steerings are equally frequent. The roads of validation and test are others, the same for
    every ``seed``, and of them nothing is known.

    Args:
        batch_size: roads per batch, 1 or more.
        num_images: roads to train on, 1 or more.
        val_size: roads of validation.
        test_size: roads of the test.
        known: part of the training rows, in [0, 1], that know the intensity of the frame before.
        driver: train on roads as one sees them who drives well, always in the middle; validation and test stay as they
            are.
        shift: how far to the side a training row is moved at most, as if the car had stood there, in metres, anew in
            every epoch; its steering leads back. See ``datamodules.driving.views.OtherViews``.
        turn: by how much it is turned at most, as if the car had been, in degrees in [0, 45].
        mirror: mirror half of the training rows, which negates their steering.
        **kwargs: of ``InMemoryDataModule``, all but ``train_transform``.

    Raises:
        UserError: for a number out of range.
    """

    unit = "roads"
    small_arguments: ClassVar[Mapping[str, Any]] = {
        "batch_size": 8,
        "num_images": 64,
        "val_size": 16,
        "test_size": 16,
    }

    def __init__(
        self,
        batch_size: int = 8,
        num_images: int = 1200,
        *,
        val_size: int = 300,
        test_size: int = 1000,
        known: float = 0.5,
        driver: bool = False,
        shift: float = 0.0,
        turn: float = 0.0,
        mirror: bool = False,
        **kwargs: Any,
    ) -> None:
        views = OtherViews(shift, turn, mirror)
        changed = bool(shift or turn or mirror)
        super().__init__(batch_size=batch_size, train_transform=views if changed else None, **kwargs)
        check_at_least_one(num_images=num_images)
        check_at_least(0, val_size=val_size, test_size=test_size)
        check_fractions(known=known)
        self.num_images, self.val_size, self.test_size = num_images, val_size, test_size
        self.known, self.driver = known, driver

    @override
    def augment(self, batch: Any, transform: Transform) -> Any:
        """Return a training batch with rows and steering changed together."""
        return transform(*batch)

    @override
    def make_train_and_val(self) -> tuple[FieldsDataset[Batch], FieldsDataset[Batch]]:
        train = DrawnRoads.driven if self.driver else DrawnRoads.drawn
        return self._drawn(self.num_images, 3 + self.seed, self.known, train), self._drawn(self.val_size, 1)

    @override
    def make_test(self) -> FieldsDataset[Batch]:
        return self._drawn(self.test_size, 2)

    def _drawn(
        self,
        n: int,
        seed: int,
        known: float = 0.0,
        draw: Callable[[int, torch.Generator], DrawnRoads] = DrawnRoads.drawn,
    ) -> FieldsDataset[Batch]:
        generator = torch.Generator().manual_seed(seed)
        drawn = draw(n, generator)
        x = torch.empty(n, PIXELS + 1)
        for rows, part in drawn.parts():
            x[rows, :-1] = seen(part.roads, part.scenery, generator)
        lighter = drawn.scenery.lighter
        x[:, -1] = torch.where(torch.rand(n, generator=generator) < known, lighter, UNKNOWN)
        return FieldsDataset((x, torch.stack([drawn.steering, lighter], dim=1)))
