import torch
from torch import nn

from dlmodules.rl.networks import MLPQNetwork
from dlmodules.rl.polyak import PolyakAverage


def test_the_books_network_has_its_parameters() -> None:
    assert sum(p.numel() for p in MLPQNetwork(4, 2).parameters()) == 133_378


def test_observations_of_any_shape_are_flattened() -> None:
    assert MLPQNetwork(6, 3, (8,))(torch.zeros(5, 2, 3)).shape == (5, 3)


def test_follow_moves_by_tau_and_copies_at_one() -> None:
    online, target = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    with torch.no_grad():
        online.weight.fill_(3.0)
        online.running_mean.fill_(8.0)
        online.num_batches_tracked.fill_(5)
    PolyakAverage(target, online, tau=0.25).update()
    assert target.weight.tolist() == [1.5, 1.5]  # 1 + 0.25 * (3 - 1)
    assert target.running_mean.tolist() == [2.0, 2.0]
    assert target.num_batches_tracked.item() == 5
    PolyakAverage(target, online).update()
    assert target.weight.tolist() == [3.0, 3.0]
    assert target.running_mean.tolist() == [8.0, 8.0]
