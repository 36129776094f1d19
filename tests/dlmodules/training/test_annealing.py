import pytest

from dlmodules.training.annealing import exponential_annealing, linear_annealing


def test_linear_annealing_reaches_its_end_and_stays() -> None:
    assert [linear_annealing(step, 1.0, 0.2, 4) for step in (0, 1, 2, 4, 100)] == pytest.approx([1, 0.8, 0.6, 0.2, 0.2])


def test_exponential_annealing_multiplies_by_the_books_factor() -> None:
    values = [exponential_annealing(episode, 0.9, 0.1, 1000) for episode in (0, 1, 500, 1000, 2000)]
    assert values == pytest.approx([0.9, 0.9 * 0.9978052, 0.3, 0.1, 0.1], rel=1e-6)


@pytest.mark.parametrize("annealing", [linear_annealing, exponential_annealing])
def test_annealing_of_no_duration_is_at_its_end(annealing) -> None:
    assert annealing(0, 0.9, 0.1, 0) == pytest.approx(0.1)
