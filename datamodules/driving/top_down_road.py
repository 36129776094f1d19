"""Roads with other cars seen from above, and how a driver by rules drives there."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from typing_extensions import override

from datamodules.base.in_memory import InMemoryDataModule
from datamodules.driving.closed_loop import Journey, journey, veered
from datamodules.driving.moments import AFTER, BEFORE, Drives, MomentsDataset
from datamodules.driving.traffic import FREE, Traffic
from datamodules.driving.vehicle import STEP
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.validation.arguments import check_at_least, check_at_least_one, check_fractions

DRIVEN = 50
"""Steps, of a fifth of a second, that a scene is driven in."""

RECOVERY = 25
"""Steps in which a car is to come back to its lane."""


class TopDownRoadDataModule(InMemoryDataModule[MomentsDataset, Batch]):
    """Moments of drives on winding roads with other cars, drawn here; no download.

    Batches are pictures ``(B, 8, 64, 64)`` float32 in [0, 1] and targets ``(B, 10, 15)`` float32, which
    ``dlmodules.ChauffeurNet`` describes. In the scenes the way is free, or there is a car that is slow, brakes, stands,
    is parked at the side or crosses, each as often; half have a car on the other lane. A driver by rules, with the
    intelligent driver model, drives there. Validation and test have other scenes, the same for every ``seed``, and
    moments as they were driven; ``drive_by`` lets a network drive in them by its own plans.

    Args:
        num_scenes: scenes to train on, 1 or more.
        val_scenes: of validation, 1 or more.
        test_scenes: of the test, 1 or more.
        spacing: steps of a fifth of a second between two moments of a scene, 1 to 50.
        perturbed: part of the moments of training at which the car is moved aside and turned, and comes back smoothly
            to where the driver was three seconds later, in [0, 1]. Those which no car could drive stay as they were.
        aside: by how many metres at most to either side, 0 or more.
        turn: by how many radians at most to either side, 0 or more.
        perturbed_weight: how much such a moment counts, in [0, 1].
        drive_steps: steps of a fifth of a second that ``drive_by`` goes on for at most, 1 to 50; fewer make validation
            quick, and its figures those of shorter drives.
        batch_size: moments per batch, 1 or more.
        **kwargs: of ``InMemoryDataModule``.

    Raises:
        UserError: for a number out of range.
    """

    unit = "moments"
    small_arguments: ClassVar[Mapping[str, Any]] = {
        "batch_size": 4,
        "num_scenes": 6,
        "val_scenes": 2,
        "test_scenes": 2,
        "spacing": 10,
        "drive_steps": 10,
    }

    def __init__(
        self,
        num_scenes: int = 800,
        val_scenes: int = 60,
        test_scenes: int = 240,
        *,
        spacing: int = 3,
        perturbed: float = 0.5,
        aside: float = 0.75,
        turn: float = 0.35,
        perturbed_weight: float = 0.1,
        drive_steps: int = DRIVEN,
        batch_size: int = 32,
        **kwargs: Any,
    ) -> None:
        super().__init__(batch_size=batch_size, **kwargs)
        check_at_least_one(num_scenes=num_scenes, val_scenes=val_scenes, test_scenes=test_scenes, spacing=spacing)
        check_at_least(0, aside=aside, turn=turn)
        check_fractions(perturbed=perturbed, perturbed_weight=perturbed_weight)
        if not 1 <= drive_steps <= DRIVEN:
            raise UserError(f"drive_steps is {drive_steps}; it must be between 1 and {DRIVEN}")
        self.num_scenes, self.val_scenes, self.test_scenes = num_scenes, val_scenes, test_scenes
        self.spacing, self.perturbed, self.aside, self.turn = spacing, perturbed, aside, turn
        self.perturbed_weight, self.drive_steps = perturbed_weight, drive_steps

    @override
    def make_train_and_val(self) -> tuple[MomentsDataset, MomentsDataset]:
        return self._moments(self.num_scenes, 3 + self.seed, self.perturbed), self._moments(self.val_scenes, 1, 0.0)

    @override
    def make_test(self) -> MomentsDataset:
        return self._moments(self.test_scenes, 2, 0.0)

    def _moments(self, n: int, seed: int, perturbed: float) -> MomentsDataset:
        traffic = Traffic.drawn(n, torch.Generator().manual_seed(seed))
        drives = Drives.of(traffic, BEFORE + DRIVEN + AFTER)
        return MomentsDataset(drives, self.spacing, perturbed, self.aside, self.turn, self.perturbed_weight, seed)

    def drive_by(self, plan: Callable[[Tensor], Tensor], split: Literal["val", "test"]) -> dict[str, float]:
        """Return how well ``plan`` drives in the scenes of validation or test, for ten seconds each or ``drive_steps``.

        Args:
            plan: maps pictures ``(B, 8, 64, 64)`` to how far right and ahead, at which heading and how fast to be at
                each of the next steps, ``(B, K, 4)``.
            split: ``val`` or ``test``.

        Returns:
            ``collisions`` and ``off_road``, the part of scenes in which the car touched another, or left the road;
            ``progress``, how far it got in parts of the driver's way, 1 at most, a mean; and ``recovered``, the part of
            as many free roads on which it came back to its lane within five seconds and did not stand.
        """
        moments = self.val_set if split == "val" else self.test_set
        if moments is None:
            self.setup("validate" if split == "val" else "test")
            return self.drive_by(plan, split)
        drives = moments.drives
        steps = self.drive_steps
        done = journey(drives.traffic, drives.states[:, : BEFORE + 1], drives.along[:, BEFORE], steps, plan)
        expert = drives.along[:, BEFORE + steps] - drives.along[:, BEFORE]
        generator = torch.Generator().manual_seed(1 if split == "val" else 2)
        free = Traffic.drawn(len(drives.traffic), generator, FREE)
        soon = min(steps, RECOVERY)
        back = journey(free, *veered(free, generator), soon, plan)
        return {
            "collisions": _part(done.collided),
            "off_road": _part(done.left),
            "progress": progress(done.distance, expert),
            "recovered": _part(recovered(back, free.limit, soon)),
        }


def progress(distance: Tensor, driver: Tensor) -> float:
    """Return how far cars got, ``(N,)`` in metres, in parts of the driver's ways, 1 at most: a mean."""
    return (distance / driver.clamp(min=1.0)).clamp(0.0, 1.0).mean().item()


def recovered(done: Journey, limit: Tensor, steps: int = RECOVERY) -> Tensor:
    """Whether cars came back to their lanes in ``steps``, ``(N,)``: half a metre, 0.15 radians, and half as far as they
    were allowed.
    """
    in_lane = (done.aside.abs() < 0.5) & (done.turned.abs() < 0.15) & ~done.left
    return in_lane & (done.distance > 0.5 * limit * steps * STEP)


def _part(which: Tensor) -> float:
    return which.float().mean().item()
