import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning import Callback
from pytorch_lightning.callbacks import ModelCheckpoint

from callbacks import EMA, GeneratorEMA, SampleGrid
from callbacks.base.inference import undisturbed
from datamodules import EnvironmentDataModule
from dlmodules import DQN
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, ToyGAN, ToyVAE, loader, trainer


def weights(module, name="generator"):
    return {key: tensor.detach().clone() for key, tensor in module.named_parameters() if key.startswith(name)}


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


class History(Callback):
    """The generator's weights before the training and after each step."""

    def __init__(self):
        self.steps = []

    def on_train_start(self, trainer, pl_module):
        self.steps.append(weights(pl_module))

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.steps.append(weights(pl_module))


@pytest.mark.parametrize("module", [ToyGAN, ToyVAE])  # two optimizers and one
@pytest.mark.parametrize(
    ("options", "used", "decays"),
    [
        ({"decay": 0.5, "warmup": False}, [1, 2, 3, 4, 5, 6], [0.5] * 6),
        ({"decay": 0.3}, [1, 2, 3, 4, 5, 6], [1 / 10, 2 / 11, 3 / 12, 0.3, 0.3, 0.3]),
        ({"decay": 0.5, "warmup": False, "every_n_steps": 2}, [2, 4, 6], [0.5] * 3),
        ({"decay": 0.0, "warmup": False}, [1, 2, 3, 4, 5, 6], [0.0] * 6),
    ],
)
def test_average_is_the_one_computed_by_hand(tmp_path, module, options, used, decays):
    history, ema = History(), GeneratorEMA(**options)
    trainer(tmp_path, history, ema, max_epochs=2).fit(module(), loader(), loader())
    assert len(history.steps) == 7
    for name, average in ema.average.items():
        expected = history.steps[0][name].double()
        for step, decay in zip(used, decays, strict=True):
            expected = decay * expected + (1 - decay) * history.steps[step][name].double()
        assert torch.allclose(average.double(), expected, rtol=0, atol=1e-6)
    assert not equal(ema.average, history.steps[0])


def test_only_the_named_submodule_is_averaged_and_training_is_the_same(tmp_path):
    ends = []
    for callbacks in ([], [GeneratorEMA(0.9)]):
        torch.manual_seed(0)
        module = ToyGAN()
        trainer(tmp_path, *callbacks, max_epochs=3).fit(module, loader(), loader())
        ends.append(dict(module.state_dict()))
    assert equal(*ends)
    assert callbacks[0].average.keys() == {
        name for name, _ in module.named_parameters() if name.startswith("generator.")
    }


def test_update_needs_a_step_that_changed_the_weights(tmp_path):
    history, ema = History(), GeneratorEMA(0.5, warmup=False)
    trainer(tmp_path, history, ema, max_epochs=2, accumulate_grad_batches=3).fit(ToyVAE(), loader())
    for name, average in ema.average.items():
        start, first, second = [history.steps[k][name] for k in (0, 3, 6)]
        assert torch.allclose(average, start / 4 + first / 4 + second / 2, atol=1e-6)


class Watch(Callback):
    """What stands in the module when."""

    def __init__(self):
        self.seen = {}

    def note(self, hook, pl_module):
        self.seen[hook] = dict(pl_module.state_dict())
        self.seen[hook] = {name: tensor.clone() for name, tensor in self.seen[hook].items()}

    def on_train_batch_end(self, trainer, pl_module, *rest):
        self.note("trained", pl_module)

    def on_validation_batch_end(self, trainer, pl_module, *rest):
        self.note("validated", pl_module)

    def on_train_epoch_end(self, trainer, pl_module):
        self.note("epoch end", pl_module)

    def on_test_batch_end(self, trainer, pl_module, *rest):
        self.note("tested", pl_module)

    def on_predict_batch_end(self, trainer, pl_module, *rest):
        self.note("predicted", pl_module)


def averaged_state(raw, ema):
    return raw | {name: tensor.to(raw[name].dtype) for name, tensor in ema.average.items()}


def test_validation_sees_the_average_and_the_checkpoint_the_weights(tmp_path):
    watch, ema = Watch(), GeneratorEMA(0.9)
    saver = ModelCheckpoint(tmp_path, filename="x", monitor="val/d_real")
    # Listed first, the saver still saves last.
    trainer(tmp_path, saver, ema, watch, enable_checkpointing=True).fit(ToyGAN(), loader(), loader())
    trained = watch.seen["trained"]
    assert equal(watch.seen["validated"], averaged_state(trained, ema))
    assert not equal(watch.seen["validated"], trained)
    assert equal(watch.seen["epoch end"], trained)
    checkpoint = torch.load(tmp_path / "x.ckpt", weights_only=True)
    assert equal(checkpoint["state_dict"], trained)


def fitted_checkpoint(tmp_path, module, ema, **options):
    saver = ModelCheckpoint(tmp_path, filename="x")
    trainer(tmp_path, ema, saver, enable_checkpointing=True, **options).fit(module, loader(), loader())
    return tmp_path / "x.ckpt"


def test_test_and_predict_from_a_checkpoint_see_the_average(tmp_path):
    ema = GeneratorEMA(0.9)
    path = fitted_checkpoint(tmp_path, ToyVAE(), ema)
    raw = torch.load(path, weights_only=True)["state_dict"]
    watch, module = Watch(), ToyVAE()
    fresh = trainer(tmp_path, GeneratorEMA(0.9), watch)
    fresh.test(module, loader(), ckpt_path=path, weights_only=True, verbose=False)
    assert equal(watch.seen["tested"], averaged_state(raw, ema))
    assert equal(dict(module.state_dict()), raw)
    fresh.predict(module, loader(), ckpt_path=path, weights_only=True)
    assert equal(watch.seen["predicted"], averaged_state(raw, ema))
    fresh.validate(module, loader(), ckpt_path=path, weights_only=True, verbose=False)
    assert equal(watch.seen["validated"], averaged_state(raw, ema))
    assert equal(dict(module.state_dict()), raw)


@pytest.mark.parametrize("options", [{}, {"every_n_steps": 2}])
def test_resumed_average_is_bitwise_that_of_the_unbroken_run(tmp_path, options):
    class Noiseless(ToyVAE):
        def training_step(self, batch, batch_idx):
            self.generator[3].eval()  # no dropout: random numbers are not this callback's business
            return torch.nn.functional.mse_loss(self.reconstruct(batch[0]), batch[0])

    def start():
        torch.manual_seed(0)
        return Noiseless(), GeneratorEMA(0.9, **options)

    module, unbroken = start()
    trainer(tmp_path, unbroken, max_epochs=4).fit(module, loader(), loader())
    module, half = start()
    path = fitted_checkpoint(tmp_path, module, half, max_epochs=2)
    resumed = GeneratorEMA(0.9, **options)
    # With a sanity check, which meets the loaded average before the training starts.
    again = trainer(tmp_path, resumed, max_epochs=4, num_sanity_val_steps=2)
    again.fit(Noiseless(), loader(), loader(), ckpt_path=path, weights_only=True)
    assert equal(resumed.average, unbroken.average)
    assert resumed.state_dict()["updates"] == unbroken.state_dict()["updates"]
    assert not equal(half.average, unbroken.average)


def test_averaged_weights_are_copied_from_a_checkpoint(tmp_path):
    ema = GeneratorEMA(0.9)
    path = fitted_checkpoint(tmp_path, ToyGAN(), ema)
    checkpoint = torch.load(path, weights_only=True)
    module = ToyGAN()
    module.load_state_dict(checkpoint["state_dict"])
    assert GeneratorEMA.load_averaged(module, checkpoint)
    assert equal(dict(module.state_dict()), averaged_state(checkpoint["state_dict"], ema))
    assert not GeneratorEMA.load_averaged(module, {"callbacks": {"ModelCheckpoint": {}}})
    assert not GeneratorEMA.load_averaged(module, {})
    with pytest.raises(UserError, match="other names or sizes"):
        GeneratorEMA.load_averaged(ToyVAE(), checkpoint)


def test_error_in_the_validation_leaves_the_weights_in_place(tmp_path):
    class Breaks(ToyGAN):
        def validation_step(self, batch, batch_idx):
            raise RuntimeError("boom")

    module, watch = Breaks(), Watch()
    with pytest.raises(RuntimeError, match="boom"):
        trainer(tmp_path, GeneratorEMA(0.9), watch).fit(module, loader(), loader())
    assert equal(dict(module.state_dict()), watch.seen["trained"])


def test_checkpoint_in_the_middle_of_a_validation_has_the_weights(tmp_path):
    class Saves(Callback):
        def on_validation_batch_end(self, trainer, pl_module, *rest):
            trainer.save_checkpoint(tmp_path / "mid.ckpt")

    watch = Watch()
    trainer(tmp_path, GeneratorEMA(0.9), watch, Saves()).fit(ToyGAN(), loader(), loader())
    checkpoint = torch.load(tmp_path / "mid.ckpt", weights_only=True)
    assert equal(checkpoint["state_dict"], watch.seen["trained"])
    assert not equal(watch.seen["trained"], watch.seen["validated"])


def test_drawings_show_the_average(tmp_path):
    logger, ema = ImageLogger(), GeneratorEMA(0.9)
    module = ToyVAE()
    fitted = trainer(tmp_path, SampleGrid(num=4), ema, logger=logger, max_epochs=2)
    fitted.fit(module, loader(), loader())
    with undisturbed(fitted, module):
        assert equal(weights(module), ema.average)
        with ema.averaged(module):  # inside one another they do not swap back and forth
            assert equal(weights(module), ema.average)
        assert equal(weights(module), ema.average)
    with undisturbed(trainer(tmp_path), module) as generator:
        raw_samples = module.sample(4, generator=generator)
    with undisturbed(fitted, module) as generator:
        averaged_samples = module.sample(4, generator=generator)
    from callbacks.base.grids import image_grid

    drawn = logger.pictures[-1][1]
    assert (drawn == image_grid(averaged_samples)).all()
    assert (drawn != image_grid(raw_samples)).any()


def test_average_of_half_precision_weights_is_kept_in_single(tmp_path):
    ema = GeneratorEMA(0.999, warmup=False)
    module = ToyVAE()
    trainer(tmp_path, ema, precision="bf16-true").fit(module, loader())
    assert {tensor.dtype for tensor in ema.average.values()} == {torch.float32}
    with ema.averaged(module):
        assert {tensor.dtype for tensor in weights(module).values()} == {torch.bfloat16}


def test_training_after_a_validation_alone(tmp_path):
    module, ema = ToyVAE(), GeneratorEMA(0.9)
    fitted = trainer(tmp_path, ema, max_epochs=1)
    fitted.fit(module, loader(), loader())
    fitted.validate(module, loader(), verbose=False)
    fitted.fit_loop.max_epochs = 2
    fitted.fit(module, loader(), loader())
    assert ema.state_dict()["updates"] == 6


def test_submodule_of_a_submodule_and_two_averages(tmp_path):
    slow, fast = GeneratorEMA(0.9, "generator.0"), GeneratorEMA(0.1, ["encoder"])
    path = tmp_path / "x.ckpt"
    fitted = trainer(tmp_path, slow, fast)
    fitted.fit(ToyVAE(), loader(), loader())
    fitted.save_checkpoint(path)
    assert slow.average.keys() == {"generator.0.weight", "generator.0.bias"}
    states = torch.load(path, weights_only=True)["callbacks"]
    assert states.keys() == {"GeneratorEMA['generator.0']", "GeneratorEMA['encoder']"}
    module = ToyVAE()
    assert GeneratorEMA.load_averaged(module, {"callbacks": states})
    assert equal(weights(module, "encoder"), fast.average)
    assert equal(weights(module, "generator.0"), slow.average)


def test_mistakes_are_named(tmp_path):
    message = "ToyVAE has no submodule 'critic'; it has: encoder, generator"
    with pytest.raises(UserError, match=message):
        trainer(tmp_path, GeneratorEMA(modules=["critic"])).fit(ToyVAE(), loader())
    for options in ({"decay": 1.0}, {"decay": -0.1}, {"every_n_steps": 0}):
        with pytest.raises(UserError, match="GeneratorEMA: "):
            GeneratorEMA(**options)
    path = fitted_checkpoint(tmp_path, ToyVAE(), GeneratorEMA())
    checkpoint = torch.load(path, weights_only=True)
    state = checkpoint["callbacks"]["GeneratorEMA['generator']"]
    state["average"].pop("generator.0.weight")
    torch.save(checkpoint, path)
    with pytest.raises(UserError, match="other names or sizes"):
        trainer(tmp_path, GeneratorEMA(), max_epochs=2).fit(ToyVAE(), loader(), ckpt_path=path, weights_only=True)


def test_an_agent_is_evaluated_by_the_average_and_acts_in_training_by_its_weights(tmp_path):
    """What it collects, and so what it learns, is what it is without the average."""

    class Acts(Callback):
        def on_train_batch_end(self, trainer, pl_module, *rest):
            self.trained = weights(pl_module, "network")

        def on_validation_batch_end(self, trainer, pl_module, *rest):
            self.evaluated = weights(pl_module, "network")

    ends = []
    for averages in ([], [EMA(0.5)]):
        pl.seed_everything(0, verbose=False)
        watch = Acts()
        agent = DQN(learning_starts=16, steps_per_iteration=16, updates_per_iteration=4, batch_size=8, hidden_dims=(8,))
        data = EnvironmentDataModule(num_envs=2, total_steps=64, steps_per_epoch=32, eval_episodes=1)
        trainer(tmp_path, *averages, watch, max_epochs=-1).fit(agent, data)
        ends.append(watch)
    assert equal(ends[0].trained, ends[1].trained)
    assert equal(ends[0].evaluated, ends[0].trained)
    assert equal(ends[1].evaluated, averages[0].average)
    assert not equal(ends[1].evaluated, ends[1].trained)


def test_a_module_without_the_submodule_is_named(tmp_path):
    with pytest.raises(UserError, match=r"^EMA: ToyGAN has no submodule 'network'; it has: generator, discriminator$"):
        trainer(tmp_path, EMA()).fit(ToyGAN(), loader())
