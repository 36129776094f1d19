"""What each variant of the GAN does differently."""

import pytest
import torch
from pytorch_lightning.cli import instantiate_module
from torch.nn import functional as F

from dlmodules import ACGAN, CGAN, DCGAN, GAN, LSGAN, SNGAN, WGAN, WGANGP, InfoGAN, StackedGAN
from dlmodules.adversarial.module import DiscriminatorOutput, Images
from dlmodules.errors import UserError
from dlmodules.gans.cgan import ConditionalGenerator
from dlmodules.gans.infogan import CodedGenerator, gaussian_nll, printed_code_loss
from dlmodules.gans.stackedgan_networks import StackedGenerator
from dlmodules.gans.strided_networks import StridedDiscriminator, UpsamplingGenerator
from dlmodules.layers.augmentation import RandomAffineAndFlip
from dlmodules.protocols import finds_classes
from tests.dlmodules.adversarial.test_adversarial_module import loader, trainer

TINY = {"image_shape": (1, 8, 8), "latent_dim": 4, "width": 0.05}


def count(network):
    return sum(p.numel() for p in network.parameters())


def statistics(network):
    return sum(b.numel() for name, b in network.named_buffers() if "running" in name)


def labelled(batches=6):
    torch.manual_seed(1)
    n = 4 * batches
    return torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.rand(n, 1, 8, 8), torch.arange(n) % 10), batch_size=4
    )


def test_parameter_counts_are_the_books():
    dense = GAN()
    assert count(dense.generator) == 576_912
    assert count(dense.generator) + statistics(dense.generator) == 578_704
    assert count(dense.discriminator) == 233_985
    conditional = CGAN()
    assert count(conditional.generator) + statistics(conditional.generator) == 1_364_225
    assert count(conditional.discriminator) == 1_090_001
    assert count(ACGAN().discriminator) == 1_606_283
    info = InfoGAN()
    assert count(info.generator) + statistics(info.generator) == 1_138_433
    assert count(InfoGAN(latent_dim=100).generator) + statistics(info.generator) == 1_376_769
    assert count(info.discriminator) == 1_606_541 + 2  # each code's deviation
    assert count(SNGAN().discriminator) == count(LSGAN().discriminator) == 1_080_577


def test_separate_updates_are_two_and_the_second_meets_the_moved_discriminator(tmp_path):
    seen = []

    class Watching(GAN):
        def discriminate(self, images):
            output = super().discriminate(images)
            if self.trainer.fit_loop.total_batch_idx == 0:
                seen.append(self.discriminator.dense.weight.detach().clone())
            return output

    module = Watching(image_shape=(1, 8, 8), latent_dim=4)
    run = trainer(tmp_path)
    run.fit(module, loader(batches=3))
    assert run.global_step == 3
    on_real, on_fake, for_generator = seen[:3]
    assert not torch.equal(on_real, on_fake)
    assert not torch.equal(on_fake, for_generator)


def test_separate_updates_refuse_a_loss_that_they_would_not_use():
    class Own(GAN):
        def discriminator_loss(self, real_outputs, fake_outputs):
            return real_outputs.mean() - fake_outputs.mean()

    with pytest.raises(UserError, match=r"do not use Own\.discriminator_loss: choose update='alternating'"):
        Own(image_shape=(1, 8, 8), latent_dim=4)
    Own(image_shape=(1, 8, 8), latent_dim=4, update="alternating")


def test_the_critics_weights_are_clipped_and_the_generators_are_not(tmp_path):
    module = WGAN(**TINY, clip=0.01, n_critic=2, optimizer_d=lambda p: torch.optim.SGD(p, lr=1.0))
    trainer(tmp_path).fit(module, loader(4))
    values = torch.cat([p.flatten() for p in module.discriminator.parameters()])
    assert values.abs().max().item() == pytest.approx(0.01)
    assert max(p.abs().max().item() for p in module.generator.parameters()) > 0.02


@pytest.mark.parametrize(("update", "steep"), [("separate", [False, True]), ("alternating", [False, False])])
def test_the_critic_is_clipped_after_its_whole_turn(tmp_path, update, steep):
    """Separate, its second half meets the weights as the first has left them, and the generator the clipped ones."""
    seen = []

    class Watching(WGAN):
        def discriminate(self, images):
            largest = max(p.abs().max().item() for p in self.discriminator.parameters())
            seen.append(largest > self.clip + 1e-6)
            return super().discriminate(images)

    module = Watching(**TINY, n_critic=1, update=update, optimizer_d=lambda p: torch.optim.SGD(p, lr=1.0))
    trainer(tmp_path).fit(module, loader(2))
    assert seen[3:] == [*steep, False]  # the first step begins with weights that were never clipped


def test_the_distance_is_logged_for_the_loss_that_measures_it():
    real, fake = torch.tensor([1.0, 2.0]), torch.tensor([0.0, -1.0])
    for module in (WGAN(**TINY), WGANGP(**TINY), GAN((1, 8, 8), 4, loss="wasserstein")):
        found = module.discriminator_metrics(real, fake)
        assert {name: value.item() for name, value in found.items()} == {
            "d_real": 1.5,
            "d_fake": -0.5,
            "wasserstein": 2,
        }
    assert set(GAN((1, 8, 8), 4).discriminator_metrics(real, fake)) == {"d_accuracy", "d_real", "d_fake"}


@pytest.mark.parametrize("system", [LSGAN, SNGAN, WGAN, WGANGP])
def test_variants_train_and_sample(system, tmp_path):
    module = system(**TINY)
    before = [p.clone() for p in module.parameters()]
    trainer(tmp_path).fit(module, loader(6))
    moved = [not torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True)]
    assert sum(moved) > len(moved) - 3  # a bias may stand still
    images = module.eval().sample(3)
    assert images.shape == (3, 1, 8, 8)
    assert 0 <= images.min() <= images.max() <= 1


@pytest.mark.parametrize(("system", "betas"), [(GAN, (0.5, 0.999)), (SNGAN, (0.5, 0.999)), (WGANGP, (0.0, 0.9))])
def test_a_rebuilt_module_has_the_same_optimizers(system, betas):
    settings = dict(system(image_shape=(1, 8, 8)).hparams)
    assert settings["optimizer_d"]["init_args"]["beta1"] == betas[0]
    settings.pop("_instantiator")
    again = instantiate_module(system, settings)
    assert [optimizer.defaults["betas"] for optimizer in again.configure_optimizers()] == [betas, betas]


def test_r1_adds_its_weight_times_the_penalty():
    torch.manual_seed(0)
    module = GAN(image_shape=(1, 2, 2), latent_dim=2, r1=5.0)
    module.discriminator = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 1), torch.nn.Flatten(0))
    weight = module.discriminator[1].weight
    real, fake = (module.discriminate(Images(torch.rand(3, 1, 2, 2))) for _ in range(2))
    found = module.discriminator_losses(real, fake)
    assert found["r1_loss"].item() == pytest.approx(0.5 * weight.square().sum().item())
    plain = module.discriminator_loss(real.source, fake.source)
    # Half of real and fake each, and so half of the penalty beside the half of the real ones.
    assert found["d_loss"].item() == pytest.approx((plain + 0.5 * 5 * found["r1_loss"]).item())
    separate = list(module.discriminator_updates(real.images, fake.images))
    assert separate[0].loss.item() + separate[1].loss.item() == pytest.approx(2 * found["d_loss"].item())
    assert separate[1].logged["d_loss"].item() == pytest.approx(found["d_loss"].item())


def test_the_gradient_penalty_reaches_the_loss():
    module = WGANGP(image_shape=(1, 2, 2), latent_dim=2, generator=torch.nn.Identity(), discriminator=Linear())
    real, fake = (module.discriminate(Images(torch.rand(3, 1, 2, 2))) for _ in range(2))
    found = module.discriminator_losses(real, fake)
    penalty = (module.discriminator.layer.weight.norm() - 1).square().item()
    assert found["gp_loss"].item() == pytest.approx(penalty, rel=1e-5)
    assert found["wasserstein"].item() == pytest.approx((real.source.mean() - fake.source.mean()).item())
    assert found["d_loss"].item() == pytest.approx(-found["wasserstein"].item() + 10 * penalty, rel=1e-4)


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def forward(self, x):
        return self.layer(x.flatten(1)).squeeze(1)


def test_spectral_normalization_bounds_every_layers_largest_singular_value(tmp_path):
    module = SNGAN(**TINY, optimizer_d=lambda p: torch.optim.SGD(p, lr=0.1))
    trainer(tmp_path).fit(module, loader(8))
    module.train()
    for _ in range(50):  # power iteration goes on while training
        module.discriminator(torch.rand(2, 1, 8, 8))
    for layer in (*module.discriminator.convs, module.discriminator.dense):
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("system", [CGAN, ACGAN, InfoGAN])
def test_conditional_variants_train_and_generate_the_class_that_is_asked_for(system, tmp_path):
    module = system(**TINY)
    trainer(tmp_path).fit(module, labelled())
    module.eval()
    labels = torch.tensor([3, 3, 7])
    draw = lambda labels: module.sample(3, labels, torch.Generator().manual_seed(0))  # noqa: E731
    assert torch.equal(draw(labels), draw(labels))
    assert not torch.equal(draw(labels), draw(torch.tensor([4, 4, 8])))
    assert module.sample(2).shape == (2, 1, 8, 8)
    with pytest.raises(UserError, match=r"a label is outside 0\.\.9"):
        module.sample(1, torch.tensor([10]))
    with pytest.raises(UserError, match="needs 2 whole numbers"):
        module.sample(2, labels)


def test_only_infogan_without_labels_finds_its_classes():
    assert finds_classes(InfoGAN(**TINY))
    assert not finds_classes(InfoGAN(**TINY, use_labels=True))
    assert not any(finds_classes(system(**TINY)) for system in (DCGAN, CGAN, ACGAN))


@pytest.mark.parametrize(("system", "needs"), [(CGAN, True), (ACGAN, True), (InfoGAN, False)])
def test_labels_of_the_data(system, needs, tmp_path):
    """The conditional ones need them, in range; InfoGAN finds its classes without."""
    data = torch.utils.data.DataLoader([(torch.rand(1, 8, 8), torch.tensor(12))] * 8, batch_size=4)
    if needs:
        with pytest.raises(UserError, match="a label is outside"):
            trainer(tmp_path).fit(system(**TINY), data)
    else:
        trainer(tmp_path).fit(system(**TINY), data)
        with pytest.raises(UserError, match="a label is outside"):
            trainer(tmp_path).fit(system(**TINY, use_labels=True), data)


def test_the_discriminator_of_a_cgan_is_told_the_label():
    module = CGAN(**TINY).eval()
    x = torch.rand(2, 1, 8, 8)
    told = [module.discriminate(Images(x, torch.tensor(labels))).source for labels in ([1, 2], [5, 2])]
    assert told[0][0] != told[1][0]
    assert told[0][1] == told[1][1]


def test_class_losses_by_hand():
    module = ACGAN(**TINY, label_weight=2.0)
    sure = torch.full((1, 10), -1e4).index_fill(1, torch.tensor([3]), 1e4)
    none = torch.zeros(1, 10)
    zero = torch.zeros(1)
    real = DiscriminatorOutput(Images(zero, torch.tensor([3])), zero, sure)
    fake = DiscriminatorOutput(Images(zero, torch.tensor([1])), zero, none)
    found = module.discriminator_losses(real, fake)
    log2, log10 = torch.tensor([2.0, 10.0]).log().tolist()
    assert found["d_label_loss"].item() == pytest.approx(log10 / 2)
    assert found["d_loss"].item() == pytest.approx(log2 + log10)
    assert module.generator_losses(fake)["g_loss"].item() == pytest.approx(log2 + 2 * log10)


def test_code_losses_by_hand():
    codes, mean = torch.tensor([[1.0, -0.5]]), torch.tensor([[0.0, 0.5]])
    # With deviations 1 and 2: 1/2 + 0, and (1/2)^2 / 2 + log 2.
    log_std = torch.tensor([0.0, 0.6931472])
    assert gaussian_nll(codes, mean, log_std).item() == pytest.approx(0.5 + 0.125 + 0.6931472, abs=1e-6)
    # sigmoid(0) = 1/2: -(1 * log 1/2) + 0.5 * log sigmoid(0.5).
    expected = 0.6931472 + 0.5 * torch.sigmoid(torch.tensor(0.5)).log().item()
    assert printed_code_loss(codes, mean).item() == pytest.approx(expected, abs=1e-6)


def test_the_deviation_of_what_is_read_is_fixed_or_learned():
    codes, mean = torch.tensor([[1.0, -0.5]]), torch.tensor([[0.0, 0.5]])
    output = DiscriminatorOutput(Images(torch.zeros(1), codes=codes), torch.zeros(1), codes=mean)
    # Both are read 1 off: 2 * (1^2 / 2), and with deviation 2 2 * ((1 / 2)^2 / 2 + log 2).
    assert InfoGAN(**TINY).code_loss(output).item() == pytest.approx(1.0)
    assert InfoGAN(**TINY, read_std=2.0).code_loss(output).item() == pytest.approx(0.25 + 2 * 0.6931472)
    learned = InfoGAN(**TINY, read_std=None)
    with torch.no_grad():
        learned.discriminator.log_std.fill_(0.6931472)
    assert learned.code_loss(output).item() == pytest.approx(0.25 + 2 * 0.6931472)
    with pytest.raises(UserError, match="read_std is 0"):
        InfoGAN(**TINY, read_std=0)


def test_the_codes_reach_the_images_and_their_own_shape_is_asked_for():
    module = InfoGAN(**TINY).eval()
    draw = lambda codes: module.sample(2, torch.tensor([1, 1]), torch.Generator().manual_seed(0), codes)  # noqa: E731
    assert not torch.equal(draw(torch.zeros(2, 2)), draw(torch.ones(2, 2)))
    with pytest.raises(UserError, match=r"codes of shape \(2, 3\): this InfoGAN needs \(2, 2\)"):
        draw(torch.zeros(2, 3))


@pytest.mark.parametrize(("step", "share"), [(0, 0), (9, 0), (14, 0.5), (19, 1), (500, 1)])
def test_what_is_read_weighs_more_from_step_to_step(monkeypatch, step, share):
    module = InfoGAN(**TINY, ramp=(10, 20), label_weight=3.0, code_weight=2.0)
    monkeypatch.setattr(InfoGAN, "global_step", step)
    real, fake = (module.discriminate(module.fake_images(4)) for _ in range(2))
    for found, name in ((module.discriminator_losses(real, fake), "d"), (module.generator_losses(fake), "g")):
        plain = (module.discriminator_loss(real.source, fake.source), module.generator_loss(fake.source))[name == "g"]
        read = share * (3.0 * found[f"{name}_label_loss"] + 2.0 * found[f"{name}_code_loss"])
        torch.testing.assert_close(found[f"{name}_loss"], plain + read)
    assert InfoGAN(**TINY).ramp_factor() == 1


def test_the_class_is_read_from_what_the_augmentation_makes_of_an_image():
    module = InfoGAN(**TINY, augment=RandomAffineAndFlip(degrees=0, shift=0, horizontal_flip=False)).eval()
    fake = module.fake_images(4)
    same = module.label_loss(module.discriminate(fake))
    torch.testing.assert_close(same, F.cross_entropy(module.discriminator(fake.x)[1], fake.labels))
    module.augment.shift = 0.5
    changed = module.label_loss(module.discriminate(fake))
    assert not torch.equal(changed, same)
    (gradient,) = torch.autograd.grad(changed, module.generator.body.dense.weight)
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GAN(loss="hingee"), "loss 'hingee' is unknown"),
        (lambda: GAN(update="both"), "update is 'both'"),
        (lambda: GAN(noise="unifrom"), "noise 'unifrom' is unknown; choose one of uniform, normal"),
        (lambda: GAN(clip_grad_norm=0.0), "clip_grad_norm is 0.0"),
        (lambda: DCGAN(width=0.0), "width is 0.0"),
        (lambda: DCGAN((1, 32, 32), generator=UpsamplingGenerator()), "the generator was built with image_shape"),
        (lambda: DCGAN(discriminator=StridedDiscriminator((1, 32, 32))), "the discriminator was built with"),
        (lambda: DCGAN(latent_dim=7, generator=UpsamplingGenerator()), "latent_dim is 7, but the generator"),
        (lambda: CGAN(num_classes=5, generator=ConditionalGenerator()), "num_classes is 5, but the generator"),
        (lambda: InfoGAN(num_codes=3, generator=CodedGenerator()), "num_codes is 3, but the generator"),
        (lambda: StackedGAN(latent_dim=20, generator=StackedGenerator()), "latent_dim is 20, but the generator"),
        (lambda: UpsamplingGenerator(doubling="transpose"), "doubling 'transpose' is unknown"),
        (lambda: UpsamplingGenerator((28, 28)), "image_shape is"),
        (lambda: StridedDiscriminator((28, 28)), "image_shape is"),
        (lambda: CGAN(**TINY).discriminate_images(torch.rand(2, 1, 8, 8)), "needs the labels of its images"),
        (lambda: GAN(r1=-1.0), "r1 is -1.0"),
        (lambda: WGAN(**TINY, clip=0.0), "clip is 0.0"),
        (lambda: WGANGP(**TINY, penalty=-1.0), "penalty is -1.0"),
        (lambda: WGANGP(**TINY, update="separate"), "WGANGP has no separate updates"),
        (lambda: ACGAN(**TINY, update="separate"), "ACGAN has no separate updates"),
        (lambda: CGAN(**TINY, num_classes=0), "num_classes is 0"),
        (lambda: InfoGAN(**TINY, num_codes=0), "num_codes is 0"),
        (lambda: InfoGAN(**TINY, code_loss="mse"), "code_loss 'mse' is unknown"),
        (lambda: InfoGAN(**TINY, ramp=(5, 2)), r"ramp is \[5, 2\]"),
    ],
)
def test_wrong_arguments_end_in_one_line(make, message):
    with pytest.raises(UserError, match=message):
        make()
