"""Callbacks that watch a generator and a discriminator."""

import warnings

import pytest
import torch
from torch import nn

from callbacks import CollapseAlarm, DiscriminatorHistogram, GeneratorEMA, GradientNorms
from callbacks.adversaries.collapse_alarm import mean_distance
from callbacks.adversaries.discriminator_histogram import output_figure
from dlmodules import CGAN, GAN
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import BareLogger, ImageLogger, ToyGAN, ToyVAE, loader, random_states, trainer

TINY = {"image_shape": (1, 8, 8), "latent_dim": 4}


class MetricLogger(BareLogger):
    def __init__(self):
        super().__init__()
        self.rows = []

    def log_metrics(self, metrics, step=None):
        self.rows.append((step, dict(metrics)))

    def values(self, name):
        return {step: row[name] for step, row in self.rows if name in row}


class JudgingGAN(ToyGAN):
    def discriminate_images(self, x, labels=None):
        assert not self.training
        return self.discriminator(x).squeeze(1)


class Constant(ToyVAE):
    """Makes ``kinds`` different images, whatever the noise."""

    kinds = 1

    def sample(self, n, labels=None, generator=None):
        torch.rand(3)  # a careless module
        return (torch.arange(n) % self.kinds).float().view(n, 1, 1, 1).expand(n, 1, 8, 8)


def test_training_is_the_same_with_and_without_them(tmp_path):
    ends = []
    watching = [CollapseAlarm(every_n_steps=1, num=8), GradientNorms(), DiscriminatorHistogram(8, every_n_steps=2)]
    for callbacks in ([], watching):
        torch.manual_seed(0)
        module = GAN(**TINY)
        trainer(tmp_path, GeneratorEMA(), *callbacks, max_epochs=2).fit(module, loader(), loader())
        ends.append((module.state_dict(), random_states()))
    assert ends[0][1] == ends[1][1]
    assert all(torch.equal(tensor, ends[1][0][name]) for name, tensor in ends[0][0].items())


def test_histograms_are_of_the_discriminators_outputs(tmp_path, monkeypatch):
    shown = []

    def keep(real, made, bins, title):
        shown.append((real, made, title))
        return output_figure(real, made, bins, title)

    monkeypatch.setattr("callbacks.adversaries.discriminator_histogram.output_figure", keep)
    logger, module, data = ImageLogger(), JudgingGAN(), loader()
    trainer(tmp_path, DiscriminatorHistogram(num=10, bins=7, seed=2), logger=logger).fit(module, data, data)
    assert [name for name, *_ in logger.pictures] == ["discriminator"]
    assert len(list(tmp_path.glob("media/discriminator-*.png"))) == 1
    real, made, title = shown[0]
    module.eval()
    with torch.no_grad():
        assert torch.allclose(real, module.discriminate_images(data.dataset.tensors[0][:10]))
        samples = module.sample(10, generator=torch.Generator().manual_seed(2))
        assert torch.allclose(made, module.discriminate_images(samples))
    assert title == "JudgingGAN, 3 steps"


def test_histograms_have_the_same_bars():
    figure = output_figure(torch.tensor([0.0, 2.0, 2.0]), torch.tensor([4.0, float("nan")]), 4, "title")
    (axes,) = figure.axes
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == [1, 0, 2, 0, 0, 0, 0, 1]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["real, mean 1.33", "fake, mean 4"]


def test_a_discriminator_that_is_told_the_class(tmp_path):
    module = CGAN(image_shape=(1, 8, 8), latent_dim=4, num_classes=3, width=0.05)
    run = trainer(tmp_path, DiscriminatorHistogram(num=8))
    run.fit(module, loader(), loader())
    assert len(list(tmp_path.glob("media/discriminator-*.png"))) == 1


def test_the_generators_range_is_what_the_discriminator_sees():
    class Signed(nn.Module):
        output_range = (-1.0, 1.0)

    class Sum(nn.Module):
        def forward(self, x):
            return x.flatten(1).sum(dim=1)

    module = GAN(image_shape=(1, 2, 2), generator=Signed(), discriminator=Sum())
    images = torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1).expand(3, 1, 2, 2)
    assert module.discriminate_images(images).tolist() == [-4, 0, 4]


class Scripted(ToyGAN):
    """Two networks whose gradients are (3, 4) and (0, 12), the discriminator's first halved by clipping."""

    def __init__(self):
        super().__init__()
        self.generator, self.discriminator = nn.Linear(1, 2, bias=False), nn.Linear(1, 2, bias=False)

    def training_step(self, batch, batch_idx):
        for optimizer, slope in zip(self.optimizers(), ([3.0, 4.0], [0.0, 12.0]), strict=True):
            network = self.discriminator if slope[0] else self.generator
            optimizer.zero_grad()
            self.manual_backward((network.weight.squeeze(1) * torch.tensor(slope)).sum())
            if slope[0]:
                nn.utils.clip_grad_norm_(network.parameters(), 2.5)
                optimizer.step()
                optimizer.zero_grad()
                self.manual_backward((network.weight.squeeze(1) * torch.tensor(slope)).sum())
            optimizer.step()


def test_gradient_norms_by_hand_at_logging_steps_only(tmp_path, monkeypatch):
    measured = []
    total_norm = torch.nn.utils.get_total_norm
    monkeypatch.setattr(
        "callbacks.adversaries.gradient_norms.get_total_norm", lambda g: measured.append(1) or total_norm(g)
    )
    logger = MetricLogger()
    trainer(tmp_path, GradientNorms(), logger=logger, log_every_n_steps=2, max_epochs=2).fit(Scripted(), loader())
    # Six steps, of which every second is logged; two updates of the discriminator, of norms 2.5 and 5.
    assert len(measured) == 3 * 3
    assert list(logger.values("grad/d").values()) == pytest.approx([3.75] * 3, rel=1e-4)
    assert list(logger.values("grad/g").values()) == pytest.approx([12.0] * 3)
    assert list(logger.values("grad/d")) == [1, 3, 5]


def test_gradient_norms_of_a_gan(tmp_path):
    logger = MetricLogger()
    trainer(tmp_path, GradientNorms(), logger=logger).fit(GAN(**TINY, n_critic=3), loader(batch_size=4))
    assert len(logger.values("grad/d")) == 6
    of_generator = logger.values("grad/g")
    assert sorted(of_generator) == [2, 3, 4, 5]  # its turn is every third step; Lightning repeats what was logged last
    assert of_generator[2] == of_generator[3] == of_generator[4] != of_generator[5]


def test_mean_distance():
    # Three points on a line: distances 3, 4 and 1.
    assert mean_distance(torch.tensor([0.0, 3.0, 4.0]).view(3, 1, 1, 1)).item() == pytest.approx(8 / 3)
    assert mean_distance(torch.ones(4, 1, 2, 2)).item() == 0


def test_distance_is_relative_to_real_images(tmp_path):
    logger, data = MetricLogger(), loader()
    module = Constant()
    module.kinds = 2
    trainer(tmp_path, CollapseAlarm(every_n_steps=2, num=8, threshold=0), logger=logger).fit(module, data)
    made = 16 / 28 * 8.0  # of 28 pairs 16 are of different images, which are 8 apart
    real = mean_distance(data.dataset.tensors[0][:8]).item()
    assert logger.values("collapse/distance") == pytest.approx({1: made / real, 2: made / real})


def alarms(tmp_path, module, **options):
    settings = {"every_n_steps": 1, "num": 8, "first_step": 2} | options
    run = trainer(tmp_path, CollapseAlarm(**settings), max_epochs=2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run.fit(module, loader())
    return run, [str(one.message) for one in caught if "collapsed" in str(one.message)]


def test_the_alarm_is_given_once_and_not_too_early(tmp_path):
    run, lines = alarms(tmp_path, Constant())
    assert lines == [
        "the generator may have collapsed: at step 2 the samples differ 0.00 times as much as real images do"
        " (alarm below 0.3); look at the samples."
    ]
    assert run.fit_loop.total_batch_idx + 1 == 6


def test_the_alarm_can_stop_the_training(tmp_path):
    run, lines = alarms(tmp_path, Constant(), stop=True)
    assert len(lines) == 1
    assert "the training ends here" in lines[0]
    assert run.fit_loop.total_batch_idx + 1 == 2
    assert not run.interrupted


def test_samples_as_varied_as_the_data_are_no_collapse(tmp_path):
    class Varied(ToyGAN):
        def sample(self, n, labels=None, generator=None):
            return torch.rand(n, 1, 8, 8, generator=generator)

    assert alarms(tmp_path, Varied())[1] == []


def test_samples_that_are_no_numbers_are_an_alarm(tmp_path):
    class Broken(ToyGAN):
        def sample(self, n, labels=None, generator=None):
            return torch.full((n, 1, 8, 8), float("nan"))

    assert len(alarms(tmp_path, Broken())[1]) == 1


def test_a_resumed_run_goes_on_with_the_same_measure(tmp_path):
    first = CollapseAlarm(every_n_steps=1, num=8, first_step=0)
    run = trainer(tmp_path, first)
    with pytest.warns(UserWarning, match="may have collapsed"):
        run.fit(Constant(), loader())
    run.save_checkpoint(tmp_path / "x.ckpt")
    second = CollapseAlarm(every_n_steps=1, num=8, first_step=0)
    logger = MetricLogger()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*collapsed.*")  # it was told before
        again = trainer(tmp_path, second, max_epochs=2, logger=logger)
        again.fit(Constant(), loader(seed=7), ckpt_path=tmp_path / "x.ckpt", weights_only=True)
    assert first.state_dict() == second.state_dict()
    assert first.state_dict()["given"]
    assert len(logger.values("collapse/distance")) == 3


def test_two_alarms_for_other_labels_have_their_own_names_and_states(tmp_path):
    logger = MetricLogger()
    module = CGAN(image_shape=(1, 8, 8), latent_dim=4, num_classes=3, width=0.05)
    alarms = [CollapseAlarm(num=4, labels=[0]), CollapseAlarm(num=4, labels=[1], name="ones")]
    assert alarms[0].state_key != alarms[1].state_key
    trainer(tmp_path, *alarms, logger=logger).fit(module, loader())
    assert len(logger.values("collapse/distance")) == len(logger.values("ones/distance")) == 1
    with pytest.raises(UserError, match="two callbacks CollapseAlarm with the name 'collapse'"):
        trainer(tmp_path, alarms[0], CollapseAlarm(num=4, labels=[1])).fit(module, loader())


def test_trained_weights_are_asked_not_averages(tmp_path):
    class Watching(JudgingGAN):
        seen = None

        def sample(self, n, labels=None, generator=None):
            self.seen = self.generator[0].weight.detach().clone()
            return super().sample(n, labels, generator)

    for callback in (DiscriminatorHistogram(num=4), CollapseAlarm(num=4)):
        module = Watching()
        trainer(tmp_path, GeneratorEMA(decay=0.9, warmup=False), callback).fit(module, loader(), loader())
        assert torch.equal(module.seen, module.generator[0].weight)


def test_mistakes_are_told_before_training(tmp_path):
    run = trainer(tmp_path)
    with pytest.raises(
        UserError, match="DiscriminatorHistogram needs a module with a method `discriminate_images`; ToyVAE"
    ):
        DiscriminatorHistogram().setup(run, ToyVAE(), "fit")
    with pytest.raises(UserError, match="networks `generator` and `discriminator`; ToyVAE lacks one"):
        GradientNorms().setup(run, ToyVAE(), "fit")
    GradientNorms().setup(run, ToyGAN(), "fit")
    with pytest.raises(UserError, match="CollapseAlarm: num must be 2 or more"):
        CollapseAlarm(num=1)
    with pytest.raises(UserError, match="threshold in"):
        CollapseAlarm(threshold=1.5)
    with pytest.raises(UserError, match="bins must be 1 or more"):
        DiscriminatorHistogram(bins=0)
