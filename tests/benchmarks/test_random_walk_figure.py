import numpy as np
import pytest

from benchmarks.programs import random_walk_figure as figure


def test_episodes_end_together_and_begin_in_the_middle():
    for states, rewards, starts in figure.episodes(runs=7, count=2):
        assert set(states[-1]) <= {0, 20}
        assert 0 in starts
        for lane, start in enumerate(starts):
            path = states[start:, lane]
            assert path[0] == 10
            assert set(np.abs(np.diff(path))) == {1}
            assert not np.isin(path[:-1], (0, 20)).any()
            assert rewards[-1, lane] == (1 if path[-1] == 20 else -1)
            assert rewards[start:-1, lane].tolist() == [0] * (len(path) - 2)


def naive(n, played, rate, lane):
    """n-step TD of one run as the algorithm is written, step by step."""
    values = np.zeros(21)
    for states, rewards, starts in played:
        path, paid = states[starts[lane] :, lane], rewards[starts[lane] :, lane]
        total = len(paid)
        for now in range(total + n - 1):
            tau = now - n + 1
            if tau >= 0:
                end = min(tau + n, total)
                target = paid[tau:end].sum() + (values[path[end]] if end < total else 0)
                values[path[tau]] += rate * (target - values[path[tau]])
    return values


@pytest.mark.parametrize("n", [1, 4])
def test_all_runs_at_once_learn_as_one_after_another(n):
    played = figure.episodes(runs=3, count=2)
    values = np.zeros((len(figure.RATES), 3, 21))
    for episode in played:
        figure.n_steps(n, values, *episode)
    for lane in range(3):
        np.testing.assert_allclose(values[10, lane], naive(n, played, figure.RATES[10], lane), atol=1e-12)


def test_lambda_0_learns_from_one_step_and_1_from_the_whole_episode():
    played = figure.episodes(runs=3, count=1)
    values = np.zeros((len(figure.RATES), 3, 21))
    figure.all_steps(1.0, values, *played[0])
    whole = np.zeros_like(values)
    figure.n_steps(100_000, whole, *played[0])
    np.testing.assert_allclose(values, whole, atol=1e-12)


def test_the_figures_are_plotted(tmp_path, monkeypatch):
    monkeypatch.setattr(figure, "STEPS", (1, 4))
    monkeypatch.setattr(figure, "DECAYS", (0.0, 0.8))
    figure.draw(tmp_path, runs=4)
    assert {path.name for path in tmp_path.iterdir()} == {"n_step.png", "lambda.png"}


def test_a_few_steps_learn_faster_than_one_or_all():
    played = figure.episodes(runs=30, count=10)
    one, four, many = (figure.errors(lambda *a, n=n: figure.n_steps(n, *a), played).min() for n in (1, 4, 512))
    assert four < one - 0.01
    assert four < many - 0.05
