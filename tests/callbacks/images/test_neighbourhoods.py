import pytest
import torch

from callbacks.images.neighbourhoods import NeighbourhoodScores, radii


def scores(real, fake, neighbours=1):
    metric = NeighbourhoodScores(neighbours)
    metric.update(torch.tensor(real, dtype=torch.float)[:, None], real=True)
    metric.update(torch.tensor(fake, dtype=torch.float)[:, None], real=False)
    return {name: float(value) for name, value in metric.compute().items()}


def test_a_radius_is_the_distance_of_the_kth_other_point():
    points = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    assert radii(points, 1).tolist() == [1, 1, 2, 4]
    assert radii(points, 2).tolist() == [3, 2, 3, 6]


def test_by_hand():
    # Real neighbourhoods: 0 +- 1, 1 +- 1, 10 +- 9. Of the samples: 0.5 +- 4, 4.5 +- 4, 30 +- 25.5.
    found = scores([0, 1, 10], [0.5, 4.5, 30])
    assert found == pytest.approx({"precision": 2 / 3, "recall": 1.0, "coverage": 1.0})
    # 2.5 lies in 10's alone, 40 in none; their own reach 37.5, so that all real images are recalled.
    assert scores([0, 1, 10], [2.5, 40]) == pytest.approx({"precision": 0.5, "recall": 1.0, "coverage": 1 / 3})


def test_an_outlier_raises_recall_but_not_coverage():
    real = [0, 1, 2, 3, 100]
    assert scores(real, [0.1, 0.2])["coverage"] == pytest.approx(0.4)
    with_outlier = scores(real, [0.1, 0.2, 1000])
    assert with_outlier["recall"] == 1
    assert with_outlier["coverage"] == pytest.approx(0.4)


def test_two_halves_of_one_set_cover_each_other():
    points = torch.randn(4000, 3, generator=torch.Generator().manual_seed(0))
    metric = NeighbourhoodScores(5)
    metric.update(points[:1000], real=True)
    metric.update(points[1000:2000], real=True)
    metric.update(points[2000:], real=False)
    found = metric.compute()
    assert found["coverage"] == pytest.approx(1 - 2**-5, abs=0.01)
    assert found["precision"] > 0.9
    assert found["recall"] > 0.9


def test_no_neighbours_are_refused():
    with pytest.raises(ValueError, match="neighbours is 0"):
        NeighbourhoodScores(0)
