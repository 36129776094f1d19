"""Parallel tempering: Gibbs chains at several temperatures exchange their states, so that none stays in one mode."""

import torch
from torch import Tensor
from torch.nn import functional as F

from dlmodules.layers.rbm import BinaryRBM


@torch.no_grad()
def tempered_gibbs(
    machine: BinaryRBM, v: Tensor, steps: int, temperatures: int, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Sample as ``machine.gibbs``, each chain with companions at higher temperatures.

    The energies of the companions are multiplied by factors that are evenly spaced from 0, where every state is
    equally probable, to 1, the machine itself. Before each step of Gibbs sampling neighbours exchange their states with
    the probability that leaves the distribution of all of them as it is (Metropolis). One temperature is plain Gibbs
    sampling. Cost and memory are multiplied by ``temperatures``.

    Args:
        machine: whose distribution is sampled.
        v: visible units ``(B, visible)`` at which the chains and their companions start.
        steps: of Gibbs sampling, 1 or more.
        temperatures: chains for each sample, 1 or more.
        generator: of the random numbers, on the machine's device.

    Returns:
        visible units ``(B, visible)`` of the machine itself, and the probabilities that they were sampled from.
    """
    if temperatures == 1:
        return machine.gibbs(v, steps, generator)
    factors = torch.linspace(0, 1, temperatures, device=v.device)[:, None]
    states = v.expand(temperatures, *v.shape)
    means = states
    for step in range(steps):
        inputs = machine.up(states)  # of the hidden units (T, B, H)
        order = exchanged(machine, states, inputs, factors, step % 2, generator)
        index = order[..., None]
        inputs = inputs.gather(0, index.expand_as(inputs))
        hidden = torch.bernoulli(torch.sigmoid(factors[..., None] * inputs), generator=generator)
        down = F.linear(hidden, machine.up.weight.T, machine.visible_bias)
        means = torch.sigmoid(factors[..., None] * down)
        states = torch.bernoulli(means, generator=generator)
    return states[-1], means[-1]


def exchanged(
    machine: BinaryRBM,
    states: Tensor,
    inputs: Tensor,
    factors: Tensor,
    first: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return which temperature's state ``(T, B)`` each takes over, its own or that of a neighbour.

    Args:
        machine: of the energy.
        states: visible units ``(T, B, visible)``.
        inputs: what they give the hidden units ``(T, B, hidden)``.
        factors: of the energy ``(T, 1)``.
        first: the lower one of the first pair that may exchange, 0 or 1.
        generator: of the random numbers.
    """
    count, chains = len(states), states.shape[1]
    order = torch.arange(count, device=states.device)[:, None].repeat(1, chains)
    low = torch.arange(first, count - 1, 2, device=states.device)
    high = low + 1
    if not len(low):
        return order
    visible = states @ machine.visible_bias

    def log_probability(factor: Tensor, place: Tensor) -> Tensor:
        return factor * visible[place] + F.softplus(factor[..., None] * inputs[place]).sum(dim=-1)

    gain = log_probability(factors[low], high) + log_probability(factors[high], low)
    gain = gain - log_probability(factors[low], low) - log_probability(factors[high], high)
    drawn = torch.rand(gain.shape, generator=generator, device=gain.device)
    accepted = drawn.log() < gain
    order[low] = torch.where(accepted, high[:, None], low[:, None])
    order[high] = torch.where(accepted, low[:, None], high[:, None])
    return order
