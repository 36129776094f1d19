import numpy as np
import pytest
import torch
from torchvision.transforms.functional import to_tensor

from datamodules import TensorImageDataset
from dlmodules.errors import UserError

IMAGES = torch.arange(256, dtype=torch.uint8).view(4, 1, 8, 8)
LABELS = torch.tensor([3, 1, 0, 2])


def test_values_are_those_of_to_tensor_bit_for_bit() -> None:
    x, y = TensorImageDataset(IMAGES, LABELS).__getitems__([0, 1, 2, 3])
    wanted = torch.stack([to_tensor(image[0].numpy()) for image in IMAGES])
    assert torch.equal(x, wanted)
    assert x.dtype == torch.float32
    assert (x.min(), x.max()) == (0.0, 1.0)
    assert torch.equal(y, LABELS)


def test_a_batch_has_the_asked_rows_in_the_asked_order() -> None:
    dataset = TensorImageDataset(IMAGES, LABELS)
    for rows in ([2, 0, 2], torch.tensor([2, 0, 2]), np.array([2, 0, 2])):
        x, y = dataset.__getitems__(rows)
        assert x.shape == (3, 1, 8, 8)
        assert x[:, 0, 0, 0].mul(255).round().tolist() == [128, 0, 128]
        assert y.tolist() == [0, 3, 0]
        assert y.dtype == torch.int64


def test_indices_choose_rows_without_a_copy() -> None:
    dataset = TensorImageDataset(IMAGES, LABELS, torch.tensor([3, 1]))
    assert len(dataset) == 2
    assert dataset.images.data_ptr() == IMAGES.data_ptr()
    assert dataset.__getitems__([1, 0])[1].tolist() == [1, 2]
    assert [int(y) for _, y in dataset] == [2, 1]  # iterating ends with IndexError


def test_one_image() -> None:
    dataset = TensorImageDataset(IMAGES, LABELS)
    x, y = dataset[-1]
    assert x.shape == (1, 8, 8)
    assert y.shape == ()
    assert int(y) == 2
    for outside in (4, -5):
        with pytest.raises(IndexError):
            dataset[outside]


def test_a_batch_may_be_changed_without_changing_the_data() -> None:
    dataset = TensorImageDataset(IMAGES.clone(), LABELS.clone())
    x, y = dataset.__getitems__([0])
    x.add_(1)
    y.add_(1)
    assert torch.equal(dataset.images, IMAGES)
    assert torch.equal(dataset.labels, LABELS)


def test_labels_out_of_range_are_named() -> None:
    with pytest.raises(UserError, match=r"label 3 of image 0 .* 0 to 2"):
        TensorImageDataset(IMAGES, LABELS, num_classes=3)
    with pytest.raises(UserError, match="label -7 of image 1"):
        TensorImageDataset(IMAGES, torch.tensor([0, -7, 0, 0]))
    TensorImageDataset(IMAGES, LABELS, num_classes=4)


@pytest.mark.parametrize(
    ("images", "labels"),
    [(IMAGES.float(), LABELS), (IMAGES[0], LABELS), (IMAGES, LABELS.int()), (IMAGES, LABELS[:3])],
)
def test_wrong_shapes_and_types_are_refused(images: torch.Tensor, labels: torch.Tensor) -> None:
    with pytest.raises(UserError, match=r"images must be|labels must be"):
        TensorImageDataset(images, labels)
