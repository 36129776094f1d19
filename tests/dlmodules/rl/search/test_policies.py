"""From visits to what is learnt and what is played."""

import numpy as np
import pytest

from dlmodules.rl.search.policies import add_noise, draw, pruned_visits, visit_policy, without_proven_worse
from dlmodules.rl.search.puct import Found, PessimisticPUCT


def found(visits, q, prior, refuted=(), winning=()):
    """Return what a search of one game found."""
    flags = [np.array([[action in chosen for action in range(len(visits))]]) for chosen in (refuted, winning)]
    rows = [np.array([row], np.float32) for row in (visits, q, prior)]
    zero = np.zeros(1, np.float32)
    return Found(rows[0], rows[1], zero, rows[2], zero, flags[0], flags[1])


def test_the_policy_is_each_actions_fraction_of_the_visits():
    """The book prints the ratio upside down."""
    assert visit_policy(np.array([[6.0, 3.0, 1.0]])).tolist() == [pytest.approx([0.6, 0.3, 0.1])]


def test_noise_is_for_legal_actions_alone_and_reaches_none_of_the_priors():
    prior = np.array([[0.7, 0.3, 0.0, 0.0]], np.float32).repeat(2_000, 0)
    before, legal = prior.copy(), prior > 0
    noisy = add_noise(prior, legal, 0.25, 10.0, np.random.default_rng(0))
    assert np.array_equal(prior, before)
    assert not noisy[:, 2:].any()
    np.testing.assert_allclose(noisy.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(noisy.mean(0)[:2], [0.65, 0.35], atol=0.01)  # the noise's mean is one half each
    assert noisy.std(0)[0] > 0.02


def test_visits_that_only_noise_led_to_are_pruned():
    # An action of hardly any prior and a bad value was visited nine times: no search without noise would have.
    searched = found([80, 11, 9], [0.5, 0.4, -0.6], [0.7, 0.295, 0.005])
    kept = pruned_visits(searched, 1.5)[0]
    assert kept[0] == 80
    assert kept[1] == 11
    assert kept[2] == 0
    # By hand: the score to stay below is 0.5 + 1.5 * 0.7 * 10 / 81, and the gap to -0.6 allows not even one visit.
    gap = 0.5 + 1.5 * 0.7 * 10 / 81 + 0.6
    assert 1.5 * 0.005 * 10 / gap - 1 < 0


def test_what_puct_itself_would_have_visited_is_left_alone():
    """Choosing by the score without noise for a while gives visits of which pruning takes single ones at most."""
    rng = np.random.default_rng(0)
    prior, q, score = rng.dirichlet(np.ones(6)), rng.uniform(-1, 1, 6), PessimisticPUCT(1.5, 0.0)
    visits = np.zeros(6)
    for _ in range(200):
        # All values are known from the first visit on, as those of an unvisited action are in the formula.
        exact = q + 1.5 * prior * np.sqrt(max(visits.sum(), 1)) / (1 + visits)
        visits[exact.argmax()] += 1
    kept = pruned_visits(found(visits, q, prior), score.c)[0]
    assert kept.argmax() == visits.argmax()
    assert kept.sum() >= 0.9 * visits.sum()


def test_what_is_proven_decides_what_is_learnt():
    assert without_proven_worse(
        np.array([[5.0, 3, 2]]), found([5, 3, 2], [0, 1, 0], [1, 0, 0], winning=[1])
    ).tolist() == [[0, 3, 0]]
    lost = found([5, 3, 2], [-1, 0, 0], [1, 0, 0], refuted=[0])
    assert without_proven_worse(lost.visits, lost).tolist() == [[0, 3, 2]]
    all_lost = found([5, 3, 2], [-1, -1, -1], [1, 0, 0], refuted=[0, 1, 2])
    assert without_proven_worse(all_lost.visits, all_lost).tolist() == [[5, 3, 2]]


def test_moves_are_drawn_by_the_temperature():
    policy = np.array([[0.6, 0.3, 0.1, 0.0]]).repeat(20_000, 0)
    rng = np.random.default_rng(0)
    assert not draw(policy, np.zeros(20_000), rng).any()
    for temperature in (1.0, 0.5):
        weight = np.array([0.6, 0.3, 0.1, 0.0]) ** (1 / temperature)
        counts = np.bincount(draw(policy, np.full(20_000, temperature), rng), minlength=4) / 20_000
        np.testing.assert_allclose(counts, weight / weight.sum(), atol=0.015)
