"""The generator and discriminator of the lab course's DCGAN, for ``DCGAN(generator=..., discriminator=...)``."""

from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.layers.activations import KERAS_LEAK
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.layers.normalization import keras_batch_norm
from dlmodules.layers.same_padding import SameConv2d, SameConvTranspose2d


class LabGenerator(nn.Module):
    """Noise to 28x28 image in [-1, 1]: 7x7x256, then transposed convolutions to 128, 64 and 1 filters.

    No layer has a bias; each but the last is followed by batch normalization and a leaky ReLU.
    2,330,944 parameters, of which the batch normalization's running statistics (25,472) are buffers here.
    """

    output_range = (-1.0, 1.0)

    def __init__(self, latent_dim: int = 100) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.dense = nn.Linear(latent_dim, 7 * 7 * 256, bias=False)
        self.dense_norm = nn.BatchNorm1d(7 * 7 * 256, eps=1e-3, momentum=0.01)
        self.deconv1 = SameConvTranspose2d(256, 128, 5, bias=False)
        self.norm1 = keras_batch_norm(128)
        self.deconv2 = SameConvTranspose2d(128, 64, 5, stride=2, bias=False)
        self.norm2 = keras_batch_norm(64)
        self.to_image = SameConvTranspose2d(64, 1, 5, stride=2, bias=False)
        glorot_uniform_(self)

    def forward(self, z: Tensor) -> Tensor:
        """Map noise ``(B, latent_dim)`` to images ``(B, 1, 28, 28)`` in [-1, 1]."""
        x = F.leaky_relu(self.dense_norm(self.dense(z)), KERAS_LEAK).view(-1, 256, 7, 7)
        x = F.leaky_relu(self.norm1(self.deconv1(x)), KERAS_LEAK)
        x = F.leaky_relu(self.norm2(self.deconv2(x)), KERAS_LEAK)
        image: Tensor = self.to_image(x)
        return image.tanh()


class LabDiscriminator(nn.Module):
    """28x28 image to logit: two stride-2 convolutions (64, 128 filters) with dropout. 212,865 parameters."""

    def __init__(self, dropout: float = 0.3) -> None:
        super().__init__()
        self.dropout = dropout
        self.conv1 = SameConv2d(1, 64, 5, stride=2)
        self.conv2 = SameConv2d(64, 128, 5, stride=2)
        self.dense = nn.Linear(7 * 7 * 128, 1)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, 1, 28, 28)`` in [-1, 1] to logits ``(B,)``; positive means real."""
        x = F.dropout(F.leaky_relu(self.conv1(x), KERAS_LEAK), self.dropout, self.training)
        x = F.dropout(F.leaky_relu(self.conv2(x), KERAS_LEAK), self.dropout, self.training)
        logits: Tensor = self.dense(x.flatten(1)).squeeze(1)
        return logits
