import math

import numpy as np
import pytest
import torch

from callbacks import CodeHistograms, Interpolations, Traversals
from callbacks.base.grids import image_grid
from callbacks.latents.latent_walks import histogram_figure, lerp, slerp
from dlmodules import CVAE
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, ToyVAE, loader, trainer


def test_the_straight_way():
    a, b = torch.tensor([[0.0, 2.0]]), torch.tensor([[4.0, 0.0]])
    assert lerp(a, b, 0.0).tolist() == a.tolist()
    assert lerp(a, b, 0.25).tolist() == [[1.0, 1.5]]
    assert lerp(a, b, 1.0).tolist() == b.tolist()


def test_the_great_circle_by_hand():
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    half = math.sqrt(0.5) * 2  # 45 degrees, length 2
    torch.testing.assert_close(slerp(a, b, 0.5), torch.tensor([[half, half]]))
    torch.testing.assert_close(slerp(a, b, 0.0), a)
    torch.testing.assert_close(slerp(a, b, 1.0), b)
    third = math.radians(30)
    torch.testing.assert_close(slerp(a, 1.0 * b / 3, 1 / 3), torch.tensor([[math.cos(third), math.sin(third)]]))


def test_codes_that_point_the_same_or_opposite_ways_take_the_straight_way():
    a = torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    b = torch.tensor([[3.0, 3.0], [-1.0, -1.0], [2.0, 0.0]])
    torch.testing.assert_close(slerp(a, b, 0.5), torch.tensor([[2.0, 2.0], [0.0, 0.0], [1.0, 0.0]]))


class Flat(ToyVAE):
    """A code of the image's first two pixels; its image is the mean of the code everywhere."""

    def encode(self, x):
        return x.flatten(1)[:, :2]

    def decode(self, z):
        return z.mean(dim=1).view(-1, 1, 1, 1).expand(-1, *self.image_shape).clamp(0, 1)


def drawn(callback, module, tmp_path, data):
    logger = ImageLogger()
    trainer(tmp_path, callback, logger=logger).validate(module, data, verbose=False)
    ((name, picture, _),) = logger.pictures
    return name, picture


def test_rows_go_from_one_image_to_the_other(tmp_path):
    data = loader(seed=3)
    name, picture = drawn(Interpolations(pairs=2, steps=3), Flat(), tmp_path, data)
    assert name == "interpolations"
    levels = data.dataset.tensors[0].flatten(1)[:4, :2].mean(dim=1)
    a, b, c, d = levels.tolist()
    tiles = torch.tensor([a, (a + b) / 2, b, c, (c + d) / 2, d]).view(6, 1, 1, 1).expand(-1, 1, 8, 8)
    assert np.abs(picture.astype(int) - image_grid(tiles, 3)).max() <= 1


def test_one_dimension_walks_while_the_others_stay(tmp_path):
    data = loader(n=16, seed=3)
    data.dataset.tensors[0][:, 0, 0, 1] *= 0.5  # so the first dimension varies more
    name, picture = drawn(Traversals(steps=3, extent=1.0, max_points=16), Flat(), tmp_path, data)
    assert name == "traversals"
    codes = data.dataset.tensors[0].flatten(1)[:, :2]
    mean, deviation, first = codes.mean(0), codes.std(0, correction=0), codes[0]
    rows = []
    for dimension in (0, 1):
        for step in (-1, 0, 1):
            code = first.clone()
            code[dimension] = mean[dimension] + step * deviation[dimension]
            rows.append(code.mean())
    tiles = torch.stack(rows).view(6, 1, 1, 1).expand(-1, 1, 8, 8).clamp(0, 1)
    assert np.abs(picture.astype(int) - image_grid(tiles, 3, row_labels=["z0", "z1"])).max() <= 1


def test_histograms_of_each_number_of_the_code(tmp_path):
    name, _ = drawn(CodeHistograms(), Flat(), tmp_path, loader())
    assert name == "code_histograms"
    figure = histogram_figure(torch.randn(500, 12))
    assert [axes.get_title() for axes in figure.axes if axes.axison] == [f"z{d}" for d in range(12)]
    bars = figure.axes[0].patches
    assert sum(bar.get_width() * bar.get_height() for bar in bars) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("callback", [CodeHistograms(), Traversals()])
def test_images_are_encoded_in_parts(callback, tmp_path):
    class Counting(Flat):
        sizes: list = []  # noqa: RUF012

        def validation_step(self, batch, batch_idx):
            pass

        def encode(self, x):
            self.sizes.append(len(x))
            return super().encode(x)

    module = Counting()
    module.sizes.clear()
    drawn(callback, module, tmp_path, loader(n=600))
    assert module.sizes == [256, 256, 88]


@pytest.mark.parametrize("callback", [Interpolations(pairs=1), Traversals(dimensions=2), CodeHistograms()])
def test_a_conditional_module_is_told_the_classes(callback, tmp_path):
    module = CVAE((1, 8, 8), num_classes=3)
    name, _ = drawn(callback, module, tmp_path, loader())
    assert name in ("interpolations", "traversals", "code_histograms")


def test_arguments_out_of_range_are_refused():
    with pytest.raises(UserError, match="steps must be 2 or more"):
        Interpolations(steps=1)
    with pytest.raises(UserError, match="extent more than 0"):
        Traversals(extent=0)
    with pytest.raises(UserError, match="dimensions must be 1 or more"):
        CodeHistograms(dimensions=0)
