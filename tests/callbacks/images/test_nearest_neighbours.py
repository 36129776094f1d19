import numpy as np
import pytest
import torch
from pytorch_lightning import LightningModule

from callbacks import NearestNeighbours
from callbacks.base.grids import image_grid
from callbacks.images.nearest_neighbours import nearest
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, ToyGAN, ToyVAE, loader, trainer


def test_the_nearest_by_hand():
    others = [torch.tensor([[0.0, 0.0], [3.0, 3.0]]), torch.tensor([[5.0, 0.0], [0.0, 1.0]])]
    query = torch.zeros(1, 2)
    # Sums of differences: 0, 6, 5, 1; Euclidean: 0, 4.2, 5, 1.
    assert nearest(query, others, 3, p=1.0).tolist() == [[0, 3, 2]]
    assert nearest(query, others, 3, p=2.0).tolist() == [[0, 3, 1]]
    assert nearest(query, others, 9, p=2.0, own=torch.tensor([0])).tolist() == [[3, 1, 2]]


def test_bytes_stand_for_values_up_to_one():
    others = [torch.tensor([[0], [128], [255]], dtype=torch.uint8)]
    assert nearest(torch.tensor([[0.9], [0.4]]), others, 1, p=1.0).tolist() == [[2], [1]]


class First(ToyVAE):
    """The code is the first pixel alone."""

    def encode(self, x):
        return x.flatten(1)[:, :1]


def test_rows_show_the_nearest_by_code_and_by_pixel(tmp_path):
    data, logger = loader(n=16, seed=3), ImageLogger()
    drawing = NearestNeighbours(examples=3, neighbours=2)
    module = First()
    module.validation_step = lambda batch, batch_idx: None
    trainer(tmp_path, drawing, logger=logger).validate(module, data, verbose=False)
    ((name, picture, _),) = logger.pictures
    assert name == "neighbours"
    images = data.dataset.tensors[0]
    rows = []
    for query in range(3):
        others = [index for index in range(16) if index != query]
        code = sorted(others, key=lambda index: abs(images[index, 0, 0, 0] - images[query, 0, 0, 0]))[:2]
        pixel = sorted(others, key=lambda index: (images[index] - images[query]).abs().sum())[:2]
        white = torch.ones(1, 8, 8)
        rows += [images[query], white, *images[code], white, *images[pixel]]
    assert np.array_equal(picture, image_grid(torch.stack(rows), 7))


class Copies(ToyGAN):
    """A generator that learned two training images by heart."""

    def sample(self, n, labels=None, generator=None):
        return self.known[[21, 2]].clone()


def test_a_copy_of_a_training_image_shows(tmp_path):
    data, logger = loader(), ImageLogger()
    module = Copies()
    module.known = data.dataset.tensors[0]
    drawing = NearestNeighbours(examples=2, neighbours=1)
    trainer(tmp_path, drawing, logger=logger).fit(module, data)  # no validation is needed
    ((name, picture, _),) = logger.pictures
    assert name == "sample_neighbours"
    a, b, white = module.known[21], module.known[2], torch.ones(1, 8, 8)
    assert np.array_equal(picture, image_grid(torch.stack([a, white, a, b, white, b]), 3))
    assert sum(len(part) for part in drawing._train) == 24
    assert drawing._train[0].dtype == torch.uint8


def test_only_so_many_training_images_are_kept(tmp_path):
    drawing, logger = NearestNeighbours(max_train=10), ImageLogger()
    trainer(tmp_path, drawing, logger=logger, max_epochs=2).fit(ToyVAE(), loader(), loader(seed=1))
    assert [len(part) for part in drawing._train] == [8, 2]
    assert [name for name, *_ in logger.pictures] == ["neighbours", "sample_neighbours"] * 2


def test_training_is_the_same_with_and_without_it(tmp_path):
    ends = []
    for callbacks in ([], [NearestNeighbours(every_n_steps=2)]):
        torch.manual_seed(0)
        module = ToyVAE()
        trainer(tmp_path, *callbacks).fit(module, loader(), loader())
        ends.append(torch.cat([tensor.flatten().double() for tensor in module.state_dict().values()]))
    assert torch.equal(*ends)


def test_mistakes_are_named(tmp_path):
    class Plain(LightningModule):
        pass

    with pytest.raises(UserError, match="a method `encode` or `sample`; Plain has none"):
        NearestNeighbours().setup(trainer(tmp_path), Plain(), "fit")
    with pytest.raises(UserError, match="neighbours must be 1 or more"):
        NearestNeighbours(neighbours=0)
