import pytest
import torch

from datamodules import LandDataModule, PlanetPixelDataModule, WrodlDataModule
from datamodules.images.cartoon_faces import ATTRIBUTES, draw_faces
from datamodules.images.planet_pixel import in_palette
from datamodules.tables.land import OUTLINES
from datamodules.tables.wrodl import FIRST_ROWS, FREQUENCIES, NEVER, TWICE, drawn_rows, fifty_rows, indices
from dlmodules.errors import UserError


def test_the_fifty_rows_have_the_frequencies_of_the_book():
    rows = fifty_rows()
    assert rows.shape == (50, 5)
    for column, expected in enumerate(FREQUENCIES):
        assert tuple(torch.bincount(rows[:, column], minlength=len(expected)).tolist()) == expected
    assert [len(values) for values in ATTRIBUTES.values()] == [7, 6, 3, 4, 8]
    assert [tuple(row) for row in rows[:10].tolist()] == [indices(row) for row in FIRST_ROWS]
    found = [tuple(row) for row in rows.tolist()]
    assert (found.count(indices(TWICE)), found.count(indices(NEVER))) == (2, 0)
    assert torch.equal(fifty_rows(), rows)


def test_held_out_faces_follow_the_frequencies():
    rows = drawn_rows(20_000, 7)
    for column, expected in enumerate(FREQUENCIES):
        shares = torch.bincount(rows[:, column], minlength=len(expected)) / len(rows)
        assert shares.tolist() == pytest.approx([n / 50 for n in expected], abs=0.012)
    data = WrodlDataModule(num_held_out=30)
    data.setup("fit")
    data.setup("test")
    assert (len(data.train_set), len(data.val_set), len(data.test_set)) == (50, 30, 30)
    assert not torch.equal(data.val_set.x, data.test_set.x)
    x, y = next(iter(data.train_dataloader()))
    assert (x.dtype, x.shape, y.shape) == (torch.int64, (10, 5), (10,))
    assert data.sizes == (7, 6, 3, 4, 8)
    with pytest.raises(UserError, match="num_held_out"):
        WrodlDataModule(num_held_out=-1)
    with pytest.raises(UserError, match="hairColor has no Green"):
        indices("NoHair Green Blank Overall White")


def test_each_attribute_changes_the_face():
    """A face of medium hair with each category of a column: all differ, but for the hair's colour where none is."""
    base = list(indices("LongHairCurly Brown Blank Hoodie Red"))
    for column, values in enumerate(ATTRIBUTES.values()):
        rows = torch.tensor([[*base[:column], value, *base[column + 1 :]] for value in range(len(values))])
        faces = draw_faces(rows, 32)
        assert faces.dtype == torch.uint8
        assert len(torch.unique(faces, dim=0)) == len(values)
    bald = draw_faces(torch.tensor([indices(f"NoHair {color} Blank Hoodie Red") for color in ("Black", "Red")]))
    assert torch.equal(bald[0], bald[1])


def test_faces_are_drawn_in_the_order_of_their_rows():
    rows = fifty_rows()
    faces = draw_faces(rows, 16)
    assert faces.shape == (50, 3, 16, 16)
    assert torch.equal(faces[7:8], draw_faces(rows[7:8], 16))
    assert draw_faces(rows[:0], 16).shape == (0, 3, 16, 16)
    pictures = WrodlDataModule().pictures(rows[:2])
    assert pictures.shape == (2, 3, 64, 64)
    assert 0.0 <= pictures.min() < pictures.max() <= 1.0
    with pytest.raises(UserError, match="5 categories"):
        draw_faces(torch.tensor([[7, 0, 0, 0, 0]]))


def test_the_pictures_are_of_256_colours():
    data = PlanetPixelDataModule(num_images=50)
    images, labels = data.load(train=True)
    assert (images.shape, images.dtype) == ((50, 3, 32, 32), torch.uint8)
    assert set(images[:, 2].unique().tolist()) <= {0, 85, 170, 255}
    assert set(images[:, :2].unique().tolist()) <= {0, 36, 73, 109, 146, 182, 219, 255}
    assert torch.equal(in_palette(images), images)
    assert set(labels.tolist()) == {0, 1, 2}
    dark = [images[labels == label][:, :, 13:15, 10:22].float().mean().item() for label in range(3)]
    assert dark[2] < dark[1] < dark[0]  # sunglasses, round glasses, none
    data.setup("fit")
    data.setup("test")
    assert (len(data.train_set), len(data.val_set), len(data.test_set)) == (45, 5, 10)
    assert torch.equal(data.load(train=False)[0], PlanetPixelDataModule(num_images=50, seed=5).load(train=False)[0])
    for argument in ({"num_images": 4}, {"image_size": 15}):
        with pytest.raises(UserError, match=next(iter(argument))):
            PlanetPixelDataModule(**argument)


def test_all_points_lie_on_land():
    data = LandDataModule()
    data.setup("fit")
    data.setup("test")
    sets = (data.train_set, data.val_set, data.test_set)
    assert [len(rows) for rows in sets] == [256, 64, 80]
    assert all(data.is_land(rows.x).all() for rows in sets)
    # New York, Moscow and Sydney's hinterland; the Atlantic, the Pacific and the Indian Ocean.
    places = torch.tensor([[40.7306, -73.9352], [55.7, 37.6], [-33, 147], [30, -40], [0, -140], [-20, 80]])
    assert data.is_land(places).tolist() == [True] * 3 + [False] * 3
    with pytest.raises(UserError, match="num_points"):
        LandDataModule(num_points=0)


def test_the_points_are_uniform_over_the_map():
    data = LandDataModule(num_points=20_000)
    x = torch.from_numpy(data.load()[0])
    where = data.land.nonzero().double()
    assert x.mean(dim=0).tolist() == pytest.approx(
        [90 - (where[:, 0].mean().item() + 0.5) / 2, -180 + (where[:, 1].mean().item() + 0.5) / 2], abs=2
    )
    assert (x[:, 0] % 0.5).mean().item() == pytest.approx(0.25, abs=0.01)  # anywhere in a cell of half a degree
    assert all(
        -60 < latitude < 90 and abs(longitude) < 180 for line in OUTLINES.values() for latitude, longitude in line
    )
