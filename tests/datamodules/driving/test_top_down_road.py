"""Roads seen from above: traffic, the driver by rules, what is drawn of them, and cars that follow plans."""

import math

import pytest
import torch

from datamodules import TopDownRoadDataModule
from datamodules.driving import moments
from datamodules.driving.closed_loop import controls, journey, veered
from datamodules.driving.moments import BEFORE, SHOWN, Drives, moved_aside, picture
from datamodules.driving.top_down_road import RECOVERY, recovered
from datamodules.driving.traffic import BRAKING, CROSSING, FREE, KINDS, PARKED, SLOW, START, STOPPED, Traffic
from datamodules.driving.vehicle import STEP, RuleDriver, corners, move, own_box, seen_from, touches
from dlmodules.errors import UserError
from dlmodules.protocols.top_down import AGENT, CARS, CHANNELS, PAST


def drawn(n=60, seed=0, kind=None):
    return Traffic.drawn(n, torch.Generator().manual_seed(seed), kind)


def ready(**arguments):
    data = TopDownRoadDataModule(
        **{"num_scenes": 24, "val_scenes": 6, "test_scenes": 6, "spacing": 10, "batch_size": 8, **arguments}
    )
    data.setup()
    return data


def straight(speed):
    """Return a plan to go straight on at some speed."""

    def plan(pictures):
        n = len(pictures)
        ahead = speed * STEP * torch.arange(1, 11).expand(n, 10)
        zero = torch.zeros(n, 10)
        return torch.stack([zero, ahead, zero, torch.full((n, 10), float(speed))], dim=-1)

    return plan


def test_a_place_on_the_road_is_found_again():
    traffic = drawn()
    along, aside = torch.full((60, 3), 57.4), torch.tensor([0.0, -5.0, 2.5]).expand(60, 3)
    places = traffic.pose(along, aside)[..., :2]
    found = traffic.locate(places, torch.full((60,), 50.0))
    assert (found[0] - along).abs().max() < 0.2
    assert (found[1] - aside).abs().max() < 0.05


def test_cars_move_as_their_kind_does():
    traffic = drawn()
    early, late = traffic.cars(torch.zeros(60))[:, 0], traffic.cars(torch.full((60,), 12.0))[:, 0]
    far = (late[:, :2] - early[:, :2]).norm(dim=1)
    kinds = traffic.kinds
    assert (far[(kinds == STOPPED) | (kinds == PARKED)] == 0).all()
    slow = kinds == SLOW
    assert (far[slow] <= 12 * traffic.speed[slow, 0] + 0.1).all()  # less in a bend
    assert torch.allclose(far[kinds == CROSSING], 12 * traffic.speed[kinds == CROSSING, 0].abs(), atol=1e-3)
    # v t + v^2 / 2b: what a car goes until it stands.
    braking = kinds == BRAKING
    speed = traffic.speed[braking, 0]
    along = traffic.locate(late[:, None, :2], traffic.where[:, 0] + 20)[0][:, 0]
    wanted = traffic.where[braking, 0] + speed * traffic.stops[braking, 0] + speed**2 / 6
    assert (along[braking] - wanted).abs().max() < 0.2


def test_a_car_moves_on_a_straight_line_and_on_a_circle():
    state = torch.tensor([[0.0, 0.0, math.pi / 2, 5.0]])
    assert move(state, torch.zeros(1), torch.zeros(1))[0].tolist() == pytest.approx(
        [1.0, 0.0, math.pi / 2, 5.0], abs=1e-5
    )
    assert move(state, torch.full((1,), -99.0), torch.zeros(1))[0, 3] == pytest.approx(5 - 8 * STEP)
    state = torch.tensor([[0.0, 0.0, 0.0, 5.0]])
    for _ in range(20):  # 20 metres at a radius of 20
        state = move(state, torch.zeros(1), torch.full((1,), 0.05))
    assert state[0].tolist() == pytest.approx([20 * (1 - math.cos(1)), 20 * math.sin(1), 1.0, 5.0], abs=0.02)


def test_places_are_seen_to_the_right_and_ahead():
    state = torch.tensor([[1.0, 2.0, math.pi / 2, 3.0]])
    seen = seen_from(torch.tensor([[[4.0, 2.0, 0.0, 7.0], [1.0, 0.0, math.pi, 8.0]]]), state)
    assert seen[0, 0].tolist() == pytest.approx([0.0, 3.0, -math.pi / 2, 7.0], abs=1e-5)
    assert seen[0, 1].tolist() == pytest.approx([2.0, 0.0, math.pi / 2, 8.0], abs=1e-5)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((0.0, 4.0, 0.0, 4.5, 2.0), True),
        ((0.0, 4.6, 0.0, 4.5, 2.0), False),
        ((1.9, 0.0, 0.0, 4.5, 2.0), True),
        ((2.1, 0.0, 0.0, 4.5, 2.0), False),
        ((0.0, 3.3, math.pi / 2, 4.5, 2.0), False),
        ((0.0, 3.2, math.pi / 2, 4.5, 2.0), True),
        ((2.9, 3.9, math.pi / 4, 4.5, 2.0), False),  # though the boxes about both overlap
        ((0.0, 0.0, 0.0, 0.0, 0.0), False),
    ],
)
def test_boxes_touch(other, expected):
    box = torch.tensor([[0.0, 0.0, 0.0, 4.5, 2.0]])
    assert touches(box, torch.tensor([[other]])).tolist() == [expected]
    assert corners(box)[0].tolist() == [[1.0, 2.25], [-1.0, 2.25], [-1.0, -2.25], [1.0, -2.25]]


def test_the_driver_by_rules_gets_through_all_scenes():
    traffic = drawn(240, seed=5)
    states, along = RuleDriver(traffic).drive(75)
    for step in range(75):
        box = own_box(states[:, step])
        assert not touches(box, traffic.cars(torch.full((240,), step * STEP))).any()
        assert traffic.on_road(*traffic.locate(corners(box), along[:, step])).all()
    went = along[:, -1] - START
    assert (went[(traffic.kinds == FREE) | (traffic.kinds == PARKED)] > 60).all()
    assert (states[traffic.kinds == STOPPED, -1, 3] < 0.1).all()
    assert (states[:, :, 3] <= traffic.limit[:, None] + 0.01).all()


def test_the_driver_by_rules_comes_back_from_where_cars_have_veered(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    traffic = drawn(60, kind=FREE)
    past, along = veered(traffic, generator)
    # It drives by what it knows of the scene, where a network has a picture.
    place = along.clone()

    def act(plan, speed):
        place[:] = traffic.locate(states[-1][:, None, :2], place)[0][:, 0]
        return RuleDriver(traffic).act(states[-1], place, torch.zeros(60))

    states = [past[:, -1]]

    def remember(*arguments):
        states.append(move(*arguments))
        return states[-1]

    monkeypatch.setattr("datamodules.driving.closed_loop.controls", act)
    monkeypatch.setattr("datamodules.driving.closed_loop.move", remember)
    done = journey(traffic, past, along, RECOVERY, straight(5))
    assert recovered(done, traffic.limit).all()


def test_a_moved_car_leaves_the_way_and_comes_back():
    drives = Drives.of(drawn(kind=FREE), 40)
    states = drives.states[:, 10:36]
    aside, turn = torch.full((60,), 0.6), torch.full((60,), -0.2)
    moved, possible = moved_aside(states, BEFORE, aside, turn)
    assert possible.all()
    assert torch.allclose(moved[:, 0, :2], states[:, 0, :2], atol=1e-4)
    assert torch.allclose(moved[:, -1], states[:, -1], atol=1e-4)
    seen = seen_from(moved[:, BEFORE : BEFORE + 1], states[:, BEFORE])[:, 0]
    expected = torch.stack([aside, 0 * aside, turn, states[:, BEFORE, 3]], dim=1)
    assert torch.allclose(seen, expected, atol=1e-4)
    # The speed is that of the places, and the heading the way that they go.
    steps = (moved[:, 1:, :2] - moved[:, :-1, :2]).norm(dim=-1) / STEP
    assert torch.allclose(steps, (moved[:, 1:, 3] + moved[:, :-1, 3]) / 2, rtol=0.05)


def test_what_no_car_can_drive_is_told():
    states = Drives.of(drawn(6, kind=FREE), 40).states[:, 10:36]
    zero = torch.zeros(6)
    assert not moved_aside(states, BEFORE, zero, zero + 1.5)[1].any()
    standing = states.clone()
    standing[:] = states[:, :1]
    standing[..., 3] = 0.0
    assert not moved_aside(standing, BEFORE, zero, zero)[1].any()


def test_the_picture_shows_the_road_and_the_cars():
    traffic = drawn()
    drives = Drives.of(traffic, 40)
    past = drives.states[:, 10 - SHOWN : 11]
    x = picture(traffic, torch.full((60,), 10 * STEP), past, drives.along[:, 10])
    assert x.shape == (60, len(CHANNELS), 64, 64)
    assert 0 <= x.min() <= x.max() <= 1
    # The car is in the middle, 8 metres above the lower border; its way is below it, the road's middle at its left.
    assert (x[:, AGENT, 44:52, 30:34] > 0.4).all()
    assert x[:, AGENT, :42].max() == x[:, AGENT, 54:].max() == 0
    assert (x[:, 1, 46:50, 31:33] > 0.5).all()
    assert torch.allclose(x[:, 2, 47, 32], traffic.limit / 10)
    assert (x[:, 0, 46:50, 31:33] == 1).all()
    assert x[:, 0, 47, 28].mean() == pytest.approx(0.6, abs=0.1)  # the line between the lanes
    assert x[:, PAST, :44].max() == 0
    assert (x[:, PAST, 52:62].amax((1, 2)) == 1).all()
    # Cars that stand are where they were before.
    stand = (traffic.kinds == STOPPED) & (traffic.sizes[:, 1, 0] == 0)
    assert torch.equal(x[stand, CARS], x[stand, CARS + 2])
    assert (x[(traffic.kinds == FREE) & (traffic.sizes[:, 1, 0] == 0), CARS] == 0).all()


def test_batches_and_sizes():
    data = ready()
    assert [len(part) for part in (data.train_set, data.val_set, data.test_set)] == [120, 30, 30]
    x, y = next(iter(data.train_dataloader()))
    assert (x.shape, y.shape, x.dtype, y.dtype) == ((8, 8, 64, 64), (8, 10, 15), torch.float32, torch.float32)
    one, target = data.test_set[3]
    batch = data.test_set.__getitems__([3, 4])
    assert torch.allclose(one, batch[0][0], atol=1e-4)
    assert torch.allclose(target, batch[1][0], atol=1e-4)


def test_validation_and_test_are_the_same_for_every_seed_and_the_training_is_not():
    one, other, again = ready(), ready(seed=1), ready()
    assert torch.equal(one.test_set[0][0], other.test_set[0][0])
    assert torch.equal(one.val_set[0][1], other.val_set[0][1])
    assert torch.equal(one.train_set[0][0], again.train_set[0][0])
    assert not torch.equal(one.train_set[0][0], other.train_set[0][0])
    assert not torch.equal(one.val_set[0][1], one.test_set[0][1])


def test_targets_are_what_the_driver_did_and_where_the_cars_were():
    data = ready(perturbed=0.0)
    x, y = data.train_set.__getitems__(range(120))
    assert (y[:, :, 4] == 1).all()
    # A step ahead at the mean speed of both moments, and a car that is seen where it will be.
    drives = data.train_set.drives
    now = drives.states[data.train_set.scene, data.train_set.step, 3]
    assert torch.allclose(y[:, 0, 1], STEP * (now + y[:, 0, 3]) / 2, atol=0.02)
    seen = moments.VIEW.boxes(y[:, 0, 5:].unflatten(1, (2, 5))).amax(1)
    both = (seen * x[:, CARS]).sum((1, 2)) / seen.sum((1, 2))
    assert both[seen.sum((1, 2)) > 20].min() > 0.6


def test_moved_moments_count_less_and_lead_back():
    plain, moved = ready(perturbed=0.0), ready(perturbed=1.0, perturbed_weight=0.25)
    (x, y), (z, w) = (data.train_set.__getitems__(range(120)) for data in (plain, moved))
    perturbed = w[:, 0, 4] == 0.25
    assert 0.4 < perturbed.float().mean() < 0.95  # not where the car stands
    assert torch.equal(w[~perturbed], y[~perturbed])
    assert torch.equal(z[~perturbed], x[~perturbed])
    assert (z[perturbed, AGENT] == x[perturbed, AGENT]).all()  # the car is in the middle of what it sees
    assert not torch.equal(z[perturbed, 0], x[perturbed, 0])
    assert (moved.val_set[0][1][:, 4] == 1).all()


def test_plans_are_followed():
    plan = torch.zeros(3, 10, 4)
    plan[0, :, 1], plan[0, :, 3] = 5.0, 6.0
    plan[1, :, 0], plan[1, :, 1] = 3.0, 4.0
    plan[2, :, 0] = 0.4  # hardly anywhere
    acceleration, curvature = controls(plan, torch.tensor([5.0, 5.0, 0.0]))
    assert acceleration.tolist() == pytest.approx([1.0, -5.0, 0.0])
    assert curvature.tolist() == pytest.approx([0.0, 6 / 25, 0.0])


def test_who_goes_straight_on_collides_and_who_stands_gets_nowhere():
    data = ready(test_scenes=60)
    scores = data.drive_by(straight(7), "test")
    assert scores.keys() == {"collisions", "off_road", "progress", "recovered"}
    assert scores["collisions"] > 0.2
    assert scores["off_road"] > 0.7
    assert scores["progress"] > 0.8
    standing = data.drive_by(straight(0), "test")
    assert standing["progress"] < 0.5
    assert standing["recovered"] == 0
    kinds = data.test_set.drives.traffic.kinds
    assert kinds.bincount().tolist() == [60 // len(KINDS)] * len(KINDS)


def test_short_drives_are_judged_by_as_short_ones_of_the_driver():
    data = ready(test_scenes=12, drive_steps=5)
    asked = []

    def plan(pictures):
        asked.append(len(pictures))
        return straight(7)(pictures)

    scores = data.drive_by(plan, "test")
    assert asked == [12] * 10  # five steps in the scenes, and five on free roads
    assert scores["progress"] > 0.6  # a second's way, not ten


@pytest.mark.parametrize(
    "arguments",
    [{"num_scenes": 0}, {"val_scenes": 0}, {"spacing": 0}, {"aside": -1.0}, {"perturbed": 1.5}, {"drive_steps": 51}],
)
def test_numbers_out_of_range_are_named(arguments):
    (name,) = arguments
    with pytest.raises(UserError, match=f"{name} is"):
        TopDownRoadDataModule(**arguments)
