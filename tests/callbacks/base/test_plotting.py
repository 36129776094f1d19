from contextlib import contextmanager

import pytest
import torch
from pytorch_lightning import Callback
from torch.utils.data import DataLoader

from callbacks.base.batches import images_and_labels
from callbacks.base.conditions import cycled_labels
from callbacks.base.image_plotting import ImagePlottingCallback
from callbacks.base.inference import undisturbed
from callbacks.base.plotting import PlottingCallback
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ToyGAN, ToyVAE, loader, random_states, trainer


class Recorded(PlottingCallback):
    def __init__(self, **options):
        super().__init__(**options)
        self.drawn = []

    def plot(self, trainer, pl_module):
        self.drawn.append((trainer.current_epoch, trainer.global_step))


class RecordedImages(ImagePlottingCallback):
    def __init__(self, **options):
        super().__init__(**options)
        self.drawn = []

    def plot(self, trainer, pl_module):
        self.drawn.append((self.prefix, *self.images(pl_module)))


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, [3, 6, 9, 12, 15]),
        ({"every_n_epochs": 2}, [6, 12, 15]),  # and once more at the end
        ({"every_n_epochs": 9}, [15]),
        ({"every_n_steps": 4}, [4, 8, 12, 15]),
        ({"every_n_steps": 5}, [5, 10, 15]),
    ],
)
def test_when_it_draws(tmp_path, options, steps):
    recorded = Recorded(**options)
    trainer(tmp_path, recorded, max_epochs=5).fit(ToyVAE(), loader())
    assert [step for _, step in recorded.drawn] == steps


def test_steps_of_two_optimizers_are_not_missed(tmp_path):
    recorded = Recorded(every_n_steps=3)  # the global step goes 2, 4, 6, 8, 10, 12
    trainer(tmp_path, recorded, max_epochs=2).fit(ToyGAN(), loader())
    assert [step for _, step in recorded.drawn] == [4, 6, 10, 12]


def test_it_draws_nothing_in_a_fast_dev_run(tmp_path):
    recorded = Recorded()
    trainer(tmp_path, recorded, fast_dev_run=True).fit(ToyVAE(), loader())
    assert recorded.drawn == []


@pytest.mark.parametrize("options", [{"every_n_epochs": 0}, {"every_n_steps": 0}])
def test_impossible_cadence(options):
    with pytest.raises(UserError, match="must be 1 or more"):
        PlottingCallback(**options)


def test_undisturbed_restores_modes_random_numbers_and_gradients(tmp_path):
    module = ToyVAE()
    module.train()
    module.generator[1].eval()  # a frozen batch norm in a module that trains
    modes = [part.training for part in module.modules()]
    buffers = {name: tensor.clone() for name, tensor in module.named_buffers()}
    states = random_states()
    with undisturbed(trainer(tmp_path), module, seed=3) as generator:
        first = module.sample(4, generator=generator)
        assert not any(part.training for part in module.modules())
    assert random_states() == states
    assert [part.training for part in module.modules()] == modes
    assert torch.is_grad_enabled()
    assert all(torch.equal(tensor, buffers[name]) for name, tensor in module.named_buffers())
    torch.rand(7)
    with undisturbed(trainer(tmp_path), module, seed=3) as generator:
        assert torch.equal(module.sample(4, generator=generator), first)
    with undisturbed(trainer(tmp_path), module, seed=4) as generator:
        assert not torch.equal(module.sample(4, generator=generator), first)
        careless = torch.rand(3)
    torch.rand(7)
    with undisturbed(trainer(tmp_path), module, seed=4):
        torch.rand(3)  # as `sample` did
        assert torch.equal(torch.rand(3), careless)


def test_undisturbed_restores_the_mode_after_an_error(tmp_path):
    module = ToyVAE().train()
    with pytest.raises(RuntimeError, match="boom"), undisturbed(trainer(tmp_path), module):
        raise RuntimeError("boom")
    assert all(part.training for part in module.modules())


def test_undisturbed_uses_averaged_weights(tmp_path):
    class Average(Callback):
        @contextmanager
        def averaged(self, pl_module):
            pl_module.marked = True
            yield
            pl_module.marked = False

    module = ToyVAE()
    with undisturbed(trainer(tmp_path, Average()), module):
        assert module.marked
    assert not module.marked


def test_drawing_works_in_half_precision(tmp_path):
    class Sampled(PlottingCallback):
        def plot(self, trainer, pl_module):
            with undisturbed(trainer, pl_module) as generator:
                assert pl_module.sample(2, generator=generator).dtype == torch.bfloat16
            assert torch.get_default_dtype() == torch.float32

    trainer(tmp_path, Sampled(), precision="bf16-true").fit(ToyVAE(), loader())


class TestLabels:
    def test_plain_module_is_asked_for_nothing(self):
        assert cycled_labels(ToyVAE(), 4) is None

    def test_conditional_module_is_asked_for_every_class(self):
        module = ToyVAE()
        module.conditional, module.num_classes = True, 3
        assert cycled_labels(module, 7).tolist() == [0, 1, 2, 0, 1, 2, 0]
        assert cycled_labels(module, 3, [2]).tolist() == [2, 2, 2]
        assert cycled_labels(module, 2, [2, 0, 1]).tolist() == [2, 0]
        for wrong in ([3], [-1]):
            with pytest.raises(UserError, match=f"label {wrong[0]} for ToyVAE: give labels from 0 to 2"):
                cycled_labels(module, 4, wrong)
        with pytest.raises(UserError, match="empty"):
            cycled_labels(module, 4, [])

    def test_unconditional_module_takes_no_labels(self):
        module = ToyVAE()
        module.conditional = False
        with pytest.raises(UserError, match="takes no labels"):
            cycled_labels(module, 4, [1])


class TestBatches:
    def test_what_is_images_and_what_is_labels(self):
        x, y = torch.zeros(2, 1, 4, 4), torch.tensor([1, 0])
        assert images_and_labels(x)[1] is None
        assert images_and_labels([x, y])[1] is y
        assert images_and_labels((x, torch.zeros(2)))[1] is None
        attributes = torch.zeros(2, 3, dtype=torch.long)
        assert images_and_labels((x, attributes))[1] is attributes
        assert images_and_labels((x, torch.zeros(2, 3)))[1] is None

    @pytest.mark.parametrize("batch", [torch.zeros(2, 5), {"x": 1}, (), [torch.zeros(3)]])
    def test_anything_else_is_refused(self, batch):
        with pytest.raises(UserError, match=r"images \(B, C, H, W\)"):
            images_and_labels(batch)


class TestImages:
    def test_first_validation_images_stay_the_same(self, tmp_path):
        data = loader(seed=5)
        recorded = RecordedImages(num=10)
        trainer(tmp_path, recorded, max_epochs=2, num_sanity_val_steps=1).fit(ToyVAE(), loader(), data)
        x, y = data.dataset.tensors
        assert [prefix for prefix, *_ in recorded.drawn] == ["", ""]
        for _, images, labels in recorded.drawn:
            assert torch.allclose(images, x[:10], atol=1e-6)
            assert labels.tolist() == y[:10].tolist()

    def test_shuffled_validation_set_changes_no_images(self, tmp_path):
        recorded = RecordedImages(num=4)
        data = loader().dataset
        shuffled = DataLoader(data, 8, shuffle=True)
        trainer(tmp_path, recorded, max_epochs=3).fit(ToyVAE(), loader(), shuffled)
        first, second, third = [images for _, images, _ in recorded.drawn]
        assert torch.equal(first, second)
        assert torch.equal(first, third)

    def test_eight_bit_images_are_kept_in_eight_bits_and_others_as_they_are(self, tmp_path):
        recorded = RecordedImages(num=24)
        trainer(tmp_path, recorded).fit(ToyVAE(), loader(), loader())
        assert all(part.dtype == torch.uint8 for part in recorded._images)
        data = loader()
        data.dataset.tensors[0].normal_()
        recorded = RecordedImages(num=24)
        trainer(tmp_path, recorded).fit(ToyVAE(), loader(), data)
        assert torch.equal(recorded.drawn[-1][1], data.dataset.tensors[0])

    def test_validate_and_test_draw_their_own_images(self, tmp_path):
        recorded = RecordedImages(num=4)
        fitted = trainer(tmp_path, recorded)
        validation, test = loader(seed=1), loader(seed=2)
        module = ToyVAE()
        fitted.fit(module, loader(), validation)
        fitted.test(module, test, verbose=False)
        fitted.validate(module, validation, verbose=False)
        assert [prefix for prefix, *_ in recorded.drawn] == ["", "test/", ""]
        for (_, images, _), data in zip(recorded.drawn, (validation, test, validation), strict=True):
            assert torch.allclose(images, data.dataset.tensors[0][:4], atol=1e-6)

    def test_without_validation_it_says_so(self, tmp_path):
        recorded = RecordedImages(num=4)
        with pytest.warns(UserWarning, match="plotted nothing: there was no validation"):
            trainer(tmp_path, recorded).fit(ToyVAE(), loader())
        assert recorded.drawn == []
