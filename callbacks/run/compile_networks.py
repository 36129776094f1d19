"""``torch.compile`` for the networks of a module."""

from collections.abc import Sequence
from typing import Literal
from weakref import WeakSet

from pytorch_lightning import Callback, LightningModule, Trainer
from torch import nn
from torchmetrics import Metric
from typing_extensions import override

from dlmodules.errors import UserError
from dlmodules.protocols import DifferentiatesTwice

Mode = Literal["default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs"]


class CompileNetworks(Callback):
    """Compiles the networks of a module in place, by ``torch.compile``, when they are first called.

    The first steps take longer, half a minute and more; later ones may be faster. Names of weights, and so checkpoints,
    stay as they are. Rounding differs from that of networks that are not compiled, so that a run that goes on with
    compiled networks is not bit for bit the run without.

    A network whose gradient is itself differentiated, as by a gradient penalty, cannot be compiled. A module names such
    in ``twice_differentiated``; they are left out.

    Args:
        networks: names of the submodules, ``a.b`` for one inside another; all with weights where None.
        mode: of ``torch.compile``.
        backend: of ``torch.compile``; ``inductor`` needs a C++ compiler on a CPU.
    """

    def __init__(
        self, networks: Sequence[str] | None = None, mode: Mode = "default", backend: str = "inductor"
    ) -> None:
        self.networks = networks
        self.mode = mode
        self.backend = backend
        self._compiled: WeakSet[nn.Module] = WeakSet()

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        for network in self._chosen(pl_module):
            if network not in self._compiled:
                network.compile(mode=self.mode, backend=self.backend)
                self._compiled.add(network)

    def _chosen(self, module: LightningModule) -> list[nn.Module]:
        name = type(module).__name__
        twice = module.twice_differentiated if isinstance(module, DifferentiatesTwice) else ()
        if self.networks is None:
            children = dict(module.named_children())
            return [child for key, child in children.items() if key not in twice and _has_weights(child)]
        found = []
        for key in self.networks:
            if key in twice:
                raise UserError(f"CompileNetworks: {key} of {name} is differentiated twice, which a compiler cannot do")
            try:
                found.append(module.get_submodule(key))
            except AttributeError:
                raise UserError(f"CompileNetworks: {name} has no submodule {key}") from None
        return found


def _has_weights(module: nn.Module) -> bool:
    return not isinstance(module, Metric) and any(True for _ in module.parameters())
