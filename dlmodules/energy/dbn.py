"""The deep belief network: restricted Boltzmann machines, each learning the hidden units of the one below."""

import itertools
from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from dlmodules.energy.greedy_module import GreedyModule
from dlmodules.energy.tempering import tempered_gibbs
from dlmodules.errors import UserError
from dlmodules.layers.rbm import BinaryRBM
from dlmodules.training.greedy import GreedyStack
from dlmodules.validation.images import check_codes
from dlmodules.validation.labels import refuse_labels


class DBN(GreedyModule):
    """A stack of Boltzmann machines of 500, 500 and 2,000 hidden units generates digits: 1,646,784 parameters.

    They are trained from the bottom up by contrastive divergence, each on the features of those below. The top machine
    is the model; those below turn its samples into pixels. The weights also define a feed-forward network, which
    classifies digits when it is fine-tuned: :class:`dlmodules.DBNClassifier`.

    Paper: Hinton, Osindero & Teh 2006, A Fast Learning Algorithm for Deep Belief Nets.
    Books: vasilev 3.5.

    Args:
        image_shape: channels, height and width of the images, in [0, 1].
        hidden_dims: hidden units of each machine, from the bottom up.
        epochs_per_layer: epochs that each machine learns for, 1 or more. After that the top one continues.
        k: steps of Gibbs sampling for an update, 1 or more.
        chains: samples that persistent contrastive divergence keeps for each machine; 0 starts at the data.
        sample_steps: steps of Gibbs sampling at the top behind each of ``sample``'s images, 1 or more.
        temperatures: chains for each of these images, 1 or more, at temperatures down to the model's own, which
            exchange their states (``dlmodules.energy.tempering``); 1 is plain Gibbs sampling.
        **kwargs: arguments of ``GreedyModule``.
    """

    code_range = (0.0, 1.0)  # codes are probabilities

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        hidden_dims: Sequence[int] = (500, 500, 2000),
        epochs_per_layer: int = 10,
        k: int = 1,
        chains: int = 0,
        sample_steps: int = 1000,
        temperatures: int = 1,
        **kwargs: Any,
    ) -> None:
        if not hidden_dims or min(hidden_dims) < 1 or chains < 0 or min(sample_steps, temperatures) < 1:
            raise UserError("hidden_dims, sample_steps and temperatures must be 1 or more, and chains 0 or more")
        dims = [prod(image_shape), *hidden_dims]
        stack = GreedyStack(
            [BinaryRBM(visible, hidden) for visible, hidden in itertools.pairwise(dims)],
            epochs_per_layer,
            k,
            [torch.bernoulli(torch.full((chains, visible), 0.5)) for visible in dims[:-1]] if chains else [],
        )
        super().__init__(stack=stack, image_shape=image_shape, **kwargs)
        self.latent_dim = dims[-1]
        self.sample_steps = sample_steps
        self.temperatures = temperatures

    @property
    def machines(self) -> list[BinaryRBM]:
        """The machines, from the bottom up."""
        return [layer for layer in self.stack.layers if isinstance(layer, BinaryRBM)]

    @override
    def visible(self, x: Tensor) -> Tensor:
        """Return the pixels ``(B, C * H * W)`` of images."""
        return x.flatten(1)

    def decode(self, z: Tensor) -> Tensor:
        """Return the probabilities of the pixels ``(B, C, H, W)`` of units of the top layer ``(B, latent_dim)``."""
        check_codes(z, self.latent_dim, type(self).__name__)
        for machine in reversed(self.machines):
            z = machine.visible_given(z)
        return z.view(-1, *self.image_shape)

    @override
    def reconstruct(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Run ``n`` Gibbs chains in the top machine, sample down to the bottom and return the pixels' probabilities.

        The chains start at noise, or at the persistent ones. ``labels`` must be None. Returns ``(n, C, H, W)``.
        """
        refuse_labels(labels, type(self).__name__)
        *lower, top = self.machines
        v = top.initial_states(n, self.stack.chain(len(lower)), generator)
        v, means = tempered_gibbs(top, v, self.sample_steps, self.temperatures, generator)
        for machine in reversed(lower):
            means = machine.visible_given(v)
            v = torch.bernoulli(means, generator=generator)
        return means.view(-1, *self.image_shape)
