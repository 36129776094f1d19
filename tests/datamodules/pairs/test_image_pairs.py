"""Images of two domains: what comes together, in which order, and resuming inside an epoch."""

import pytest
import torch
from torch import Tensor

from datamodules import (
    DigitsDataModule,
    GreyPairsDataModule,
    ImageFolderDataModule,
    PairDataModule,
    ShrunkPairsDataModule,
)
from datamodules.images.tensor_dataset import TensorImageDataset
from datamodules.pairs.image_pairs import ImagePairDataset, ImagePairsDataModule
from dlmodules.errors import UserError


def numbered(n: int, channels: int = 1) -> TensorImageDataset:
    """Images whose pixels are their rows."""
    images = torch.arange(n, dtype=torch.uint8)[:, None, None, None].expand(n, channels, 2, 2)
    return TensorImageDataset(images, torch.arange(n))


class Numbered(ImagePairsDataModule):
    """Images whose pixels are their rows: 5 of ``a`` and 12 of ``b``, or 12 of both that are paired."""

    def __init__(self, paired: bool, **kwargs: object) -> None:
        super().__init__(batch_size=4, **kwargs)  # type: ignore[arg-type]  # of the base
        self.paired = paired

    def make_train_and_val(self) -> tuple[ImagePairDataset, ImagePairDataset]:
        pairs = ImagePairDataset(numbered(12 if self.paired else 5), numbered(12, channels=3), self.paired)
        return pairs, pairs


def epochs_of(data: ImagePairsDataModule, n: int = 2) -> list[tuple[Tensor, Tensor]]:
    loader = data.train_dataloader()
    found = []
    for _ in range(n):
        batches = list(loader)
        found.append((torch.cat([y for *_, y, _ in batches]), torch.cat([y for *_, y in batches])))
    return found


def test_pairs_stay_together_in_a_new_order_each_epoch() -> None:
    data = Numbered(paired=True)
    (a, b), (later, _) = epochs_of(data)
    assert torch.equal(a, b)
    assert sorted(a.tolist()) == list(range(12))
    assert not torch.equal(a, later)
    x_a, x_b, y_a, _ = next(iter(data.train_dataloader()))
    assert x_a.shape == (4, 1, 2, 2)
    assert x_b.shape == (4, 3, 2, 2)
    assert torch.equal((255 * x_b[:, 0, 0, 0]).round().long(), y_a)


def test_of_any_two_domains_the_longer_one_is_the_epoch() -> None:
    """And each has an order of its own: over the epochs, every two images meet."""
    data = Numbered(paired=False)
    met = set()
    for a, b in epochs_of(data, 60):
        assert sorted(b.tolist()) == list(range(12))
        counts = a.bincount(minlength=5)
        assert counts.sum() == 12
        assert set(counts.tolist()) <= {2, 3}  # the shorter one's order goes on anew
        assert len(set(a[:5].tolist())) == len(set(a[5:10].tolist())) == 5
        met |= set(zip(a.tolist(), b.tolist(), strict=True))
    assert len(met) == 60
    assert all(torch.equal(a, again) for (a, _), (again, _) in zip(epochs_of(data), epochs_of(data), strict=True))
    other = epochs_of(Numbered(paired=False, seed=1))
    assert not torch.equal(epochs_of(data)[0][0], other[0][0])


@pytest.mark.parametrize("paired", [True, False])
def test_it_resumes_inside_an_epoch(paired: bool) -> None:
    loader = Numbered(paired, train_transform=noisy).train_dataloader()
    whole = [list(loader), list(loader)]
    loader = Numbered(paired, train_transform=noisy).train_dataloader()
    list(loader)
    batches = iter(loader)
    next(batches)
    state = loader.state_dict()
    again = Numbered(paired, train_transform=noisy).train_dataloader()
    again.load_state_dict(state)
    for found, expected in zip(again, whole[1][1:], strict=True):
        assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def noisy(images: Tensor) -> Tensor:
    return images + torch.rand(len(images), 1, 1, 1)


@pytest.mark.parametrize("paired", [True, False])
def test_one_draw_augments_both_of_a_pair(paired: bool) -> None:
    data = Numbered(paired, train_transform=noisy)
    a, b, y_a, y_b = next(iter(data.train_dataloader()))
    drawn = [x[:, 0, 0, 0] - y / 255 for x, y in ((a, y_a), (b, y_b))]
    assert torch.allclose(*drawn) is paired


def test_any_two_data_modules_of_images(tmp_path) -> None:  # type: ignore[no-untyped-def]  # pytest's
    one, three = DigitsDataModule(image_size=8), DigitsDataModule(image_size=8, channels=3)
    data = PairDataModule(one, three, paired=True, batch_size=4)
    data.setup()
    a, b, y_a, y_b = next(iter(data.train_dataloader()))
    assert torch.equal(a.expand_as(b), b)
    assert torch.equal(y_a, y_b)
    assert len(next(iter(data.test_dataloader()))) == 4
    assert isinstance(PairDataModule.small(image_size=16), ShrunkPairsDataModule)
    with pytest.raises(UserError, match="the images of a are 8x8 and those of b 28x28: give both the same image_size"):
        PairDataModule(one, DigitsDataModule())
    with pytest.raises(UserError, match="need one seed for both data modules, not 0 and 1"):
        PairDataModule(one, DigitsDataModule(image_size=8, seed=1), paired=True).setup("fit")
    with pytest.raises(UserError, match="must be as many in both domains, not 5 and 12"):
        ImagePairDataset(numbered(5), numbered(12), paired=True)


def test_two_folders_of_images(tmp_path) -> None:  # type: ignore[no-untyped-def]  # pytest's
    from PIL import Image

    for name, n in (("apples", 6), ("oranges", 9)):
        (tmp_path / name).mkdir()
        for row in range(n):
            Image.new("RGB", (10, 12), (row, 0, 0)).save(tmp_path / name / f"{row}.png")
    folders = [ImageFolderDataModule(str(tmp_path / name), image_size=8) for name in ("apples", "oranges")]
    data = PairDataModule(*folders, batch_size=2)
    data.prepare_data()
    data.setup()
    assert data.train_set is not None
    assert len(data.train_set) == 7
    assert [len(a) for a, *_ in data.train_dataloader()] == [2, 2, 2, 1]


def test_shrunk_images_by_hand() -> None:
    data = ShrunkPairsDataModule(image_size=16, factor=16, batch_size=4)
    data.setup()
    a, b, y_a, y_b = next(iter(data.val_dataloader()))
    assert a.shape == b.shape == (4, 1, 16, 16)
    assert torch.equal(y_a, y_b)
    for shrunk, image in zip(a, b, strict=True):  # one grey, which weighs the middle more
        assert shrunk.unique().numel() == 1
        assert 0.1 < float(shrunk.mean()) < float(image.max())
    assert data.image_shape == (1, 16, 16)
    with pytest.raises(UserError, match="factor is 32, but the images have 16 pixels a side"):
        ShrunkPairsDataModule(image_size=16, factor=32)


def test_grey_images_belong_to_the_coloured_ones_in_the_test_alone() -> None:
    colours = DigitsDataModule(image_size=8, channels=3)
    data = GreyPairsDataModule(images=colours, paired=False, batch_size=16)
    data.setup()
    a, b, y_a, y_b = next(iter(data.test_dataloader()))
    assert a.shape == (16, 1, 8, 8)
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    assert torch.allclose(a, (weights * b).sum(1, keepdim=True), atol=0.005)
    assert torch.equal(y_a, y_b)
    a, b, y_a, y_b = next(iter(data.train_dataloader()))
    assert not torch.equal(y_a, y_b)
    with pytest.raises(UserError, match="GreyPairsDataModule needs images in colour"):
        GreyPairsDataModule(images=DigitsDataModule())
