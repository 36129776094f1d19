"""From what a search of N games found to what is learnt and to what is played."""

import numpy as np

from dlmodules.protocols.games import Flags, Floats, Integers
from dlmodules.rl.search.puct import Found


def add_noise(
    prior: Floats, legal: Flags, fraction: float, concentration: float, generator: np.random.Generator
) -> Floats:
    """Return priors ``(N, A)`` with a fraction of Dirichlet noise over the legal actions.

    Args:
        prior: of the network.
        legal: which actions the rules allow, ``(N, A)``.
        fraction: of the noise, in [0, 1].
        concentration: of the Dirichlet distribution, over all legal actions of a position together: each has an equal
            part of it, so that noise is alike in positions of few and of many actions.
        generator: what it is drawn with.
    """
    alpha = concentration / legal.sum(1, keepdims=True)
    drawn = generator.standard_gamma(np.broadcast_to(alpha, legal.shape)) + 1e-20
    noise = np.where(legal, drawn, 0)
    noise /= noise.sum(1, keepdims=True)
    mixed: Floats = ((1 - fraction) * prior + fraction * noise).astype(np.float32)
    return mixed


def pruned_visits(found: Found, c: float) -> Floats:
    """Return visits ``(N, A)`` without those that noise alone has led to.

    An action keeps as many as PUCT with the priors of the network alone would have given it while its score was above
    that of the most visited action; one that keeps a single visit loses it. Wu 2019, arXiv:1902.10565, section 3.2.
    """
    visits = found.visits
    rows, best = np.arange(len(visits)), visits.argmax(1)
    weight = c * found.prior * np.sqrt(np.maximum(visits.sum(1, keepdims=True), 1))
    score = (found.q + weight / (1 + visits))[rows, best][:, None]
    gap = score - found.q
    enough = np.where(gap > 0, weight / np.maximum(gap, 1e-6) - 1, np.inf)
    kept = np.minimum(visits, np.ceil(np.maximum(enough, 0)))
    kept = np.where(kept <= 1, 0, kept)
    kept[rows, best] = visits[rows, best]
    pruned: Floats = kept.astype(np.float32)
    return pruned


def without_proven_worse(visits: Floats, found: Found) -> Floats:
    """Leave a won position the actions that win alone, and any other those that are not proven to lose."""
    won = found.winning
    only = np.where(won.any(1, keepdims=True), won, ~found.refuted)
    left = np.where(only, visits, 0)
    kept: Floats = np.where(left.sum(1, keepdims=True) > 0, left, visits)
    return kept


def visit_policy(visits: Floats) -> Floats:
    """Return each action's fraction of the visits, ``(N, A)``."""
    policy: Floats = (visits / visits.sum(1, keepdims=True)).astype(np.float32)
    return policy


def draw(policy: Floats, temperature: Floats, generator: np.random.Generator) -> Integers:
    """Return actions ``(N,)``, each drawn with its probability to the power of 1 / temperature.

    Args:
        policy: ``(N, A)``, probabilities or anything in proportion to them.
        temperature: ``(N,)``; 0 takes the most probable action, the first of them where several are.
        generator: what they are drawn with.
    """
    inverse = 1 / np.where(temperature > 0, temperature, 1)[:, None]
    weight = (policy / policy.max(1, keepdims=True)) ** inverse
    chance = weight.cumsum(1)
    drawn = (chance > generator.random((len(policy), 1)) * chance[:, -1:]).argmax(1)
    action: Integers = np.where(temperature > 0, drawn, policy.argmax(1))
    return action
