"""What is measured of a network that drives: loops, metres, and the drawings of its page."""

from types import SimpleNamespace

import pytest
import torch

from benchmarks.programs import driving
from benchmarks.programs.driving import Drive
from dlmodules import ALVINN


class Road:
    """Ends after five steps of two metres; only who steers to the right comes around."""

    def __init__(self):
        self.steps = self.said = 0

    def reset(self, seed):
        self.steps = 0
        return torch.full((1216,), float(seed)).numpy(), {"length": 10.0}

    def step(self, action):
        self.steps += 1
        told = {"around": bool(action[0] > 0) and self.steps == 5, "lateral": -0.5}
        return torch.zeros(1216).numpy(), 2.0, self.steps == 5, False, told

    def render(self):
        return self.steps


class Right(ALVINN):
    """Steers to the right, and says by how many it was asked."""

    def drive(self, seen, lighter=None):
        return torch.ones(1), torch.zeros(1) if lighter is None else lighter + 1


def test_a_drive_is_counted():
    found = driving.drive(Road(), 1, Right(), film=True)
    assert found == Drive(True, 10.0, 10.0, [0.5] * 5, [0, 1, 2, 3, 4])
    straight = driving.drive(Road(), 1, None)
    assert (straight.around, straight.metres, straight.pictures) == (False, 10.0, [])


def test_drives_are_summed_up(monkeypatch):
    monkeypatch.setattr(driving.EnvironmentDataModule, "make_env", lambda self: Road())
    assert driving.drives(3, Right()) == {"around": 1.0, "metres": 10.0, "part": 1.0, "lateral": 0.5}
    assert driving.drives(3, None)["around"] == 0.0


def test_who_drives_straight_on_is_right_where_the_road_is_straight():
    """A unit is 1/22: two units to either side are 0.091."""
    steering = torch.tensor([[0.0, 1.0], [0.09, 0.0], [-0.09, 0.0], [0.095, 0.0], [-1.0, 1.0]])
    data = SimpleNamespace(test_set=SimpleNamespace(fields=(torch.zeros(5, 1217), steering)))
    assert driving.within_2_of_straight(data) == pytest.approx(0.6)


@pytest.mark.slow
def test_its_pictures_are_drawn(tmp_path):
    torch.manual_seed(0)
    driving.draw(ALVINN(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"loop.gif", "answers.png", "weights.png", "views.png"}
