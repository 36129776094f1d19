"""Whose turn it is, which gradients flow, and what counts as a step."""

import csv

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins import MixedPrecision
from torch.utils.data import DataLoader, TensorDataset

from callbacks.run.loggers import RunCSVLogger
from dlmodules import DCGAN
from dlmodules.errors import UserError
from tests.quiet import quiet_trainer


def tiny(**kwargs):
    torch.manual_seed(0)
    return DCGAN(image_shape=(1, 8, 8), latent_dim=4, width=0.05, **kwargs)


def loader(batches=12, value=None):
    torch.manual_seed(1)
    images = torch.rand(4 * batches, 1, 8, 8) if value is None else torch.full((4 * batches, 1, 8, 8), value)
    return DataLoader(TensorDataset(images, torch.zeros(4 * batches, dtype=torch.long)), batch_size=4)


def trainer(tmp_path, **kwargs):
    settings = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    return pl.Trainer(
        **(settings | kwargs),
        max_epochs=1,
        accelerator="cpu",
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )


class Counting(DCGAN):
    """Counts the updates of each network."""

    def on_fit_start(self):
        self.updates = [0, 0]
        for index, optimizer in enumerate(self.trainer.optimizers):
            optimizer.register_step_post_hook(lambda *_, index=index: self._count(index))

    def _count(self, index):
        self.updates[index] += 1


@pytest.mark.parametrize("n_critic", [1, 3])
@pytest.mark.parametrize("update", ["alternating", "simultaneous"])
def test_one_training_step_is_one_global_step(tmp_path, n_critic, update):
    module = Counting(image_shape=(1, 8, 8), latent_dim=4, width=0.05, n_critic=n_critic, update=update)
    run = trainer(tmp_path)
    run.fit(module, loader(batches=12))
    assert run.global_step == 12
    assert module.updates == [12, 12 // n_critic]


def test_metrics_reach_the_loggers_every_n_steps(tmp_path):
    logger = RunCSVLogger(tmp_path)
    trainer(tmp_path, logger=logger, log_every_n_steps=5).fit(tiny(), loader(batches=12))
    with open(logger.file, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["train/d_loss"]]
    assert [row["step"] for row in rows] == ["4", "9"]
    assert all(row["train/g_loss"] and row["train/d_accuracy"] for row in rows)


def test_max_steps_counts_batches(tmp_path):
    run = quiet_trainer(max_steps=7, default_root_dir=tmp_path)
    module = Counting(image_shape=(1, 8, 8), latent_dim=4, width=0.05)
    run.fit(module, loader(batches=12))
    assert module.updates == [7, 7]


def test_no_gradient_leaks_into_the_other_network(tmp_path):
    seen = []

    class Watching(DCGAN):
        def backward_into(self, loss, network, optimizer, retain_graph=False):
            other = self.generator if network is self.discriminator else self.discriminator
            before = [None if p.grad is None else p.grad.clone() for p in other.parameters()]
            super().backward_into(loss, network, optimizer, retain_graph)
            after = [p.grad for p in other.parameters()]
            seen.append(all((b is None and a is None) or torch.equal(b, a) for b, a in zip(before, after, strict=True)))
            assert all(p.grad is not None for p in network.parameters())

    trainer(tmp_path).fit(Watching(image_shape=(1, 8, 8), latent_dim=4, width=0.05), loader(3))
    assert seen == [True] * 6


def test_simultaneous_gradients_are_of_the_networks_before_either_moved(tmp_path):
    """The generator's gradient equals the one by hand through the discriminator that has not moved yet."""
    module = tiny(update="simultaneous", optimizer_d=lambda p: torch.optim.SGD(p, lr=10.0))
    batch = next(iter(loader(1)))
    grads = {}

    class Recording(pl.Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            torch.manual_seed(5)
            fake = pl_module.generator(pl_module.sample_noise(len(batch[0])))
            loss = pl_module.generator_loss(pl_module.discriminator(fake))
            grads["expected"] = torch.autograd.grad(loss, list(pl_module.generator.parameters()))
            torch.manual_seed(5)

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            grads["found"] = [p.grad.clone() for p in pl_module.generator.parameters()]

    for norm in module.generator.norms:
        norm.momentum = 0.0
    trainer(tmp_path, callbacks=[Recording()]).fit(module, DataLoader([(batch[0][0], batch[1][0])] * 4, batch_size=4))
    for expected, found in zip(grads["expected"], grads["found"], strict=True):
        assert torch.allclose(expected, found, atol=1e-6)


def test_clipping_bounds_each_gradient(tmp_path):
    norms = []

    class Watching(DCGAN):
        def backward_into(self, loss, network, optimizer, retain_graph=False):
            super().backward_into(loss, network, optimizer, retain_graph)
            norms.append(torch.cat([p.grad.flatten() for p in network.parameters()]).norm().item())

    trainer(tmp_path).fit(Watching(image_shape=(1, 8, 8), latent_dim=4, width=0.05, clip_grad_norm=1e-3), loader(2))
    assert all(norm == pytest.approx(1e-3, rel=1e-2) for norm in norms)


def test_nan_loss_names_loss_and_step(tmp_path):
    class Broken(DCGAN):
        def generator_loss(self, fake_logits):
            scale = float("nan") if self.trainer.fit_loop.total_batch_idx == 3 else 1.0
            return super().generator_loss(fake_logits) * scale

    with pytest.raises(UserError, match="train/g_loss is nan at step 3"):
        trainer(tmp_path).fit(Broken(image_shape=(1, 8, 8), latent_dim=4, width=0.05), loader(6))


def test_wrong_images_end_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"the images are \[1, 8, 8\] but DCGAN was built for \[1, 28, 28\]"):
        trainer(tmp_path).fit(DCGAN(width=0.05), loader(2))
    with pytest.raises(UserError, match=r"needs images in \[0, 1\]"):
        trainer(tmp_path).fit(tiny(), loader(2, value=7.0))
    with pytest.raises(UserError, match="multiple of 4"):
        DCGAN(image_shape=(1, 30, 30))
    with pytest.raises(UserError, match="n_critic"):
        tiny(n_critic=0)


def test_clipping_knows_of_the_scaling_in_half_precision(tmp_path):
    """The gradients are 256 times too long when they are clipped, and are divided after."""
    scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
    whole = lambda parameters: torch.optim.SGD(parameters, lr=1.0)  # noqa: E731
    module = tiny(clip_grad_norm=0.005, optimizer_d=whole, optimizer_g=whole)
    before = [p.detach().clone() for p in module.discriminator.parameters()]
    trainer(tmp_path, plugins=[MixedPrecision("16-mixed", "cpu", scaler)]).fit(module, loader(1))
    moved = [after.detach() - p for after, p in zip(module.discriminator.parameters(), before, strict=True)]
    assert torch.cat([m.flatten() for m in moved]).norm() == pytest.approx(0.005, rel=0.01)
