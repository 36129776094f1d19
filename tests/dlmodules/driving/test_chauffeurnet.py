"""ChauffeurNet: its size, its plans and losses by hand, what is dropped in training, what is driven, and learning."""

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader

from datamodules import TopDownRoadDataModule
from dlmodules import ChauffeurNet
from dlmodules.driving.chauffeur_networks import AgentRNN, FeatureNet, PerceptionRNN, Plan
from dlmodules.driving.chauffeurnet import CELLS
from dlmodules.errors import UserError
from dlmodules.protocols import DrivesByPlans
from dlmodules.protocols.top_down import CARS, CHANNELS, LENGTH, PAST, VIEW, WIDTH
from tests.quiet import quiet_trainer


class Fixed(nn.Module):
    """Plans always the same."""

    def __init__(self, plan):
        super().__init__()
        self.plan = plan

    def forward(self, features, box):
        return self.plan


def ahead(n=2, speed=5.0):
    """Return the targets of cars that go straight ahead, with another car 100 metres away, and a perfect plan."""
    targets = torch.zeros(n, 10, 10)
    targets[..., 1] = 0.2 * speed * torch.arange(1, 11)
    targets[..., 3], targets[..., 4] = speed, 1.0
    targets[..., 5:] = torch.tensor([100.0, 0.0, 0.0, 4.5, 2.0])
    return targets, perfect(targets)


def perfect(targets):
    right, forward = targets[..., 0], targets[..., 1]
    cells = CELLS.cells(right, forward)
    waypoints = 50.0 * nn.functional.one_hot(cells, CELLS.pixels**2).unflatten(-1, (CELLS.pixels,) * 2).float()
    size = torch.tensor([LENGTH, WIDTH]).expand(*right.shape, 2)
    boxes = torch.logit(CELLS.boxes(torch.cat([targets[..., :3], size], dim=-1)), eps=1e-6)
    across, along = (places.flatten()[cells] for places in CELLS.places)
    details = torch.stack([right - across, along - forward, targets[..., 2], targets[..., 3]], dim=-1)
    return Plan(waypoints, boxes, details[..., None, None].expand(-1, -1, -1, CELLS.pixels, CELLS.pixels))


def pictures(n=2):
    return torch.zeros(n, len(CHANNELS), VIEW.pixels, VIEW.pixels)


def test_parameters():
    count = {name: sum(p.numel() for p in child.parameters()) for name, child in ChauffeurNet().named_children()}
    found = {name: number for name, number in count.items() if number}
    assert found == {"feature_net": 77200, "agent_rnn": 5958, "road_mask_net": 17, "perception_rnn": 417}


def test_the_features_see_sixteen_metres_ahead():
    net = FeatureNet(2, 4).eval()
    x = torch.rand(1, 2, 64, 64, requires_grad=True)
    features = net(x)
    assert features.shape == (1, 4, 32, 32)
    features[0, :, 24, 16].sum().backward()
    reached = x.grad.abs().sum((0, 1)).nonzero()
    assert reached[:, 0].min() <= 48 - 32  # the cell is that of pixel 48


def test_each_step_is_planned_from_the_cells_and_the_box_of_those_before():
    torch.manual_seed(0)
    net = AgentRNN(4, 3)
    features, box = torch.rand(2, 4, 8, 8), torch.zeros(2, 1, 8, 8)
    one = net(features, box)
    assert [part.shape for part in one] == [(2, 3, 8, 8), (2, 3, 8, 8), (2, 3, 4, 8, 8)]
    other = net(features, 1 - box)
    assert not torch.allclose(one.waypoints[:, 0], other.waypoints[:, 0])
    # By hand: the second step is given the cell of the first and its box.
    memory = nn.functional.one_hot(one.waypoints[:, 0].flatten(1).argmax(1), 64).view(2, 1, 8, 8)
    given = torch.cat([memory, one.boxes[:, :1].sigmoid(), torch.full_like(box, 2 / 3)], dim=1)
    heads = net.heads(net.hidden((net.of_features(features) + net.of_past(given)).relu()).relu())
    assert torch.allclose(heads[:, 0], one.waypoints[:, 1], atol=1e-5)
    assert torch.allclose(heads[:, 2:], one.details[:, 1], atol=1e-5)


def test_other_cars_are_foreseen_from_what_was_foreseen_before():
    torch.manual_seed(0)
    net = PerceptionRNN(4, 3)
    features, cars = torch.rand(2, 4, 8, 8), torch.zeros(2, 1, 8, 8)
    found = net(features, cars)
    assert torch.allclose(net(features, found[:, :1].sigmoid())[:, 0], found[:, 1], atol=1e-6)


def test_a_plan_is_the_place_within_the_likeliest_cell():
    module = ChauffeurNet().eval()
    targets = torch.zeros(2, 10, 10)
    targets[..., :4] = torch.rand(2, 10, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([9, 20, 1, 8])
    module.agent_rnn = Fixed(perfect(targets))
    assert torch.allclose(module.plan(pictures()), targets[..., :4], atol=1e-4)
    back = targets.clone()
    back[..., 3] = -1.0
    module.agent_rnn = Fixed(perfect(back))
    assert (module.plan(pictures())[..., 3] == 0).all()  # nobody plans to go backwards


def test_a_perfect_plan_has_no_loss_of_imitation_and_each_mistake_has_one():
    module = ChauffeurNet(pixel_weight=50.0)
    targets, plan = ahead()
    # A cell that is half covered is never quite certain.
    certain = module.imitation_losses(plan, targets)
    assert certain.max() < 1.0
    for column, wrong, cost in ((2, 0.2, 0.2), (3, 7.0, 2.0)):
        off = targets.clone()
        off[0, :, column] = wrong
        details = perfect(off).details
        found = module.imitation_losses(plan._replace(details=details), targets) - certain
        assert found.tolist() == pytest.approx([cost, 0.0], abs=1e-4)
    nowhere = plan._replace(waypoints=torch.zeros_like(plan.waypoints))
    assert (module.imitation_losses(nowhere, targets) - certain).tolist() == pytest.approx([6.931] * 2, abs=0.01)


def test_the_environment_costs_where_the_box_goes():
    module = ChauffeurNet().eval()
    targets, plan = ahead(3)
    targets[1, :, 5:] = torch.tensor([0.0, 8.0, 0.0, 4.5, 2.0])  # a car in the way
    seen = pictures(3)
    seen[:2, 0] = 1.0  # road everywhere, but for the last
    features = module.feature_net(seen)

    def cost(boxes):
        planned = plan._replace(boxes=boxes)
        return module.environment_losses(planned, features, seen, targets) - module.environment_losses(
            plan._replace(boxes=torch.full_like(boxes, -99.0)), features, seen, targets
        )

    free, collides, leaves = cost(plan.boxes).tolist()
    # Nine square metres of 32 x 32 are all that can be off the road; the driver's way is allowed, but for its edges.
    area = 50 * 9 / CELLS.pixels**2
    assert free < 0.3 * area
    assert collides > free + 0.2 * area
    assert leaves == pytest.approx(free + area, rel=0.05)


def test_the_past_is_dropped_but_for_where_the_car_is():
    module = ChauffeurNet(past_dropout=1.0)
    seen = torch.rand(3, len(CHANNELS), VIEW.pixels, VIEW.pixels)
    changed = module.without_past(seen, torch.tensor([True, False, True]))
    others = [i for i in range(len(CHANNELS)) if i != PAST]
    assert torch.equal(changed[:, others], seen[:, others])
    assert torch.equal(changed[1], seen[1])
    for row in (0, 2):
        assert torch.equal(changed[row, PAST], VIEW.dots(torch.zeros(1), torch.zeros(1)))


def gradients(**arguments):
    torch.manual_seed(0)
    module = ChauffeurNet(width=4, **arguments)
    loss = module.training_step(module.example_batch(8), 0)
    loss.backward()
    return loss.item(), {name: p.grad for name, p in module.named_parameters() if p.grad is not None and p.grad.any()}


def test_what_the_ablations_leave_out_has_no_gradient():
    _, every = gradients(imitation_dropout=0.0)
    assert {"agent_rnn.heads.weight", "road_mask_net.head.weight", "perception_rnn.head.weight"} <= every.keys()
    assert every["agent_rnn.heads.weight"].flatten(1).any(1).all()
    _, imitation = gradients(environment_weight=0.0, imitation_dropout=0.0)
    assert not [name for name in imitation if name.startswith(("road", "perception"))]
    # Without imitation only the box is learned of all that is planned.
    loss, environment = gradients(imitation_dropout=1.0)
    assert environment["agent_rnn.heads.weight"].flatten(1).any(1).tolist() == [False, True] + [False] * 4
    assert loss > 0


def test_an_example_counts_as_much_as_it_says():
    losses = []
    for weight in (1.0, 0.25):
        torch.manual_seed(0)
        module = ChauffeurNet(width=4, past_dropout=0.0, imitation_dropout=0.0)
        x, y = module.example_batch(4)
        y[:, :, 4] = weight
        losses.append(module.training_step((x, y), 0).item())
    assert losses[1] == pytest.approx(losses[0] / 4, rel=1e-4)


class Drives(pl.LightningDataModule):
    """A data module whose cars are driven by plans."""

    def __init__(self, module):
        super().__init__()
        self.batch = module.example_batch(4)
        self.asked = []

    def train_dataloader(self):
        return DataLoader([self.batch], batch_size=None)

    val_dataloader = test_dataloader = train_dataloader

    def drive_by(self, plan, split):
        self.asked.append((split, plan(self.batch[0]).shape))
        return {"collisions": 0.25}


def test_what_drives_by_plans_is_asked_after_each_validation_and_test(tmp_path):
    module = ChauffeurNet(width=4)
    data = Drives(module)
    assert isinstance(data, DrivesByPlans)
    assert isinstance(TopDownRoadDataModule(), DrivesByPlans)
    trainer = quiet_trainer(max_epochs=1, num_sanity_val_steps=1, default_root_dir=tmp_path)
    trainer.fit(module, data)
    assert trainer.callback_metrics["val/collisions"] == 0.25
    tested = trainer.test(module, data, verbose=False)[0]
    assert tested.keys() == {"test/loss", "test/displacement", "test/collisions"}
    assert data.asked == [("val", (4, 10, 4)), ("test", (4, 10, 4))]


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ((torch.rand(2, 3, 64, 64), torch.zeros(2, 10, 15)), r"takes pictures \(B, 8, 64, 64\), .* not float32 \[2, 3"),
        ((torch.zeros(2, 8, 64, 64, dtype=torch.uint8), torch.zeros(2, 10, 15)), "not uint8"),
        ((torch.rand(2, 8, 64, 64), torch.zeros(2, 9, 15)), r"targets are \[2, 9, 15\]; ChauffeurNet needs \[2, 10, 5"),
        ((torch.rand(2, 8, 64, 64), torch.zeros(2, 10, 12)), r"targets are \[2, 10, 12\]"),
    ],
)
def test_other_batches_are_refused(batch, words):
    with pytest.raises(UserError, match=words):
        ChauffeurNet(width=4).training_step(batch, 0)


@pytest.mark.parametrize("arguments", [{"steps": 0}, {"past_dropout": 1.5}, {"pixel_weight": -1.0}])
def test_numbers_out_of_range_are_named(arguments):
    (name,) = arguments
    with pytest.raises(UserError, match=f"{name} is"):
        ChauffeurNet(**arguments)


@pytest.mark.learning
def test_it_learns_to_come_back_to_its_lane_and_to_brake_for_other_cars(tmp_path):
    """Where the driver brakes, it plans to be slower than it would without the cars; who sees none plans the same."""
    pl.seed_everything(0)
    data = TopDownRoadDataModule(800, test_scenes=60, spacing=9, perturbed_weight=0.5)
    module = ChauffeurNet(
        width=8,
        optimizer=lambda p: torch.optim.Adam(p, lr=3e-3),
        scheduler=lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.1, 1),
    )
    trainer = quiet_trainer(max_epochs=1, limit_val_batches=0, default_root_dir=tmp_path)
    trainer.fit(module, data)
    assert trainer.test(module, data, verbose=False)[0]["test/recovered"] > 0.4
    moments = data.test_set
    seen, wanted = moments.__getitems__(range(len(moments)))
    speed = moments.drives.states[moments.scene, moments.step, 3]
    brakes = speed - wanted[:, -1, 3] > 1.5
    assert brakes.sum() > 40
    without_cars = seen[brakes].clone()
    without_cars[:, CARS:] = 0.0
    with torch.no_grad():
        slower = module.eval().plan(without_cars)[:, -1, 3] - module.plan(seen[brakes])[:, -1, 3]
    assert slower.mean() > 0.4  # metres per second; 1.1 to 3.3 with other seeds
