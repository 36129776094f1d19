import numpy as np
import pytest
import torch
from pytorch_lightning import LightningModule

from callbacks import Reconstructions
from callbacks.base.grids import image_grid
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, ToyVAE, loader, trainer


class Negative(ToyVAE):
    """Its reconstruction is the negative, which needs no training to be known."""

    def reconstruct(self, x):
        assert not self.training
        return 1 - x


def test_each_row_of_inputs_stands_above_its_reconstructions(tmp_path):
    logger, data = ImageLogger(), loader(seed=7, channels=3)
    drawing = Reconstructions(num=5, columns=3)
    trainer(tmp_path, drawing, logger=logger).fit(Negative(channels=3), loader(channels=3), data)
    x = data.dataset.tensors[0][:5]
    white = torch.ones(1, 3, 8, 8)
    rows = torch.cat([x[:3], 1 - x[:3], x[3:], white, 1 - x[3:], white])
    expected = image_grid(rows, columns=3, row_labels=["input", "output", "input", "output"])
    ((name, picture, _),) = logger.pictures
    assert name == "reconstructions"
    assert (picture == expected).all()


def test_a_row_has_an_image():
    with pytest.raises(UserError, match="columns is 0; it must be 1 or more"):
        Reconstructions(columns=0)


def test_same_images_after_each_epoch_and_of_the_test_set(tmp_path):
    logger = ImageLogger()
    fitted = trainer(tmp_path, Reconstructions(num=4), logger=logger, max_epochs=2)
    module = Negative()
    fitted.fit(module, loader(), loader(seed=1))
    fitted.test(module, loader(seed=2), verbose=False)
    assert [name for name, *_ in logger.pictures] == ["reconstructions"] * 2 + ["test/reconstructions"]
    first, second, test = [picture for _, picture, _ in logger.pictures]
    assert (first == second).all()
    assert (first != test).any()


def test_training_is_the_same_with_and_without_it(tmp_path):
    ends = []
    for callbacks in ([], [Reconstructions(num=4, every_n_steps=1)]):
        torch.manual_seed(0)
        module = ToyVAE()
        trainer(tmp_path, *callbacks, max_epochs=2).fit(module, loader(), loader())
        ends.append(torch.cat([tensor.flatten().double() for tensor in module.state_dict().values()]))
    assert torch.equal(*ends)


def test_half_precision_module_is_drawn(tmp_path):
    logger = ImageLogger()
    trainer(tmp_path, Reconstructions(num=4), logger=logger, precision="bf16-true").fit(ToyVAE(), loader(), loader())
    assert logger.pictures[0][1].dtype == np.uint8


def test_module_without_reconstruct_is_refused(tmp_path):
    class Plain(LightningModule):
        pass

    with pytest.raises(UserError, match="a method `reconstruct`; Plain has none"):
        Reconstructions().setup(trainer(tmp_path), Plain(), "fit")
    with pytest.raises(UserError, match="at least 1 image"):
        Reconstructions(num=0)
