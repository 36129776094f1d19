"""The losses of ChauffeurNet against values computed by hand."""

import math

import pytest
import torch

from dlmodules.driving import chauffeur_losses as losses


def test_the_waypoint_loss_is_a_cross_entropy_over_all_cells():
    logits = torch.zeros(2, 2, 2, 2)
    logits[1, 0, 0, 1] = math.log(3.0)  # a probability of 3 / 6
    found = losses.waypoint_loss(logits, torch.tensor([[0, 3], [1, 2]]))
    assert found.tolist() == pytest.approx([math.log(4), (math.log(2) + math.log(4)) / 2])


def test_the_map_loss_is_a_mean_over_cells():
    logits = torch.tensor([[[0.0, math.log(3.0)]], [[0.0, 0.0]]])
    found = losses.map_loss(logits, torch.tensor([[[1.0, 0.0]], [[0.5, 1.0]]]))
    assert found.tolist() == pytest.approx([(math.log(2) + math.log(4)) / 2, math.log(2)])


def test_the_distance_loss_is_absolute():
    found = losses.distance_loss(torch.tensor([[[1.0, -2.0]], [[0.0, 0.5]]]), torch.zeros(2, 1, 2))
    assert found.tolist() == [1.5, 0.25]


def test_the_collision_loss_counts_what_both_cover():
    box = torch.tensor([[[[0.5, 1.0], [0.0, 0.25]]]])
    cars = torch.tensor([[[[1.0, 0.5], [1.0, 0.0]]]])
    assert losses.collision_loss(box, cars).tolist() == [(0.5 + 0.5) / 4]
    assert losses.collision_loss(box, torch.zeros_like(cars)).tolist() == [0.0]


def test_the_loss_outside_counts_what_lies_off_the_road_at_each_step():
    box = torch.tensor([[[[0.5, 1.0]], [[0.0, 1.0]]]])
    road = torch.tensor([[[0.0, 0.75]]])
    assert losses.outside_loss(box, road).tolist() == [(0.5 + 0.25 + 0.25) / 4]
    assert losses.outside_loss(box, torch.ones_like(road)).tolist() == [0.0]


def test_the_losses_of_the_environment_push_the_box_away():
    box = torch.full((1, 1, 1, 2), 0.5, requires_grad=True)
    mask = torch.tensor([[[[1.0, 0.0]]]])
    (losses.collision_loss(box, mask) + losses.outside_loss(box, 1 - mask[:, 0])).sum().backward()
    assert box.grad is not None
    assert box.grad.flatten().tolist() == [1.0, 0.0]
