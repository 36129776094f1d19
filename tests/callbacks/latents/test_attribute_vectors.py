import numpy as np
import pytest
import torch
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader, TensorDataset

from callbacks import AttributeVectors
from callbacks.base.grids import image_grid
from callbacks.latents.attribute_file import read_attribute_file
from callbacks.latents.attributes import attribute_table, attribute_vectors
from dlmodules.errors import UserError
from tests.callbacks.callback_toys import ImageLogger, ToyVAE, trainer


class Flat(ToyVAE):
    """A code of the image's first two pixels; in its image the left half is the first, the right half the second."""

    def encode(self, x):
        return x.flatten(1)[:, :2]

    def decode(self, z):
        return z.clamp(0, 1).view(-1, 1, 1, 2).repeat_interleave(4, dim=3).expand(-1, 1, 8, 8)


class Faces(LightningDataModule):
    """Images of these codes, with labels."""

    attribute_names = ("Hat", "Beard")

    def __init__(self, codes, labels):
        super().__init__()
        images = torch.zeros(len(codes), 1, 8, 8)
        images[:, 0, 0, :2] = codes
        self.data = TensorDataset(images, labels)

    def val_dataloader(self):
        return DataLoader(self.data, 3)

    test_dataloader = val_dataloader


CODES = torch.tensor([[0.5, 0.5], [0.0, 0.2], [0.4, 0.4], [0.2, 0.6], [0.6, 0.8]])
ATTRIBUTES = torch.tensor([[1, 1], [0, 0], [1, 0], [0, 1], [1, 1]])


def test_the_difference_of_means_by_hand():
    codes = torch.tensor([[1.0, 0.0], [3.0, 2.0], [0.0, 4.0]])
    table = torch.tensor([[True, False], [True, True], [False, False]])
    expected = torch.tensor([[2.0 - 0.0, 1.0 - 4.0], [3.0 - 0.5, 2.0 - 2.0]])
    torch.testing.assert_close(attribute_vectors(codes, table), expected)


def test_least_squares_tells_apart_what_comes_together():
    table = torch.tensor([[0, 0], [0, 0], [1, 1], [1, 1], [1, 0]], dtype=torch.bool)
    own = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    codes = table.float() @ own + torch.tensor([5.0, 5.0])
    torch.testing.assert_close(attribute_vectors(codes, table, "least_squares"), own)
    mixed = torch.tensor([[2.0, 2.0], [2.0 - 2 / 3, 3.0]])  # the hat's vector holds two thirds of a beard
    torch.testing.assert_close(attribute_vectors(codes, table), mixed)


@pytest.mark.parametrize("method", ["difference", "least_squares"])
def test_an_attribute_of_all_images_or_of_none_has_no_vector(method):
    table = torch.tensor([[1, 0, 0], [1, 1, 0], [1, 0, 0]], dtype=torch.bool)
    vectors = attribute_vectors(torch.tensor([[0.0], [4.0], [2.0]]), table, method)
    assert vectors[[0, 2]].isnan().all()
    torch.testing.assert_close(vectors[1], torch.tensor([3.0]))


def test_attributes_that_are_the_same_share_their_effect():
    table = torch.tensor([[0, 0], [1, 1], [0, 0], [1, 1]], dtype=torch.bool)
    vectors = attribute_vectors(table[:, :1].float() * 6, table, "least_squares")
    torch.testing.assert_close(vectors, torch.tensor([[3.0], [3.0]]))


def test_the_file_and_the_picture_by_hand(tmp_path):
    logger = ImageLogger()
    drawing = AttributeVectors(examples=1, strengths=(-1, 0, 1))
    trainer(tmp_path, drawing, logger=logger).validate(Flat(), Faces(CODES, ATTRIBUTES), verbose=False)
    ((name, picture, _),) = logger.pictures
    assert name == "attribute_arithmetic"
    # Of the last four images: with a hat (0.5, 0.6), without (0.1, 0.4); with a beard (0.4, 0.7), without (0.2, 0.3).
    hat, beard = torch.tensor([0.4, 0.2]), torch.tensor([0.2, 0.4])
    first = CODES[0]
    tiles = torch.stack([first - hat, first, first + hat, first - beard, first, first + beard])
    expected = image_grid(Flat().decode(tiles), 3, row_labels=["Hat", "Beard"])
    assert np.abs(picture.astype(int) - expected).max() <= 1
    found = read_attribute_file(tmp_path / "val_attribute_vectors.npz")
    assert found.names == ("Hat", "Beard")
    assert found.vectors == pytest.approx(np.stack([hat, beard]), abs=1e-6)
    assert found.mean == pytest.approx([0.3, 0.5])
    assert found.std == pytest.approx(CODES[1:].std(dim=0, correction=0).numpy())


def test_validate_and_test_leave_the_file_of_the_training(tmp_path):
    class Trained(Flat):
        def training_step(self, batch, batch_idx):
            return 0 * sum(parameter.sum() for parameter in self.parameters())

    data, other = Faces(CODES, ATTRIBUTES), Faces(CODES.flip(0), ATTRIBUTES)
    fitted = trainer(tmp_path, AttributeVectors(examples=1))
    fitted.fit(Trained(), data.val_dataloader(), data.val_dataloader())
    written = (tmp_path / "attribute_vectors.npz").read_bytes()
    fitted.validate(Trained(), other.val_dataloader(), verbose=False)
    fitted.test(Trained(), other.val_dataloader(), verbose=False)
    assert (tmp_path / "attribute_vectors.npz").read_bytes() == written
    found = [read_attribute_file(tmp_path / f"{name}_attribute_vectors.npz").mean for name in ("val", "test")]
    assert found[0] == pytest.approx(found[1])
    assert sorted(path.name for path in tmp_path.glob("*.npz*")) == [
        "attribute_vectors.npz",
        "test_attribute_vectors.npz",
        "val_attribute_vectors.npz",
    ]


def test_images_stand_side_by_side_with_a_gap(tmp_path):
    logger = ImageLogger()
    drawing = AttributeVectors(examples=2, strengths=(0.0, 1.0), attributes=["Beard"], max_points=3)
    trainer(tmp_path, drawing, logger=logger).validate(Flat(), Faces(CODES, ATTRIBUTES), verbose=False)
    picture = logger.pictures[0][1]
    beard = CODES[[3, 4]].mean(0) - CODES[2]
    tiles = torch.stack([CODES[0], CODES[0] + beard, torch.ones(2), CODES[1], CODES[1] + beard])
    expected = image_grid(Flat().decode(tiles), 5, row_labels=["Beard"])
    assert np.abs(picture.astype(int) - expected).max() <= 1


def test_each_class_is_an_attribute(tmp_path):
    classes = torch.tensor([0, 0, 2, 2, 0])
    names, table = attribute_table(trainer(tmp_path), classes)
    assert names == ["0", "1", "2"]
    assert table.int().tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 1], [1, 0, 0]]
    drawing = AttributeVectors(examples=1, method="least_squares")
    trainer(tmp_path, drawing).test(Flat(), Faces(CODES, classes), verbose=False)
    found = read_attribute_file(tmp_path / "test_attribute_vectors.npz")
    assert found.names == ("0", "2")  # the class that has no image has no vector
    assert found.vectors == pytest.approx(np.array([[0.0, 0.0], [0.0, 0.0]]), abs=1e-6)


def test_conditional_modules_keep_an_images_label(tmp_path):
    class Conditional(Flat):
        conditional = True
        asked: tuple = ()

        def encode(self, x, labels):
            return super().encode(x)

        def decode(self, z, labels):
            self.asked = labels
            return super().decode(z)

    module = Conditional()
    module.validation_step = lambda batch, batch_idx: None
    data = Faces(CODES, torch.tensor([1, 0, 0, 1, 1]))
    trainer(tmp_path, AttributeVectors(examples=2, strengths=(0.0, 1.0))).validate(module, data, verbose=False)
    assert module.asked.tolist() == [1, 1, 0, 0] * 2  # an attribute, in it an image, in it a strength


def test_what_cannot_be_measured_warns(tmp_path):
    class Broken(Flat):
        def encode(self, x):
            return super().encode(x) / 0

    cases = [
        (Broken(), ATTRIBUTES, "codes are not finite"),
        (Flat(), torch.ones(5, 2, dtype=torch.long), "no attribute is there in some images but not in all"),
        (Flat(), torch.rand(5), "the images have no labels"),
    ]
    for module, labels, words in cases:
        with pytest.warns(UserWarning, match=words):
            trainer(tmp_path, AttributeVectors()).validate(module, Faces(CODES, labels), verbose=False)
    assert not list(tmp_path.glob("*.npz"))


def test_mistakes_are_named(tmp_path):
    with pytest.raises(UserError, match="examples must be 1 or more"):
        AttributeVectors(examples=0)
    with pytest.raises(UserError, match="it must be difference or least_squares"):
        AttributeVectors(method="other")
    with pytest.raises(UserError, match="no attribute 'Wig'; it has Hat, Beard"):
        trainer(tmp_path, AttributeVectors(attributes=["Wig"])).validate(
            Flat(), Faces(CODES, ATTRIBUTES), verbose=False
        )
