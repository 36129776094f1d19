import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.correlations import pixel_correlations
from benchmarks.data import ukiyoe
from benchmarks.programs.paintings import Recoloured, edge_correlation, edge_strength
from datamodules import TensorImageDataset


def test_edges_by_hand():
    steps = torch.zeros(1, 3, 5, 5)
    steps[:, :, :, 3:] = 1
    # Four times the step in both columns beside it, and nothing elsewhere.
    assert edge_strength(steps)[0].flatten().tolist() == pytest.approx([0, 4, 4] * 3)
    assert torch.allclose(edge_strength(steps.mT), edge_strength(steps).mT)
    green = steps * torch.tensor([0.0, 1.0, 0.0])[:, None, None]
    assert edge_strength(green)[0, 0].tolist() == pytest.approx([0, 4 * 0.587, 4 * 0.587])


def test_edges_correlate_whatever_the_colours():
    images = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert edge_correlation(images, images) == pytest.approx(1)
    assert edge_correlation(images, 1 - images / 2) == pytest.approx(1)
    assert abs(edge_correlation(images, images.roll(1, dims=0))) < 0.1
    # Without edges on one side a pair counts as 0; without any, it does not count.
    flat = torch.full_like(images[:4], 0.5)
    assert edge_correlation(images, torch.cat([images[:4], flat])) == pytest.approx(0.5)
    assert edge_correlation(torch.cat([images, flat]), torch.cat([images, flat])) == pytest.approx(1)


def test_light_that_becomes_dark_correlates_negatively():
    images = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert pixel_correlations(images, images / 2).tolist() == pytest.approx([1, 1, 1])
    assert pixel_correlations(images, 1 - images).tolist() == pytest.approx([-1, -1, -1])


def test_images_get_the_colours_of_others():
    draw = torch.Generator().manual_seed(0)
    images, others = (
        TensorImageDataset(
            torch.randint(*limits, (50, 3, 8, 8), generator=draw, dtype=torch.uint8), torch.zeros(50).long()
        )
        for limits in ((100, 200), (20, 60))
    )
    recoloured = Recoloured(images, others)(images.selected()[0] / 255)
    wanted = others.selected()[0] / 255
    assert torch.allclose(recoloured.mean(dim=(0, 2, 3)), wanted.mean(dim=(0, 2, 3)), atol=1e-5)
    assert torch.allclose(recoloured.std(dim=(0, 2, 3)), wanted.std(dim=(0, 2, 3)), atol=1e-5)


@pytest.mark.parametrize("size", [(400, 200), (200, 400)])
def test_the_last_quarter_of_a_print_is_for_the_test(size):
    ramp = np.arange(400, dtype=np.uint16) // 2
    pixels = np.broadcast_to(ramp.astype(np.uint8)[None], (200, 400))
    picture = Image.fromarray(np.repeat((pixels if size[0] == 400 else pixels.T)[..., None], 3, axis=2))
    assert picture.size == size
    parts = [np.array(ukiyoe.region(picture, test))[..., 0] for test in (False, True)]
    # Without two in a hundred pixels at each side.
    assert [(int(part.min()), int(part.max())) for part in parts] == [(8 // 2, 299 // 2), (300 // 2, 391 // 2)]
    assert [min(part.shape) for part in parts] == [192, 92]


def test_patches_come_from_each_picture_in_turn():
    pictures = [Image.new("RGB", (70, 64), colour) for colour in ("red", "blue", "white")]
    found = list(ukiyoe.patches(pictures, 5, 0))
    assert {patch.size for patch in found} == {(64, 64)}
    assert [patch.getpixel((0, 0)) for patch in found] == [
        *((255, 0, 0), (0, 0, 255), (255, 255, 255)),
        *((255, 0, 0), (0, 0, 255)),
    ]
