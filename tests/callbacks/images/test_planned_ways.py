"""Roads from above, the driver's way and the planned one."""

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from callbacks import PlannedWays
from callbacks.images.planned_ways import GREEN, RED, coloured, mark
from dlmodules import ChauffeurNet
from dlmodules.errors import UserError
from dlmodules.protocols.top_down import AGENT, CARS
from tests.callbacks.callback_toys import ImageLogger, ToyVAE, loader, trainer


def test_moments_of_so_many_are_drawn_with_both_ways(tmp_path):
    logger, module = ImageLogger(), ChauffeurNet(width=4)
    batches = DataLoader(TensorDataset(*module.example_batch(10)), batch_size=4)
    fitted = trainer(tmp_path, PlannedWays(num=3, spacing=4, columns=2), logger=logger)
    fitted.fit(module, batches, batches)
    ((name, picture, _),) = logger.pictures
    assert name == "planned_ways"
    assert picture.shape == (2 * (192 + 21 + 8) + 8, 2 * (192 + 8) + 8, 3)
    fitted.test(module, batches, verbose=False)
    assert logger.pictures[-1][0] == "test/planned_ways"


def test_a_car_is_white_others_blue_and_the_road_grey():
    pictures = torch.zeros(1, 8, 64, 64)
    pictures[0, 0] = 1.0
    pictures[0, AGENT, 0, 0] = 1.0
    pictures[0, CARS, 0, 1] = 1.0
    seen = coloured(pictures)
    assert seen[0, :, 0, 0].tolist() == [1.0, 1.0, 1.0]
    assert seen[0, :, 0, 1].tolist() == pytest.approx([0.35, 0.55, 1.0])
    assert seen[0, :, 0, 2].tolist() == pytest.approx([0.45] * 3)


def test_a_place_is_marked_where_it_is():
    seen = torch.zeros(2, 3, 192, 192)
    mark(seen, torch.tensor([[[0.0, 0.0]], [[99.0, -99.0]]]), GREEN)
    rows, columns = seen[0].amax(0).nonzero(as_tuple=True)
    # Eight metres above the lower border, six pixels a metre.
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (143, 145, 95, 97)
    assert seen[1, :, 191, 191].tolist() == pytest.approx(list(GREEN))
    assert RED != GREEN


def test_what_does_not_plan_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"PlannedWays .*ToyVAE"):
        trainer(tmp_path, PlannedWays()).fit(ToyVAE(), loader(), loader())
    with pytest.raises(UserError, match="spacing and columns must be 1 or more"):
        PlannedWays(columns=0)
