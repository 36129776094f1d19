"""A check of the networks that a module is given, so that a wrong size ends in one clear line."""

from collections.abc import Sequence

from torch import nn

from dlmodules.errors import UserError


def check_network(network: nn.Module, argument: str, **sizes: int | Sequence[int]) -> None:
    """Raise UserError where a network that a module was given was built for other sizes than the module.

    Otherwise they part only when codes are sampled or decoded, after the training.

    Args:
        network: only sizes that it keeps under the same names are compared.
        argument: name of the argument that the module takes it as.
        sizes: those of the module.
    """
    for name, size in sizes.items():
        found = getattr(network, name, size)
        if _plain(found) != _plain(size):
            raise UserError(
                f"{name} is {_plain(size)}, but the {argument} was built with {name} {_plain(found)}:"
                f" set --model.{argument}.{name} too"
            )


def _plain(size: int | Sequence[int]) -> int | list[int]:
    return list(size) if isinstance(size, Sequence) else size
