"""Many networks of one architecture at once, each with its own weights and its own observations."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from dlmodules.errors import UserError
from dlmodules.rl.evolution.policies import PolicyNetwork, Scaled

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
BY_ELEMENT = (nn.Tanh, nn.ReLU, nn.Sigmoid, nn.ELU, nn.LeakyReLU, nn.Identity, Scaled)


class StackedNetworks:
    """P copies of a network that differ in their weights.

    Linear layers with activations between them are one batched product each; any other network goes through
    ``torch.func.vmap``, which takes ten times as long for a small one.

    Args:
        network: the architecture, in evaluation mode. Its buffers are those of all copies.
        candidates: weights ``(P, n)`` in the order of ``torch.nn.utils.parameters_to_vector``.
    """

    def __init__(self, network: nn.Module, candidates: Tensor) -> None:
        self.network = network
        parameters = dict(network.named_parameters())
        parts = torch.split(candidates.float(), [parameter.numel() for parameter in parameters.values()], dim=1)
        self._weights = {
            name: part.reshape(-1, *parameter.shape)
            for (name, parameter), part in zip(parameters.items(), parts, strict=True)
        }
        self._layers = _plain_layers(network)
        self._which: Tensor | None = None
        self._rows: dict[str, Tensor] = {}

    def __call__(self, observation: Tensor, which: Tensor) -> Tensor:
        """Return the outputs ``(K, ...)`` for observations ``(K, ...)``, row i by the copy ``which[i]``.

        The tensor ``which`` ``(K,)`` must not be written to afterwards.
        """
        if which is not self._which:
            self._which = which
            self._rows = {name: weights[which] for name, weights in self._weights.items()}
            if self._layers is not None:  # as (in, out), which the product takes
                rows = {name: w.transpose(1, 2) if w.dim() == 3 else w.unsqueeze(1) for name, w in self._rows.items()}
                self._rows = {name: w.contiguous() for name, w in rows.items()}
        if self._layers is None:
            found: Tensor = vmap(self._call)(self._rows, observation.unsqueeze(1))
            return found.squeeze(1)
        hidden = observation.reshape(len(observation), 1, -1)
        for name, layer in self._layers:
            if not isinstance(layer, nn.Linear):
                hidden = layer(hidden)
            elif layer.bias is None:
                hidden = hidden @ self._rows[f"{name}.weight"]
            else:
                hidden = torch.baddbmm(self._rows[f"{name}.bias"], hidden, self._rows[f"{name}.weight"])
        return hidden.squeeze(1)

    def _call(self, weights: dict[str, Tensor], observation: Tensor) -> Tensor:
        return cast(Tensor, functional_call(self.network, weights, (observation,)))


def _plain_layers(network: nn.Module) -> list[tuple[str, nn.Module]] | None:
    """Return the layers of a plain row of linear ones, by their full names; None for any other network."""
    prefix, layers = ("layers.", network.layers) if type(network) is PolicyNetwork else ("", network)
    if type(layers) is not nn.Sequential:
        return None
    named = [(prefix + name, layer) for name, layer in layers.named_children()]
    if named and isinstance(named[0][1], nn.Flatten):
        named = named[1:]
    elif type(network) is not PolicyNetwork:
        return None  # what it makes of observations of other shapes is not known
    return named if all(type(layer) in (nn.Linear, *BY_ELEMENT) for _, layer in named) else None


def check_stackable(network: nn.Module) -> None:
    """Raise UserError for a network without weights, or whose batch norm nothing would ever measure."""
    if not any(parameter.numel() for parameter in network.parameters()):
        raise UserError("the network has no weights, so all candidates would be the same")
    for name, layer in network.named_modules():
        if isinstance(layer, BATCH_NORMS):
            raise UserError(
                f"the network has batch norm ({name or 'itself'}), whose running statistics candidates would share:"
                " take LayerNorm, or normalize_observations"
            )


@torch.no_grad()
def check_vmap(network: nn.Module, observation: Tensor, weights: Tensor) -> None:
    """Raise UserError unless two copies of a network can be called at once on an observation ``(1, ...)``."""
    stacked = StackedNetworks(network, torch.stack([weights, weights]))
    try:
        stacked(observation.expand(2, *observation.shape[1:]), torch.arange(2, device=observation.device))
    except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"the network cannot be stacked by torch.func.vmap: {reason}") from error
