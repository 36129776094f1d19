"""The stacked GAN: which level learns when and from what, and what it makes."""

import math

import pytest
import pytorch_lightning as pl
import torch

from datamodules import DigitsDataModule
from dlmodules import StackedGAN
from dlmodules.adversarial.module import Images
from dlmodules.errors import UserError
from dlmodules.gans.stackedgan_networks import LevelOutput, StackedEncoder
from dlmodules.protocols import Traverses

TINY = {"image_shape": (1, 8, 8), "latent_dim": 3, "feature_dim": 8, "width": 0.05}
ENCODER = {"encoder"}
LEVELS = {"generator.level0", "generator.level1", "discriminator.level0", "discriminator.level1"}


def count(network, statistics=False):
    counted = sum(p.numel() for p in network.parameters())
    return counted + statistics * sum(b.numel() for name, b in network.named_buffers() if "running" in name)


def loader(batches=3):
    torch.manual_seed(1)
    n = 4 * batches
    return torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.rand(n, 1, 8, 8), torch.arange(n) % 10), batch_size=4
    )


def trainer(tmp_path, max_epochs=1, **kwargs):
    settings = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    return pl.Trainer(
        **(settings | kwargs),
        max_epochs=max_epochs,
        accelerator="cpu",
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )


class Watched(StackedGAN):
    """Remembers, at the end of each epoch, what has moved in it and what has a gradient, running statistics too."""

    def on_fit_start(self):
        self.moved, self.with_gradient, self.stages = [], [], []

    def networks(self):
        return {name: self.get_submodule(name) for name in sorted(ENCODER | LEVELS)}

    def on_train_epoch_start(self):
        self.before = {name: _state(network) for name, network in self.networks().items()}

    def on_train_epoch_end(self):
        networks = self.networks().items()
        self.stages.append(self.stage)
        self.moved.append({name for name, network in networks if _differs(self.before[name], _state(network))})
        self.with_gradient.append(
            {name for name, network in networks if any(p.grad is not None for p in network.parameters())}
        )


def _state(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def _differs(before, after):
    return any(not torch.equal(before[name], after[name]) for name in before)


def test_parameter_counts_are_the_books():
    module = StackedGAN()
    assert count(module.encoder.level0) == 840_640
    assert count(module.encoder.level1) == 2_570
    assert count(module.generator.level1, statistics=True) == 429_312
    assert count(module.generator.level0, statistics=True) == 2_593_537
    assert count(module.discriminator.level1) == 144_691
    assert count(module.discriminator.level0) == 1_285_427
    narrow = StackedGAN(width=0.25)
    assert count(narrow.encoder) == count(module.encoder)
    assert narrow.generator.level1.layers[0].out_features == 128
    assert narrow.discriminator.level1.layers[0].out_features == 64


def test_each_stage_moves_its_own_networks_and_leaves_no_gradient_in_others(tmp_path):
    torch.manual_seed(0)
    module = Watched(**TINY, encoder_epochs=1, independent_epochs=1)
    run = trainer(tmp_path, max_epochs=3)
    run.fit(module, loader())
    assert run.global_step == 9
    assert module.stages == ["encoder", "independent", "joint"]
    assert module.moved == [ENCODER, LEVELS, LEVELS]
    # Level 0 comes last and level 1's gradient is gone by then; joint, both generators have one.
    independent = {"generator.level0", "discriminator.level0"}
    assert module.with_gradient == [ENCODER, independent, independent | {"generator.level1"}]


def test_without_a_number_the_levels_stay_apart_to_the_end(tmp_path):
    module = Watched(**TINY, encoder_epochs=0)
    trainer(tmp_path, max_epochs=3).fit(module, loader(1))
    assert module.stages == ["independent"] * 3


def updates(module, x=None):
    """Take turns once; return the metrics, and loss and network of each update, which is left out."""
    left_out = []
    module.descend = lambda loss, network, optimizer: left_out.append((loss, network))
    module.optimizer_at = lambda index: torch.optim.SGD([torch.zeros(1)], lr=0.0)
    metrics = module.take_turns(Images(torch.rand(4, 1, 8, 8) if x is None else x, torch.tensor([0, 3, 3, 9])))
    return metrics, left_out


def reached(loss, network):
    gradients = torch.autograd.grad(loss, list(network.parameters()), allow_unused=True, retain_graph=True)
    return any(gradient is not None and bool(gradient.any()) for gradient in gradients)


@pytest.mark.parametrize("joint", [False, True])
def test_the_images_loss_reaches_the_features_generator_in_the_joint_stage_alone(joint):
    torch.manual_seed(0)
    module = StackedGAN(**TINY, encoder_epochs=0, independent_epochs=0 if joint else None)
    metrics, left_out = updates(module)
    generator, discriminator = module.generator, module.discriminator
    expected = [discriminator.level1, discriminator.level0]
    expected += [generator] if joint else [generator.level1, generator.level0]
    assert [network for _, network in left_out] == expected
    assert reached(metrics["g0_loss"], generator.level1) == joint
    assert reached(metrics["g0_condition_loss"], generator.level0)
    assert reached(metrics["g1_loss"], generator.level1)
    # The discriminators meet fakes as data.
    assert not any(reached(loss, generator) for loss, _ in left_out[:2])


@pytest.mark.parametrize("joint", [False, True])
def test_what_each_level_is_given(joint):
    """Level 0 gets real features by itself, and those of level 1 in the joint stage; level 1 the real labels."""
    module = StackedGAN(**TINY, encoder_epochs=0, independent_epochs=0 if joint else None)
    given, labels, generated = [], [], []
    module.generator.level0.register_forward_pre_hook(lambda _, args: given.append(args[0]))
    module.generator.level1.register_forward_pre_hook(lambda _, args: labels.append(args[0]))
    module.generator.level1.register_forward_hook(lambda *args: generated.append(args[2]))
    x = torch.rand(4, 1, 8, 8)
    updates(module, x)
    features = module.encoder(x)[0]
    assert [found.tolist() for found in labels] == [[0, 3, 3, 9]] * 2
    for found, level1 in zip(given, generated, strict=True):
        assert torch.allclose(found, level1 if joint else features)


def test_losses_by_hand():
    """The code of what is real counts for nothing; the weights are those of the level."""
    module = StackedGAN(**TINY, entropy_weights=(10.0, 1.0), condition_weight=2.0, adversarial_weight=3.0)
    log2, log3 = math.log(2), math.log(3)
    z = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])  # its mean square is 1/6
    blind = LevelOutput(torch.zeros(2), torch.zeros(2, 3))
    real = LevelOutput(torch.full((2,), math.log(3.0)), torch.full((2, 3), 7.0))  # D = 3/4
    for level, weight in ((0, 10), (1, 1)):
        found = module.discriminator_level(level, real, blind, z)
        assert found["entropy_loss"].item() == pytest.approx(1 / 6)
        adversarial = 0.5 * (2 * log2 - log3 + log2)
        assert found["loss"].item() == pytest.approx(adversarial + weight / 6)
        found = module.generator_level(level, blind, z, torch.tensor(0.25))
        assert found["loss"].item() == pytest.approx(3 * log2 + 2 * 0.25 + weight / 6)


def test_the_conditions_are_read_by_the_encoder():
    torch.manual_seed(0)
    module = StackedGAN(**TINY, encoder_epochs=0, independent_epochs=0)
    generated, images = [], []
    module.generator.level1.register_forward_hook(lambda *args: generated.append(args[2]))
    module.generator.level0.register_forward_hook(lambda *args: images.append(args[2]))
    metrics, _ = updates(module)
    labels = torch.tensor([0, 3, 3, 9])
    log_probabilities = torch.log_softmax(module.encoder.level1(generated[-1]), dim=1)
    expected = -log_probabilities[torch.arange(4), labels].mean()
    assert metrics["g1_condition_loss"].item() == pytest.approx(expected.item(), rel=1e-5)
    expected = (module.encoder(images[-1])[0] - generated[-1]).square().mean()
    assert metrics["g0_condition_loss"].item() == pytest.approx(expected.item(), rel=1e-5)
    for network in "dg":
        levels = metrics[f"{network}0_loss"] + metrics[f"{network}1_loss"]
        assert metrics[f"{network}_loss"].item() == pytest.approx(levels.item())


def test_the_codes_are_normal_with_their_deviation():
    drawn = StackedGAN(**TINY).sample_latents(20_000, torch.Generator().manual_seed(0))
    for code in (drawn.noise, drawn.codes):
        assert code.mean().item() == pytest.approx(0.0, abs=0.01)
        assert code.std().item() == pytest.approx(0.5, abs=0.01)
    assert not torch.equal(drawn.noise, drawn.codes)
    assert torch.bincount(drawn.labels, minlength=10).min() > 1_800


def test_samples_repeat_and_follow_label_and_codes(tmp_path):
    module = StackedGAN(**TINY, encoder_epochs=0)
    trainer(tmp_path).fit(module, loader())
    module.eval()
    labels = torch.tensor([3, 3, 7])

    def draw(labels=labels, **codes):
        return module.sample(3, labels, torch.Generator().manual_seed(0), **codes)

    images = draw()
    assert images.shape == (3, 1, 8, 8)
    assert 0 <= images.min() <= images.max() <= 1
    assert torch.equal(images, draw())
    drawn = module.sample_latents(3, torch.Generator().manual_seed(0))
    assert torch.equal(images, draw(z0=drawn.noise, z1=drawn.codes))
    assert torch.equal(images, draw(z1=drawn.codes))  # a given code leaves the other draws as they are
    assert torch.equal(images, module(drawn.noise, labels, drawn.codes))
    assert not torch.equal(images, draw(torch.tensor([4, 4, 8])))
    assert not torch.equal(images, draw(z0=torch.ones(3, 3)))
    assert not torch.equal(images, draw(z1=torch.ones(3, 3)))
    assert module.sample(2).shape == (2, 1, 8, 8)


@pytest.mark.parametrize("name", ["z0", "z1"])
def test_a_traversal_gives_all_numbers_of_one_code_the_value_and_leaves_the_other_at_zero(name):
    torch.manual_seed(0)
    module = StackedGAN(**TINY).eval()
    assert isinstance(module, Traverses)
    values, labels = torch.tensor([-4.0, 0.0, 4.0]), torch.tensor([3, 7])
    with torch.no_grad():
        images = module.traverse(name, values, 2, labels)
        assert images.shape == (2, 3, 1, 8, 8)
        for column, value in enumerate(values):
            codes = {"z0": torch.zeros(2, 3), "z1": torch.zeros(2, 3)} | {name: torch.full((2, 3), value.item())}
            assert torch.allclose(images[:, column], module.sample(2, labels, **codes), atol=1e-6)
        drawn = [module.traverse(name, values, 4, generator=torch.Generator().manual_seed(5)) for _ in range(2)]
    assert images.diff(dim=1).abs().max() > 1e-4
    assert torch.equal(*drawn)
    labels = module.sample_latents(4, torch.Generator().manual_seed(5)).labels
    with torch.no_grad():
        assert torch.allclose(drawn[0], module.traverse(name, values, 4, labels), atol=1e-6)


def test_validation_measures_encoder_and_discriminator(tmp_path):
    module = StackedGAN(**TINY, encoder_epochs=0)
    (found,) = trainer(tmp_path).validate(module, loader(), verbose=False)
    x, labels = loader().dataset.tensors
    read = module.eval().encoder(x)[1].argmax(dim=1)
    assert found["val/encoder_accuracy"] == pytest.approx((read == labels).float().mean().item())
    sources = torch.sigmoid(module.discriminator.level0(x).source)
    assert found["val/d_real"] == pytest.approx(sources.mean().item(), rel=1e-5)


def test_an_encoder_that_has_learned_is_kept_and_saved(tmp_path):
    encoder = StackedEncoder((1, 8, 8), 10, 8)
    before = _state(encoder)
    module = StackedGAN(**TINY, encoder=encoder, encoder_epochs=0)
    run = trainer(tmp_path)
    run.fit(module, loader())
    assert not _differs(before, _state(module.encoder))
    run.save_checkpoint(tmp_path / "last.ckpt")
    again = StackedGAN.load_from_checkpoint(tmp_path / "last.ckpt", weights_only=True)
    assert not _differs(before, _state(again.encoder))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"image_shape": (1, 10, 8)}, "choose a size that is a multiple of 4"),
        ({"encoder_epochs": -1}, "encoder_epochs is -1"),
        ({"independent_epochs": -2}, "independent_epochs is -2"),
        ({"latent_dim": 0}, "latent_dim is 0"),
        ({"num_classes": 0}, "num_classes is 0"),
        ({"code_std": 0.0}, "code_std is 0.0"),
        ({"condition_weight": -1.0}, "weights of the losses must be 0 or more"),
        ({"entropy_weights": (1.0,)}, "entropy_weights are two"),
    ],
)
def test_wrong_arguments_end_in_one_line(wrong, message):
    with pytest.raises(UserError, match=message):
        StackedGAN(**(TINY | wrong))


def test_wrong_inputs_end_in_one_line(tmp_path):
    module = StackedGAN(**TINY)
    with pytest.raises(UserError, match=r"a label is outside 0\.\.9"):
        module.sample(1, torch.tensor([10]))
    with pytest.raises(UserError, match=r"z1 of shape \(2, 4\): this StackedGAN needs \(2, 3\)"):
        module.sample(2, z1=torch.zeros(2, 4))
    with pytest.raises(UserError, match="this StackedGAN has no z2; choose z0 or z1"):
        module.traverse("z2", torch.zeros(2), 1)
    data = torch.utils.data.DataLoader([(torch.rand(1, 8, 8), torch.tensor(12))] * 8, batch_size=4)
    with pytest.raises(UserError, match="a label is outside"):
        trainer(tmp_path).fit(module, data)
    with pytest.raises(UserError, match="needs batches of images and labels"):
        module.prepare_real((torch.rand(4, 1, 8, 8),))
    with pytest.raises(UserError, match=r"images in \[0, 1\]"):
        module.prepare_real((torch.rand(4, 1, 8, 8) * 255, torch.arange(4)))


@pytest.mark.learning
@pytest.mark.slow
def test_the_encoder_reads_the_class_that_was_asked_for(tmp_path):
    """By chance it would on one sample in ten: so it is where a level does not learn from its condition."""
    pl.seed_everything(0)
    data = DigitsDataModule(image_size=8, batch_size=16, drop_last=True)
    module = StackedGAN(
        image_shape=(1, 8, 8), latent_dim=8, feature_dim=64, width=0.25, encoder_epochs=3, independent_epochs=3,
        optimizer_d=_adam, optimizer_g=_adam,
    )  # fmt: skip
    trainer(tmp_path, max_epochs=8, limit_val_batches=0).fit(module, data)
    labels = torch.arange(500) % 10
    with torch.no_grad():
        images = module.eval().sample(500, labels, torch.Generator().manual_seed(0))
        read = module.encoder(images)[1].argmax(dim=1)
    assert (read == labels).float().mean() > 0.6
    assert images.var(dim=0).mean() > 0.02  # of digits it is 0.07


def _adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-3, betas=(0.5, 0.999))
