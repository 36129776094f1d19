"""Refuse a module that lacks a required member, and name the member."""

from pytorch_lightning import LightningModule
from typing_extensions import get_protocol_members

from dlmodules.errors import UserError


def require(owner: object, pl_module: LightningModule, *protocols: type) -> None:
    """Check that a module has what all of ``protocols`` name.

    Raises:
        UserError: it has not; ``owner`` is the callback that asks.
    """
    for protocol in protocols:
        if not isinstance(pl_module, protocol):
            # A submodule or buffer of that name is present, but is not the required member.
            missing = {name for name in get_protocol_members(protocol) if not hasattr(pl_module, name)}
            raise UserError(
                f"{type(owner).__name__} needs a module with {members(protocol, missing)};"
                f" {type(pl_module).__name__} has none (see dlmodules.protocols)"
            )


def members(protocol: type, among: set[str] | None = None) -> str:
    """Return the members of a protocol in words, such as "an attribute `image_shape` and a method `sample`".

    Args:
        protocol: a runtime-checkable protocol.
        among: leave out what is not among these; all members where it is None or empty.
    """
    names = sorted(get_protocol_members(protocol) & among if among else get_protocol_members(protocol))
    kinds = ["a method" if callable(getattr(protocol, name, None)) else "an attribute" for name in names]
    return " and ".join(f"{kind} `{name}`" for kind, name in zip(kinds, names, strict=True))
