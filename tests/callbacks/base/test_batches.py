import pytest
import torch

from callbacks.base.batches import images_and_labels
from dlmodules.errors import UserError


def test_images_and_labels_come_from_tuples_dictionaries_and_images_alone():
    images, labels = torch.rand(2, 1, 4, 4), torch.tensor([1, 0])
    for batch in ((images, labels), [images, labels], {"label": labels, "image": images, "index": labels}):
        found = images_and_labels(batch)
        assert found[0] is images
        assert found[1] is labels
    assert images_and_labels(images) == images_and_labels({"img": images}) == (images, None)
    assert images_and_labels((images, torch.rand(2)))[1] is None  # no classes
    assert images_and_labels({"image": images.double()})[0].dtype == torch.float32


@pytest.mark.parametrize("batch", [{"boxes": torch.rand(2, 4)}, [], (torch.rand(2, 3),), "images"])
def test_what_is_no_batch_of_images_is_refused(batch):
    with pytest.raises(UserError, match="a batch"):
        images_and_labels(batch)
