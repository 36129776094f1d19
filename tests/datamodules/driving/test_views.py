"""What would have been seen from beside a driver's way: against drawings from there, and the steering by hand."""

import math

import pytest
import torch

from datamodules.driving.drawn_roads import LOOK_AHEAD, DrawnRoads, steering_to
from datamodules.driving.retina import CAMERA, PIXELS, SCANNER, seen
from datamodules.driving.road import Arcs, Camera
from datamodules.driving.scenery import Scenery
from datamodules.driving.views import OtherViews, in_a_mirror, seen_from, steering_from
from dlmodules.errors import UserError

N = 40


def scenery(n):
    """Roads of their own intensities and widths, without noise, shadow, bank and post."""
    drawn = Scenery.drawn(n, torch.Generator().manual_seed(0))
    plain = {"noise": 0.0, "shade": 1.0, "shadow": 0.0, "bank": 100.0, "bank_height": 0.0}
    fields = {name: torch.full((n,), value) for name, value in plain.items()}
    fields |= {"period": torch.full((n,), 1000.0), "phase": torch.full((n,), 500.0)}  # no post within sight
    return Scenery(**{**vars(drawn), **fields})


def rows(offset, heading, curvature):
    """What is seen of these roads, and an intensity that is not known."""
    x = seen(Arcs(offset, heading, curvature), scenery(len(offset)), torch.Generator().manual_seed(0))
    return torch.cat([x, torch.full((len(x), 1), 0.5)], dim=1)


def between(size, seed):
    return size * (2 * torch.rand(N, generator=torch.Generator().manual_seed(seed)) - 1)


def middle(x):
    """The pixels in the middle of the camera, which were in the frame before it was moved, too."""
    return x[:, : CAMERA.rows * CAMERA.columns].view(-1, CAMERA.rows, CAMERA.columns)[:, 6:22, 8:24]


@pytest.mark.parametrize("camera", [CAMERA, SCANNER, Camera(4, 6, pitch=0.0)])
def test_where_the_ray_of_a_pixel_ends_is_seen_in_that_pixel(camera):
    right, ahead, down = camera.rays
    found = camera.places(7 * right, 7 * ahead, 7 * down)
    rows, columns = (2 * (torch.arange(n) + 0.5) / n - 1 for n in (camera.rows, camera.columns))
    assert torch.allclose(found[..., 0], columns.expand(camera.rows, -1), atol=1e-5)
    assert torch.allclose(found[..., 1], rows.unsqueeze(1).expand(-1, camera.columns), atol=1e-5)


def test_from_where_the_car_is_all_is_as_it_is():
    x, none = torch.rand(N, PIXELS + 1), torch.zeros(N)
    assert torch.allclose(seen_from(x, none, none), x, atol=1e-4)
    assert torch.allclose(steering_from(between(1.0, 0), none, none), between(1.0, 0), atol=1e-5)


@pytest.mark.parametrize(("shift", "turn"), [(1.0, 0.0), (0.0, -0.15), (0.8, 0.1)])
def test_a_moved_row_is_what_is_drawn_from_there(shift, turn):
    """But for what its pixels are blurred by; moved the other way it is something else."""
    none, curvature = torch.zeros(N), between(0.03, 1)
    moved, wanted = (torch.full((N,), float(value)) for value in (shift, turn))
    before, there = rows(none, none, curvature), rows(moved, wanted, curvature)
    found = seen_from(before, moved, wanted)
    wrong = seen_from(before, -moved, -wanted)
    errors = [middle(x - there).abs().mean().item() for x in (found, before, wrong)]
    assert errors[0] < 0.35 * errors[1]
    assert errors[0] < 0.25 * errors[2]
    assert torch.equal(found[:, PIXELS:], before[:, PIXELS:])


def test_the_range_finder_moves_with_the_camera():
    """A wall of posts on the right goes to the left when the car turns to the right: where, by its columns."""
    x = torch.zeros(1, PIXELS + 1)
    near = x[:, CAMERA.rows * CAMERA.columns : PIXELS].view(SCANNER.rows, SCANNER.columns)
    near[:, 20] = 1.0
    found = seen_from(x, torch.zeros(1), torch.tensor([0.2]))
    columns = found[:, CAMERA.rows * CAMERA.columns : PIXELS].view(SCANNER.rows, SCANNER.columns)[2].topk(2).indices
    # Column 20 is tan(40 degrees) * 9 / 32 to the right of the middle.
    angle = math.atan(math.tan(math.radians(40)) * 9 / 32) - 0.2
    wanted = 16 * (math.tan(angle) / math.tan(math.radians(40)) + 1) - 0.5
    assert columns.float().mean().item() == pytest.approx(wanted, abs=0.8)


def test_the_steering_by_hand():
    """Who drove straight on and stands a metre to the right goes to ten metres ahead and one to the left."""
    straight, none = torch.zeros(1), torch.zeros(1)
    assert steering_from(straight, torch.ones(1), none).item() == pytest.approx(-2 / 101 / 0.1)
    assert steering_from(straight, -torch.ones(1), none).item() == pytest.approx(2 / 101 / 0.1)
    # Turned to the right by 30 degrees, the place is 5 metres to the left, on a circle of ten.
    assert steering_from(straight, none, torch.tensor([math.pi / 6])).item() == pytest.approx(-1.0)
    assert steering_from(straight, none, torch.tensor([0.1])).item() == pytest.approx(-2 * math.sin(0.1))
    # A sharp left that the car cannot drive.
    assert steering_from(torch.tensor([-1.0]), torch.ones(1), none).item() == -1.0


def test_the_steering_is_that_of_the_road_from_there():
    roads = DrawnRoads.driven(N, torch.Generator().manual_seed(0))
    shift, turn = between(1.5, 1), between(0.25, 2)
    along = Arcs(roads.roads.offset + shift, roads.roads.heading + turn, roads.roads.curvature)
    wanted = steering_to(*along.ahead(LOOK_AHEAD))
    assert (steering_from(roads.steering, shift, turn) - wanted).abs().max() < 0.03


def test_a_mirrored_row_is_the_mirrored_road_and_asks_for_the_opposite():
    offset, heading, curvature = between(1.5, 1), between(0.3, 2), between(0.05, 3)
    x, other = rows(offset, heading, curvature), rows(-offset, -heading, -curvature)
    x[:, -1] = other[:, -1] = torch.rand(N)
    # The range finder has a noise of its own.
    retina, ranges = slice(0, CAMERA.rows * CAMERA.columns), slice(CAMERA.rows * CAMERA.columns, PIXELS)
    mirrored = in_a_mirror(x)
    assert torch.allclose(mirrored[:, retina], other[:, retina], atol=1e-3)
    assert (mirrored[:, ranges] - other[:, ranges]).abs().max() < 0.3
    assert torch.equal(mirrored[:, -1], x[:, -1])
    steering = steering_to(*Arcs(offset, heading, curvature).ahead(LOOK_AHEAD))
    opposite = steering_to(*Arcs(-offset, -heading, -curvature).ahead(LOOK_AHEAD))
    assert torch.allclose(steering, -opposite, atol=1e-5)


def test_half_of_the_rows_are_mirrored_with_their_steering():
    torch.manual_seed(0)
    x, y = torch.rand(64, PIXELS + 1), torch.stack([torch.linspace(-1, 1, 64), torch.ones(64)], dim=1)
    kept = x.clone(), y.clone()
    changed, told = OtherViews(mirror=True)(x, y)
    mirrored, same = ((changed == rows).all(dim=1) for rows in (in_a_mirror(x), x))
    assert (mirrored ^ same).all()
    assert 16 < int(mirrored.sum()) < 48
    assert torch.equal(told[mirrored, 0], -y[mirrored, 0])
    assert torch.equal(told[same, 0], y[same, 0])
    assert torch.equal(told[:, 1], y[:, 1])
    assert torch.equal(x, kept[0])
    assert torch.equal(y, kept[1])


def test_all_are_moved_as_far_as_asked_for_and_steer_back():
    torch.manual_seed(0)
    x, y = torch.rand(500, PIXELS + 1), torch.zeros(500, 2)
    steering = [OtherViews(**{name: size})(x, y)[1][:, 0] for name, size in (("shift", 1.5), ("turn", 15.0))]
    for found, largest in zip(steering, (2 * 1.5 / 102.25 / 0.1, 2 * math.sin(math.radians(15))), strict=True):
        assert 0.9 * largest < found.max() <= largest + 1e-6
        assert 0.9 * largest < -found.min() <= largest + 1e-6
    changed, _ = OtherViews(shift=1.5, turn=15.0)(x, y)
    assert (changed >= 0).all()
    assert (changed <= 1).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shift": -1.0}, "shift is -1.0; it must be 0 or more"),
        ({"turn": 46.0}, r"turn is 46.0; it must be degrees in \[0, 45\]"),
    ],
)
def test_numbers_out_of_range_are_named(arguments, words):
    with pytest.raises(UserError, match=words):
        OtherViews(**arguments)
