"""Observations as a network receives them, and whether it suits them."""

from collections.abc import Callable
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.protocols import EnvironmentSource
from dlmodules.rl.image_networks import ImageQNetwork
from dlmodules.sampling.examples import example_inputs


def example_observation(source: EnvironmentSource) -> Tensor:
    """Return an observation ``(1, ...)``: zeros of the dtype of ``Box``, or ``(1,)`` int64, the last of ``Discrete``.

    The last is the largest, for which a network that looks them up may have no place.

    Raises:
        UserError: observations are neither.
    """
    from gymnasium.spaces import Discrete  # it takes half a second, and only who acts needs it

    space = source.observation_space
    if isinstance(space, Discrete):
        return torch.tensor([int(space.start + space.n - 1)])
    return torch.from_numpy(np.zeros((1, *source.observation_shape), space.dtype))


def example_inputs_of(network: nn.Module, observation_dim: int, n: int, device: torch.device) -> Tensor:
    """Return ``n`` made-up observations: pictures where the network takes them, else ``(n, observation_dim)``."""
    if isinstance(network, ImageQNetwork):
        return network.example_observations(n, device)
    return example_inputs(n, (observation_dim,), device)


@torch.no_grad()
def output_for(network: nn.Module, function: Callable[[Tensor], Tensor], observation: Tensor) -> Tensor:
    """Return what ``function``, which is by a ``network``, gives for an observation ``(1, ...)`` on its device.

    The network is in training mode afterwards.

    Raises:
        UserError: it does not take the observation.
    """
    network.eval()
    try:
        found = function(observation)
    except (RuntimeError, IndexError, TypeError, ValueError) as error:
        raise UserError(f"{_misfit(observation)}: {str(error).splitlines()[0]}") from error
    network.train()
    return found


def check_outputs(
    network: nn.Module,
    observation: Tensor,
    outputs: int,
    function: Callable[[Tensor], Tensor] | None = None,
    who: str = "the network",
    hint: str = "",
) -> None:
    """Check that a network takes the observations of an environment, and gives so many numbers for each.

    Args:
        network: is in training mode afterwards.
        observation: ``(1, ...)`` on the network's device.
        outputs: how many numbers.
        function: maps observations ``(B, ...)`` to the numbers ``(B, outputs)`` by ``network``; None is the network.
        who: what the message calls the network.
        hint: what the message says at its end.

    Raises:
        UserError: the network does not take the observation, or gives other numbers.
    """
    found = output_for(network, network if function is None else function, observation)
    if found.shape != (1, outputs):
        raise UserError(f"{who} gives values of shape {tuple(found.shape[1:])}, not ({outputs},){hint}")


def _misfit(observation: Tensor) -> str:
    """Say that the network does not take observations like this one ``(1, ...)``."""
    shape = tuple(observation.shape[1:])
    if len(shape) == 3:
        network = "NatureQNetwork" if min(shape[1:]) > 36 else "MinAtarQNetwork"
        hint = f"give a network for pictures, such as dlmodules.rl.{network} with observation_shape={list(shape)}"
        return f"the network does not take observations of shape {shape} ({hint})"
    if shape:
        hint = f"set observation_dim={prod(shape)}, or give a network"
        return f"the network does not take observations of shape {shape} ({hint})"
    return (
        "the network does not take observations that are numbers (give a network that embeds them, or add"
        " gymnasium.wrappers.FlattenObservation to wrappers)"
    )
