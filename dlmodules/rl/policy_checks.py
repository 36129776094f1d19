"""Whether the actions of a policy are those of an environment."""

from torch import Tensor, nn

from dlmodules.errors import UserError
from dlmodules.protocols import EnvironmentSource
from dlmodules.rl.spaces import check_outputs


def check_numbered_actions(network: nn.Module, observation: Tensor, source: EnvironmentSource) -> None:
    """Check that a network gives a logit for each action of an environment.

    Args:
        network: is in training mode afterwards.
        observation: ``(1, ...)`` on the network's device.
        source: the environment.

    Raises:
        UserError: the environment has other actions, or another number of them.
    """
    if _is_box(source):
        raise UserError(
            f"the environment's actions are {source.action_space}, and the policy chooses among numbered ones:"
            f" set action_dim={source.action_dim}, or give dlmodules.rl.GaussianPolicy as policy"
        )
    check_outputs(network, observation, source.num_actions, hint=f": set num_actions={source.num_actions}")


def check_box_actions(
    network: nn.Module, observation: Tensor, source: EnvironmentSource, action_dim: int, outputs: int
) -> None:
    """Check that a policy's actions have as many numbers as those of an environment.

    Args:
        network: is in training mode afterwards.
        observation: ``(1, ...)`` on the network's device.
        source: the environment.
        action_dim: numbers in an action of the policy.
        outputs: numbers that the network must give.

    Raises:
        UserError: the environment has numbered actions, or another number of numbers, or the network gives others.
    """
    if not _is_box(source):
        raise UserError(
            f"the environment's actions are numbered, and the policy chooses rows of numbers: leave action_dim out and"
            f" set num_actions={source.num_actions}, or give dlmodules.rl.CategoricalPolicy as policy"
        )
    if action_dim != source.action_dim:
        raise UserError(
            f"the policy's actions have {action_dim} numbers, and the environment's {source.action_dim}:"
            f" set action_dim={source.action_dim}"
        )
    check_outputs(network, observation, outputs, who="the policy's network")


def _is_box(source: EnvironmentSource) -> bool:
    from gymnasium.spaces import Box  # it takes half a second, and only who acts needs it

    return isinstance(source.action_space, Box)
