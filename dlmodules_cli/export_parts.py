"""Which part of a module is exported, with the inputs that it takes."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn

from dlmodules.adversarial.module import AdversarialModule
from dlmodules.errors import UserError
from dlmodules.protocols import (
    Acts,
    Decodes,
    Encodes,
    GivesExamples,
    HasImageShape,
    HasInputShape,
    HasLatentDim,
    class_count,
    is_conditional,
)
from dlmodules.sampling.examples import example_inputs, example_labels

Inputs = dict[str, Tensor]
CPU = torch.device("cpu")


class Part(NamedTuple):
    """A network with named inputs and one named output; ``inputs(n)`` makes up inputs ``(n, ...)``, always the same."""

    network: nn.Module
    inputs: Callable[[int], Inputs]
    output: str


class _Calls(nn.Module):
    """A method of a module as a network of its own."""

    def __init__(self, owner: Any, method: Callable[..., Tensor]) -> None:
        super().__init__()
        self.owner: nn.Module = owner
        self.method = method

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.method(*inputs)


def part_of(module: LightningModule, name: str | None) -> Part:
    """Return the part ``name`` of a module, by default the first of ``PARTS`` that it has.

    Raises:
        UserError: it does not have that part, or none.
    """
    for known, make in PARTS.items():
        part = make(module) if name in (None, known) else None
        if part is not None:
            return part
    owner = type(module).__name__
    if name is not None:
        has = [known for known, make in PARTS.items() if make(module) is not None]
        raise UserError(f"{owner} has no {name} to export{'; it has: ' + ', '.join(has) if has else ''}")
    raise UserError(
        f"{owner} cannot be exported: it does not say in `input_shape` which input it takes, and has no policy,"
        " generator, decoder or encoder"
    )


def _network(module: Any) -> Part | None:
    shape = module.input_shape if isinstance(module, HasInputShape) else None
    if shape is None or isinstance(module, Decodes):  # that of an autoencoder is told by its decoder
        return None
    return Part(module, lambda n: {"input": example_inputs(n, shape, CPU)}, "logits")


def _policy(module: Any) -> Part | None:
    if not (isinstance(module, Acts) and isinstance(module, GivesExamples)):
        return None

    def inputs(n: int) -> Inputs:
        observation = module.example_batch(n)
        assert isinstance(observation, Tensor)
        return {"observation": observation}

    return Part(_Calls(module, module.act), inputs, "action")


def _generator(module: Any) -> Part | None:
    if not isinstance(module, AdversarialModule):
        return None

    def inputs(n: int) -> Inputs:
        latents = module.sample_latents(n, torch.Generator().manual_seed(n))
        return {name: value for name, value in latents._asdict().items() if value is not None}

    return Part(module, inputs, "images")


def _decoder(module: Any) -> Part | None:
    if not (isinstance(module, Decodes) and isinstance(module, HasLatentDim)):
        return None

    def inputs(n: int) -> Inputs:
        return {"code": example_inputs(n, (module.latent_dim,), CPU), **_labels(module, n)}

    return Part(_Calls(module, module.decode), inputs, "decoded")


def _encoder(module: Any) -> Part | None:
    if not isinstance(module, Encodes):
        return None
    shape = getattr(module, "input_shape", None) or (module.image_shape if isinstance(module, HasImageShape) else None)
    if shape is None:
        return None

    def inputs(n: int) -> Inputs:
        return {"input": example_inputs(n, shape, CPU), **_labels(module, n)}

    return Part(_Calls(module, module.encode), inputs, "code")


PARTS: dict[str, Callable[[Any], Part | None]] = {
    "policy": _policy,
    "generator": _generator,
    "network": _network,
    "decoder": _decoder,
    "encoder": _encoder,
}
"""What can be exported of a module, in the order of preference."""


def _labels(module: Any, n: int) -> Inputs:
    count = class_count(module) if is_conditional(module) else None
    return {} if count is None else {"labels": example_labels(n, count, CPU)}
