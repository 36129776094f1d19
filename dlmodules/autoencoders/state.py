"""The autoencoder of an environment's states."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from dlmodules.autoencoders.autoencoder import Autoencoder
from dlmodules.autoencoders.networks import MLPCoder
from dlmodules.errors import UserError
from dlmodules.protocols import Batch
from dlmodules.validation.images import check_codes, check_images


class StateAutoencoder(Autoencoder):
    """Learn 32 features of an environment's states, as inputs of agents: 75,554 parameters.

    Its outputs are not squashed, as states are not in [0, 1]; the loss is the mean squared error.

    Paper: Hinton & Salakhutdinov 2006, Reducing the Dimensionality of Data with Neural Networks.
    Books: atienza 10.6.1, atienza 8.1.R.

    Args:
        input_shape: how many numbers a state has, such as [2].
        latent_dim: size of the code.
        hidden_dims: units of the encoder's hidden layers; the decoder has them in reverse.
        encoder: maps states ``(B, D)`` to codes; None builds ``MLPCoder``.
        decoder: maps codes to states; None builds ``MLPCoder``.
        **kwargs: arguments of ``Autoencoder``.
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (2,),
        latent_dim: int = 32,
        hidden_dims: Sequence[int] = (256, 128),
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
        **kwargs: Any,
    ) -> None:
        if len(input_shape) != 1 or input_shape[0] < 1:
            raise UserError(f"input_shape is {list(input_shape)}; it must be how many numbers a state has, as [2]")
        (size,) = input_shape
        encoder = encoder or MLPCoder(size, latent_dim, hidden_dims)
        decoder = decoder or MLPCoder(latent_dim, size, hidden_dims[::-1])
        super().__init__(
            image_shape=input_shape, latent_dim=latent_dim, encoder=encoder, decoder=decoder, loss="mse", **kwargs
        )
        self.input_shape = self.image_shape

    @override
    def decode(self, z: Tensor) -> Tensor:
        """Return the states ``(B, D)`` of codes ``(B, latent_dim)``."""
        check_codes(z, self.latent_dim, type(self).__name__)
        states: Tensor = self.decoder(z)
        return states

    @override
    def check_inputs(self, x: Tensor, first: bool = False) -> None:
        """Raise UserError unless ``x`` are states ``(B, *input_shape)``, of any values."""
        check_images(x, self.input_shape, type(self).__name__, "input_shape")

    @override
    def reconstruction_loss(self, logits: Tensor, x: Tensor) -> Tensor:
        """Return the mean squared error ``()`` of states ``(B, D)``."""
        return F.mse_loss(logits, x)

    @override
    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, batch_idx, "test")
