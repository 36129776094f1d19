"""Hand-written training loops of what translates images, as the papers' programs write them with plain torch."""

from collections import deque
from copy import deepcopy
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.instruments.epoch import Epoch
from datamodules.pairs.image_pairs import ImagePairsDataModule
from dlmodules import CycleGAN, Pix2Pix


def images_of(data: ImagePairsDataModule, limit: int) -> tuple[Tensor, Tensor]:
    """Return the training images of both domains, uint8, as many as ``limit`` batches need."""
    assert data.train_set is not None
    a, b = (side.selected()[0] for side in (data.train_set.a, data.train_set.b))
    return a[: limit * data.batch_size], b[: limit * data.batch_size]


def scaled(images: Tensor) -> Tensor:
    """Return bytes as numbers in [-1, 1]."""
    return images.float() / 127.5 - 1


def freeze(networks: list[nn.Module], frozen: bool) -> None:
    """Let ``networks`` take gradients, or not."""
    for network in networks:
        network.requires_grad_(not frozen)


def pix2pix_epoch(module: Pix2Pix, data: ImagePairsDataModule, limit: int) -> Epoch:
    """Return a function that trains copies of the networks of ``module`` for ``limit`` batches."""
    a, b = images_of(data, limit)
    generator, discriminator = deepcopy(module.generator).train(), deepcopy(module.discriminator).train()
    optimizer_d, optimizer_g = (
        module.optimizer_d(discriminator.parameters()),
        module.optimizer_g(generator.parameters()),
    )

    def epoch() -> None:
        for rows in torch.split(torch.randperm(len(a)), data.batch_size):
            given, wanted = scaled(a[rows]), scaled(b[rows])
            fake = generator(given)
            freeze([discriminator], False)
            optimizer_d.zero_grad()
            real_outputs = discriminator(torch.cat([given, wanted], dim=1))
            fake_outputs = discriminator(torch.cat([given, fake.detach()], dim=1))
            d_loss = 0.5 * (F.softplus(-real_outputs).mean() + F.softplus(fake_outputs).mean())
            d_loss.backward()  # type: ignore[no-untyped-call]  # torch has no types there
            optimizer_d.step()
            freeze([discriminator], True)
            optimizer_g.zero_grad()
            fooled = F.softplus(-discriminator(torch.cat([given, fake], dim=1))).mean()
            g_loss = module.adversarial * fooled + module.l1 * F.l1_loss(fake, wanted)
            g_loss.backward()  # type: ignore[no-untyped-call]  # torch has no types there
            optimizer_g.step()

    return epoch


class Pool:
    """The last images that were made, one of which is given in place of a new one, every other time."""

    def __init__(self, size: int) -> None:
        self.images: deque[Tensor] = deque(maxlen=size)
        self.draw = Random(0)

    def __call__(self, images: Tensor) -> Tensor:
        chosen = []
        for image in images:
            if len(self.images) < (self.images.maxlen or 0):
                self.images.append(image)
                chosen.append(image)
            elif self.draw.random() < 0.5:
                place = self.draw.randrange(len(self.images))
                chosen.append(self.images[place])
                self.images[place] = image
            else:
                chosen.append(image)
        return torch.stack(chosen)


def cyclegan_epoch(module: CycleGAN, data: ImagePairsDataModule, limit: int) -> Epoch:
    """Return a function that trains copies of the networks of ``module`` for ``limit`` batches."""
    a, b = images_of(data, limit)
    forth, back = (deepcopy(network).train() for network in module.generators.values())
    judges = [deepcopy(network).train() for network in module.discriminators]
    pools = [Pool(50), Pool(50)]
    optimizer_d = module.optimizer_d([weights for judge in judges for weights in judge.parameters()])
    optimizer_g = module.optimizer_g([*forth.parameters(), *back.parameters()])

    def epoch() -> None:
        orders = [torch.split(torch.randperm(len(images)), data.batch_size) for images in (a, b)]
        for rows_a, rows_b in zip(*orders, strict=True):
            real = scaled(a[rows_a]), scaled(b[rows_b])
            fake = back(real[1]), forth(real[0])
            freeze(judges, False)
            optimizer_d.zero_grad()
            d_loss = torch.zeros(())
            for judge, images, made, pool in zip(judges, real, fake, pools, strict=True):
                real_outputs, fake_outputs = judge(images), judge(pool(made.detach()))
                d_loss = d_loss + 0.5 * ((real_outputs - 1).square().mean() + fake_outputs.square().mean())
            d_loss.backward()  # type: ignore[no-untyped-call]  # torch has no types there
            optimizer_d.step()
            freeze(judges, True)
            optimizer_g.zero_grad()
            g_loss = module.cycle * (F.l1_loss(back(fake[1]), real[0]) + F.l1_loss(forth(fake[0]), real[1]))
            for judge, made in zip(judges, fake, strict=True):
                g_loss = g_loss + (judge(made) - 1).square().mean()
            g_loss.backward()  # type: ignore[no-untyped-call]  # torch has no types there
            optimizer_g.step()

    return epoch
