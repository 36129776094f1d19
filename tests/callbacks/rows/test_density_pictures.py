import numpy as np
import pytest
import torch

from callbacks import BoxPicture, RowPictures, RowReconstructions
from callbacks.base.grids import image_grid
from callbacks.rows.box_picture import box_figure, telling_samples
from callbacks.rows.row_reconstructions import SHOWN, reconstruction_figure
from datamodules import IrisDataModule, LandDataModule, RingDataModule, WrodlDataModule
from dlmodules import BoxDensity, NaiveBayes, StateAutoencoder
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, ToyVAE, trainer


def test_the_pictures_are_of_the_modules_rows(tmp_path):
    logger, module, data = ImageLogger(), NaiveBayes(), WrodlDataModule()
    trainer(tmp_path, RowPictures(num=6, columns=3, seed=4), logger=logger).fit(module, data)
    rows = module.sample_rows(6, generator=torch.Generator().manual_seed(4))
    ((name, picture, _),) = logger.pictures
    assert name == "row_pictures"
    assert (picture == image_grid(data.pictures(rows), 3, min_tile=128)).all()


def test_the_three_samples_tell_what_they_should():
    samples = torch.tensor([[0.0, 0.0], [5.0, 5.0], [1.1, 1.0], [3.0, 0.0], [9.0, 9.0]])
    on_land = torch.tensor([True, True, True, False, False])
    chosen = telling_samples(samples, torch.tensor([[1.0, 1.0], [9.0, 8.0]]), on_land)
    assert {letter: place.tolist() for letter, place in chosen.items()} == {
        "A": [3.0, 0.0],
        "B": [pytest.approx(1.1), 1.0],
        "C": [5.0, 5.0],
    }
    assert set(telling_samples(samples[:3], samples, on_land[:3])) == {"B", "C"}
    assert set(telling_samples(samples[3:], samples, on_land[3:])) == {"A"}


def test_longitude_goes_to_the_right_and_the_box_is_where_it_is():
    points, corners = torch.tensor([[10.0, -70.0], [50.0, 100.0]]), torch.tensor([[10.0, -70.0], [50.0, 100.0]])
    land = torch.zeros(360, 720, dtype=torch.bool)
    figure = box_figure(points, corners, land, {"A": torch.tensor([20.0, 30.0])})
    first, second, third = figure.axes
    assert first.lines[0].get_xdata().tolist() == [-70.0, 100.0]
    assert not first.patches
    assert second.patches[0].get_bbox().extents.tolist() == [-70.0, 10.0, 100.0, 50.0]
    assert third.lines[1].get_xdata() == [30.0]
    assert [text.get_text() for text in third.texts] == ["A"]
    assert np.asarray(third.images[0].get_extent()).tolist() == [-180, 180, -90, 90]


def test_the_box_is_drawn_when_the_training_ends(tmp_path):
    logger = ImageLogger()
    trainer(tmp_path, BoxPicture(), logger=logger).fit(BoxDensity(), LandDataModule())
    assert [name for name, _, _ in logger.pictures] == ["box"]


def test_points_stand_beside_their_reconstructions(tmp_path):
    logger = ImageLogger()
    trainer(tmp_path, RowReconstructions(num=20), logger=logger).fit(
        StateAutoencoder(latent_dim=1, hidden_dims=(4,)), RingDataModule()
    )
    assert [name for name, _, _ in logger.pictures] == ["row_reconstructions"]
    x = torch.rand(SHOWN + 10, 2)
    lines = reconstruction_figure(x, x + 1).axes[0].lines
    assert len(lines) == SHOWN + 2
    assert lines[0].get_xydata().tolist() == [x[0].tolist(), (x[0] + 1).tolist()]
    assert torch.equal(torch.as_tensor(lines[-2].get_xydata()), x)
    assert torch.equal(torch.as_tensor(lines[-1].get_xydata()), x + 1)


@pytest.mark.parametrize(
    ("callback", "module", "data", "message"),
    [
        (
            RowReconstructions(),
            StateAutoencoder((3,)),
            RingDataModule(),
            r"of two numbers; StateAutoencoder has .* \[3\]",
        ),
        (RowReconstructions(), NaiveBayes(), RingDataModule(), "a method `reconstruct`; NaiveBayes has none"),
        (RowPictures(), ToyVAE(), WrodlDataModule(), "a method `sample_rows`; ToyVAE has none"),
        (RowPictures(), BoxDensity(), IrisDataModule(), "turns rows into images, by a method `pictures`"),
        (BoxPicture(), NaiveBayes(), LandDataModule(), "NaiveBayes has none"),
        (BoxPicture(), BoxDensity(3), LandDataModule(), "a box of two sides"),
        (BoxPicture(), BoxDensity(), IrisDataModule(), "a data module with a map"),
    ],
)
def test_others_are_refused(callback, module, data, message, tmp_path):
    with pytest.raises(UserError, match=message):
        trainer(tmp_path, callback).fit(module, data)


def test_numbers_below_one_are_refused():
    with pytest.raises(UserError, match="num and columns must be 1 or more"):
        RowPictures(num=0)
