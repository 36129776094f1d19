import warnings

import pytest
import torch
from pytorch_lightning import LightningModule

from callbacks.base.names import class_names
from callbacks.classifiers.predictions import PredictionPlottingCallback, require_classifier
from datamodules import DigitsDataModule
from dlmodules import MLPClassifier
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ToyGAN, ToyVAE, random_states, trainer
from tests.callbacks.classifier_toys import Named, Reader, batches, read_as


class Recorded(PredictionPlottingCallback):
    def __init__(self, **options):
        super().__init__(**options)
        self.drawn = []

    def begin(self, trainer, pl_module):
        self.taken = []

    def collect(self, x, y, probabilities):
        self.taken.append((x, y, probabilities))

    def plot(self, trainer, pl_module):
        x, y, probabilities = (torch.cat(part) for part in zip(*self.taken, strict=True))
        self.drawn.append((self.prefix, trainer.global_step, x, y, probabilities))


DATA = batches(read_as([0, 1, 2, 1, 0]), [0, 1, 2, 0, 0])


def test_it_sees_every_prediction_and_the_network_runs_once(tmp_path):
    module, recorded = Reader(), Recorded()
    trainer(tmp_path, recorded, num_sanity_val_steps=2).fit(module, DATA, DATA)
    ((prefix, step, x, y, probabilities),) = recorded.drawn
    assert (prefix, step) == ("", 3)
    assert torch.equal(x, DATA.dataset.tensors[0])
    assert y.tolist() == [0, 1, 2, 0, 0]
    assert torch.equal(probabilities, (10 * x.flatten(1)[:, :3]).softmax(1))
    assert module.calls == 2 + 3 + 3  # the sanity check, the training and the validation
    assert not module._forward_hooks


@pytest.mark.parametrize(("every", "steps"), [(1, [3, 6, 9, 12]), (2, [6, 12]), (3, [9, 12]), (9, [12])])
def test_when_it_draws(tmp_path, every, steps):
    recorded = Recorded(every_n_epochs=every)
    trainer(tmp_path, recorded, max_epochs=4).fit(Reader(), DATA, DATA)
    assert [step for _, step, *_ in recorded.drawn] == steps


def test_a_validation_is_drawn_once(tmp_path):
    recorded = Recorded()
    trainer(tmp_path, recorded, max_epochs=4, check_val_every_n_epoch=2).fit(Reader(), DATA, DATA)
    assert [step for _, step, *_ in recorded.drawn] == [6, 12]


def test_validate_and_test_draw_their_own_set(tmp_path):
    recorded, module = Recorded(), Reader()
    runs = trainer(tmp_path, recorded)
    other = batches(read_as([2, 2]), [2, 1])
    runs.test(module, other, verbose=False)
    runs.validate(module, DATA, verbose=False)
    assert [(prefix, len(y)) for prefix, _, _, y, _ in recorded.drawn] == [("test/", 2), ("", 5)]


def test_logits_that_the_step_hides_are_computed(tmp_path):
    class Hidden(Reader):
        def validation_step(self, batch, batch_idx):
            self.scale * batch[0].sum()

    recorded = Recorded()
    trainer(tmp_path, recorded).fit(Hidden(), DATA, DATA)
    assert recorded.drawn[0][-1].argmax(1).tolist() == [0, 1, 2, 1, 0]


def test_probabilities_that_the_step_returns_are_taken_and_its_logits_are_not(tmp_path):
    class Returns(Reader):
        def __init__(self, returned):
            super().__init__()
            self.returned = returned

        def validation_step(self, batch, batch_idx):
            return self.returned(self(batch[0]))

    for returned in (lambda logits: logits, lambda logits: logits.sum(), lambda logits: {"logits": logits}):
        recorded = Recorded()
        trainer(tmp_path, recorded).fit(Returns(returned), DATA, DATA)
        assert torch.allclose(recorded.drawn[0][-1].sum(1), torch.ones(5))
        assert recorded.drawn[0][-1].argmax(1).tolist() == [0, 1, 2, 1, 0]
    recorded = Recorded()
    trainer(tmp_path, recorded).fit(Returns(lambda logits: logits / 20), DATA, DATA)  # such as lengths of capsules
    assert recorded.drawn[0][-1].max(1).values.tolist() == [0.5] * 5


def test_a_module_may_say_what_its_logits_mean(tmp_path):
    class Halved(Reader):
        def probabilities(self, logits):
            return logits / 20

    recorded = Recorded()
    trainer(tmp_path, recorded).fit(Halved(), DATA, DATA)
    assert recorded.drawn[0][-1].max(1).values.tolist() == [0.5] * 5


def test_what_the_step_feeds_the_network_is_what_counts(tmp_path):
    class Flipped(Reader):
        def validation_step(self, batch, batch_idx):
            self(batch[0])
            self(-batch[0])  # the last word

    recorded = Recorded()
    trainer(tmp_path, recorded).fit(Flipped(), DATA, DATA)
    assert recorded.drawn[0][-1].argmin(1).tolist() == [0, 1, 2, 1, 0]


def test_batches_without_a_forward_are_not_given_those_of_the_batch_before(tmp_path):
    class Every2nd(Reader):
        def validation_step(self, batch, batch_idx):
            if batch_idx % 2 == 0:
                self(batch[0])

    recorded = Recorded()
    data = batches(read_as([0, 1, 2, 1, 0, 2]), [0] * 6)
    trainer(tmp_path, recorded).fit(Every2nd(), data, data)
    assert recorded.drawn[0][-1].argmax(1).tolist() == [0, 1, 2, 1, 0, 2]


def test_a_module_may_have_nothing_to_say_in_the_sanity_check(tmp_path):
    """As an estimator that is fitted on the first epoch."""

    class Late(Reader):
        def forward(self, x):
            if self.trainer.sanity_checking:
                raise UserError("not fitted yet")
            return super().forward(x)

        def validation_step(self, batch, batch_idx):
            pass

    recorded = Recorded()
    trainer(tmp_path, recorded, num_sanity_val_steps=1).fit(Late(), DATA, DATA)
    assert len(recorded.drawn) == 1


def test_only_the_first_of_several_loaders_counts(tmp_path):
    class Two(Reader):
        def validation_step(self, batch, batch_idx, dataloader_idx=0):
            self(batch[0])

    recorded = Recorded()
    trainer(tmp_path, recorded).fit(Two(), DATA, [DATA, batches(read_as([1]), [1])])
    assert len(recorded.drawn[0][3]) == 5


def test_inputs_need_not_be_images(tmp_path):
    recorded = Recorded()
    table = batches(torch.tensor([[0.9, 0.1, 0.0], [0.0, 0.2, 0.1]]), [0, 1])
    trainer(tmp_path, recorded, precision="bf16-true").fit(Reader(), table, table)
    assert recorded.drawn[0][-1].dtype == torch.float32
    assert recorded.drawn[0][-1].argmax(1).tolist() == [0, 1]


def test_training_is_the_same_with_and_without_it(tmp_path):
    ends = []
    for callbacks in ([], [Recorded()]):
        torch.manual_seed(0)
        module = MLPClassifier(hidden_dims=(16,))
        data = DigitsDataModule(batch_size=64, limit_train=128)
        trainer(tmp_path, *callbacks, max_epochs=2).fit(module, data)
        ends.append((module.network.head.weight.tolist(), random_states()))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("module", [ToyVAE(), ToyGAN(), LightningModule()], ids=lambda module: type(module).__name__)
def test_a_module_that_is_no_classifier_is_refused(tmp_path, module):
    with pytest.raises(UserError, match=f"Recorded needs a classifier, .*; {type(module).__name__} is none"):
        Recorded().setup(trainer(tmp_path), module, "fit")


def test_a_module_with_classes_and_no_forward_is_refused(tmp_path):
    module = ToyVAE()
    module.num_classes = 3
    with pytest.raises(UserError, match="ToyVAE is none"):
        require_classifier(Recorded(), module)


def test_logits_of_another_shape_are_refused_before_the_training(tmp_path):
    class Odd(Reader):
        def forward(self, x):
            return (x.flatten(1), x)

        def validation_step(self, batch, batch_idx):
            self(batch[0])

    with pytest.raises(UserError, match=r"logits \(2, 3\) for a batch of 2; the forward of Odd gives tuple"):
        trainer(tmp_path, Recorded(), num_sanity_val_steps=1).fit(Odd(), DATA, DATA)

    class One(Odd):
        def forward(self, x):
            return x.flatten(1)[:, :1]

    module = One()
    with pytest.raises(UserError, match=r"the forward of One gives \(2, 1\)"):
        trainer(tmp_path, Recorded(), num_sanity_val_steps=1).fit(module, DATA, DATA)
    assert not module._forward_hooks


@pytest.mark.parametrize("labels", [torch.rand(2), torch.zeros(2, 3, dtype=torch.long), None])
def test_batches_without_class_labels_are_refused(labels):
    with pytest.raises(UserError, match=r"needs batches \(x, y\) with class labels"):
        Recorded().inputs_and_labels((torch.rand(2, 1, 4, 4), labels))
    with pytest.raises(UserError, match=r"needs batches \(x, y\)"):
        Recorded().inputs_and_labels(torch.rand(2, 1, 4, 4))


def test_without_validation_images_it_says_so_once(tmp_path):
    recorded = Recorded()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            trainer(tmp_path, recorded).fit(MLPClassifier(), DigitsDataModule(val_size=0, limit_train=128))
    said = [warning for warning in caught if "plotted nothing: there was no validation data" in str(warning.message)]
    assert len(said) == 1
    assert recorded.drawn == []


def test_a_fast_dev_run_draws_nothing(tmp_path):
    recorded = Recorded()
    trainer(tmp_path, recorded, fast_dev_run=True).fit(Reader(), DATA, DATA)
    assert recorded.drawn == []


def test_names_of_the_classes(tmp_path):
    runs = trainer(tmp_path)
    assert class_names(runs, 3) == ["0", "1", "2"]
    runs.fit(Reader(), datamodule=Named(DATA))
    assert class_names(runs, 3) == ["cat", "dog", "bird"]
    assert class_names(runs, 2) == ["cat", "dog"]
    assert class_names(runs, 4) == ["0", "1", "2", "3"]


def test_hooks_of_a_failed_run_are_gone(tmp_path):
    class Fails(Reader):
        def validation_step(self, batch, batch_idx):
            raise RuntimeError("boom")

    module = Fails()
    with pytest.raises(RuntimeError, match="boom"):
        trainer(tmp_path, Recorded()).fit(module, DATA, DATA)
    assert not module._forward_hooks
