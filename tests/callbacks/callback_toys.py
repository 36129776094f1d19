"""Small modules, data and trainers that the tests of the callbacks share."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.loggers.logger import Logger
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from tests.quiet import quiet_trainer


def loader(n: int = 24, seed: int = 0, channels: int = 1, size: int = 8, batch_size: int = 8) -> DataLoader[Any]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 256, (n, channels, size, size), generator=generator).float() / 255
    return DataLoader(TensorDataset(x, torch.arange(n) % 3), batch_size)


def trainer(folder: Path, *callbacks: Callback, **options: Any) -> Trainer:
    settings: dict[str, Any] = {
        "max_epochs": 1,
        "callbacks": list(callbacks),
        "logger": CSVLogger(folder, name="", version=""),
        "default_root_dir": folder,
        "num_sanity_val_steps": 0,
        "log_every_n_steps": 1,
    }
    return quiet_trainer(**(settings | options))


def random_states() -> tuple[Any, ...]:
    numpy_state = np.random.get_state()
    return random.getstate(), str(numpy_state[1]), numpy_state[2], torch.get_rng_state().tolist()


class ToyVAE(LightningModule):
    """An autoencoder with noise in its training, and batch norm and dropout in its decoder."""

    def __init__(self, latent_dim: int = 2, channels: int = 1, size: int = 8) -> None:
        super().__init__()
        self.image_shape = (channels, size, size)
        pixels = channels * size * size
        self.latent_dim = latent_dim
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, latent_dim))
        self.generator = nn.Sequential(
            nn.Linear(latent_dim, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, pixels)
        )

    def encode(self, x: Tensor) -> Tensor:
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.generator(z)).view(-1, *self.image_shape)

    def reconstruct(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        assert not self.training
        assert not torch.is_grad_enabled()
        torch.rand(3), np.random.rand(), random.random()  # a careless module
        return self.decode(torch.randn(n, self.latent_dim, generator=generator, device=self.device))

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        x = batch[0]
        z = self.encode(x)
        loss = F.mse_loss(self.decode(z + torch.randn_like(z)), x)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.log("val/loss", F.mse_loss(self.reconstruct(batch[0]), batch[0]))

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.log("test/loss", F.mse_loss(self.reconstruct(batch[0]), batch[0]))

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        return self.reconstruct(batch[0])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 1e-2)


class ToyGAN(LightningModule):
    """A generator and a discriminator with an optimizer each, in plain Lightning."""

    automatic_optimization = False
    image_shape = (1, 8, 8)

    def __init__(self) -> None:
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 64))
        self.discriminator = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))

    def sample(self, n: int, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        return torch.sigmoid(self.generator(torch.randn(n, 4, generator=generator))).view(-1, 1, 8, 8)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        for optimizer, sign in zip(self.optimizers(), (1, -1), strict=True):
            fake = self.generator(torch.randn(len(batch[0]), 4))
            loss = sign * (self.discriminator(fake).mean() - self.discriminator(batch[0]).mean())
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.log("val/d_real", self.discriminator(batch[0]).mean())

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        return [torch.optim.SGD(net.parameters(), 0.1) for net in (self.discriminator, self.generator)]


class BareLogger(Logger):
    """Keeps at which steps metrics were logged."""

    name = "bare"
    version = 0

    def __init__(self) -> None:
        super().__init__()
        self.metric_steps: list[Any] = []

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.metric_steps.append(step)

    def log_hyperparams(self, params: Any) -> None:
        pass


class ImageLogger(BareLogger):
    """Keeps the pictures and films it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[tuple[str, Any, int]] = []
        self.films: list[tuple[str, Any, int]] = []

    def log_image(self, key: str, images: list[Any], step: int, **kwargs: Any) -> None:
        self.pictures.append((key, images[0], step))

    def log_video(self, key: str, videos: list[Any], step: int, **kwargs: Any) -> None:
        self.films.append((key, videos[0], step))
