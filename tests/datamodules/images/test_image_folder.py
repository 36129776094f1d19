import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules import ImageFolderDataModule
from dlmodules.errors import UserError


@pytest.fixture(autouse=True)
def cache_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    return home


def save(path: Path, color: Any = (200, 100, 50), size: tuple[int, int] = (8, 8), mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty images of two classes; image i of a class has red i, and blue 0 for cats, 255 for dogs."""
    for i in range(10):
        save(tmp_path / "pets" / "cat" / f"{i}.png", (i, 0, 0))
        save(tmp_path / "pets" / "dog" / f"{i}.png", (i, 0, 255))
    return tmp_path / "pets"


def module(folder: Path, **kwargs: Any) -> ImageFolderDataModule:
    return ImageFolderDataModule(str(folder), **({"image_size": 4} | kwargs))


def ready(folder: Path, **kwargs: Any) -> ImageFolderDataModule:
    data = module(folder, **kwargs)
    data.prepare_data()
    data.setup()
    return data


def members(loader: Any) -> set[tuple[int, int, int]]:
    """Red, blue and label of each image."""
    found = set()
    for x, y in loader:
        pixels = x.mul(255).round().int()
        found |= set(zip(pixels[:, 0, 0, 0].tolist(), pixels[:, 2, 0, 0].tolist(), y.tolist(), strict=True))
    return found


def picture(path: Path, **kwargs: Any) -> torch.Tensor:
    """The pixels ``(C, H, W)`` of the only image below ``path``."""
    images, _ = module(path.parent, **kwargs).pixels()
    assert len(images) == 1
    return images[0]


def test_classes_are_folders_and_the_sets_are_disjoint_and_complete(folder: Path) -> None:
    data = ready(folder)
    assert data.image_shape == (3, 4, 4)
    assert data.class_names == ["cat", "dog"]
    assert data.num_classes == 2
    sets = [members(loader) for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader())]
    assert [len(part) for part in sets] == [16, 2, 2]
    assert set.union(*sets) == {(i, 255 * label, label) for i in range(10) for label in (0, 1)}
    x, y = next(iter(data.train_dataloader()))
    assert x.shape == (16, 3, 4, 4)
    assert (x.dtype, y.dtype) == (torch.float32, torch.int64)


def test_the_seed_chooses_the_validation_set_but_not_the_test_set(folder: Path) -> None:
    def sets(seed: int) -> tuple[Any, Any]:
        data = ready(folder, seed=seed, val_fraction=0.3)
        return members(data.val_dataloader()), members(data.test_dataloader())

    assert sets(0) == sets(0)
    assert sets(0)[0] != sets(1)[0]
    assert sets(0)[1] == sets(1)[1]


def test_given_splits_are_kept(tmp_path: Path) -> None:
    for split, count in (("train", 6), ("val", 2), ("test", 3)):
        for i in range(count):
            save(tmp_path / split / "a" / f"{i}.png", (count, 0, 0))
            save(tmp_path / split / "b" / f"{i}.png", (count, 0, 255))
    data = ready(tmp_path)
    assert members(data.train_dataloader()) == {(6, 0, 0), (6, 255, 1)}
    assert members(data.val_dataloader()) == {(2, 0, 0), (2, 255, 1)}
    assert members(data.test_dataloader()) == {(3, 0, 0), (3, 255, 1)}
    assert len(data.train_set or []) == 12


def test_a_missing_val_is_cut_from_train_only(tmp_path: Path) -> None:
    for i in range(10):
        save(tmp_path / "train" / f"{i}.png", (i, 0, 0))
    save(tmp_path / "test" / "t.png", (99, 0, 0))
    data = ready(tmp_path, val_fraction=0.2)
    assert [len(part or []) for part in (data.train_set, data.val_set, data.test_set)] == [8, 2, 1]
    assert members(data.test_dataloader()) == {(99, 0, 0)}


def test_a_flat_folder_is_one_class(tmp_path: Path) -> None:
    for i in range(5):
        save(tmp_path / "faces" / f"{i}.PNG", (i, 0, 0))
    data = ready(tmp_path / "faces", test_fraction=0.0)
    assert data.class_names == ["faces"]
    assert members(data.train_dataloader()) | members(data.val_dataloader()) == {(i, 0, 0) for i in range(5)}
    with pytest.raises(UserError, match="no test images"):
        data.test_dataloader()


def test_the_central_square_is_taken(tmp_path: Path) -> None:
    pixels = np.zeros((10, 30, 3), dtype=np.uint8)
    pixels[:, 10:20] = (0, 255, 0)
    (tmp_path / "x").mkdir()
    Image.fromarray(pixels).save(tmp_path / "x" / "wide.png")
    Image.fromarray(pixels.transpose(1, 0, 2)).save(tmp_path / "x" / "tall.png")
    images, _ = module(tmp_path / "x", image_size=10).pixels()
    assert images[:, 1].unique().tolist() == [255]
    assert images[:, 0].unique().tolist() == [0]


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (513, 37), (2000, 3000)])
@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "webp", "bmp", "png"])
def test_any_size_and_type(tmp_path: Path, size: tuple[int, int], suffix: str) -> None:
    image = picture(save(tmp_path / f"a.{suffix}", size=size), image_size=16)
    assert image.shape == (3, 16, 16)
    wanted = torch.tensor([200, 100, 50]).view(3, 1, 1)
    assert (image.int() - wanted).abs().max() <= 4


def test_grey_images_and_grey_output(tmp_path: Path) -> None:
    assert picture(save(tmp_path / "a" / "grey.png", 77, mode="L"))[:, 0, 0].tolist() == [77, 77, 77]
    assert picture(tmp_path / "a" / "grey.png", channels=1)[:, 0, 0].tolist() == [77]
    # Rec. 601: 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2
    assert picture(save(tmp_path / "b" / "color.png"), channels=1)[:, 0, 0].tolist() == [124]
    assert picture(save(tmp_path / "c" / "binary.png", 1, mode="1"))[:, 0, 0].tolist() == [255, 255, 255]


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 257 * 90, dtype=np.uint16)).save(tmp_path / "a.png")
    assert picture(tmp_path / "a.png", channels=1).unique().tolist() == [90]


def test_transparent_pixels_lie_on_white(tmp_path: Path) -> None:
    assert picture(save(tmp_path / "a" / "clear.png", (9, 9, 9, 0), mode="RGBA")).unique().tolist() == [255]
    half = picture(save(tmp_path / "b" / "half.png", (0, 0, 0, 128), mode="RGBA"))
    assert half.unique().tolist() == [127]
    assert picture(save(tmp_path / "c" / "la.png", (0, 0), mode="LA"), channels=1).unique().tolist() == [255]
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    (tmp_path / "d").mkdir()
    palette.save(tmp_path / "d" / "opaque.png")
    assert picture(tmp_path / "d" / "opaque.png")[:, 0, 0].tolist() == [40, 50, 60]
    (tmp_path / "e").mkdir()
    palette.save(tmp_path / "e" / "clear.png", transparency=1)
    assert picture(tmp_path / "e" / "clear.png").unique().tolist() == [255]


def test_the_cameras_rotation_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 16), "black")
    image.paste("white", (0, 0, 16, 8))  # the upper half as stored
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by half a turn
    image.save(tmp_path / "a.png", exif=exif)
    pixels = picture(tmp_path / "a.png", channels=1, image_size=16)
    assert pixels[0, :, 0].tolist() == [0] * 8 + [255] * 8


def test_names_in_any_script(tmp_path: Path) -> None:
    save(tmp_path / "кошки" / "ein Bild & mehr.png", (1, 0, 0))
    save(tmp_path / "猫" / "☃ 'quoted'.jpeg.png", (2, 0, 0))
    save(tmp_path / "café" / "%41.png", (3, 0, 0))
    data = ready(tmp_path, val_fraction=0, test_fraction=0.3)
    assert data.class_names == sorted(["кошки", "猫", "café"])
    assert len(data.train_set or []) == 2


def test_a_corrupt_image_is_named_or_left_out(folder: Path) -> None:
    good = (folder / "cat" / "3.png").read_bytes()
    (folder / "cat" / "3.png").write_bytes(good[: len(good) // 2])
    (folder / "dog" / "7.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"cat/3\.png cannot be read.*on_corrupt") as caught:
        ready(folder)
    assert "\n" not in str(caught.value)
    with pytest.warns(UserWarning, match=r"2 of 20 images are left out.*cat/3\.png"):
        data = ready(folder, on_corrupt="skip")
    sets = [members(loader) for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader())]
    wanted = {(i, 255 * label, label) for i in range(10) for label in (0, 1)} - {(3, 0, 0), (7, 255, 1)}
    assert set.union(*sets) == wanted
    assert sum(len(part) for part in sets) == 18


def test_a_link_to_nowhere_is_named(folder: Path) -> None:
    (folder / "cat" / "link.png").symlink_to(folder / "gone.png")
    with pytest.raises(UserError, match=r"cat/link\.png cannot be read"):
        ready(folder)


def test_only_corrupt_images(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(UserError, match="none of the 1 images"):
        ready(tmp_path, on_corrupt="skip")


def forbid_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("an image was decoded")

    monkeypatch.setattr(Image, "open", fail)


def test_the_second_start_decodes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ready(folder)
    forbid_decoding(monkeypatch)
    second = ready(folder)
    assert torch.equal(first.pixels()[0], second.pixels()[0])
    assert members(first.train_dataloader()) == members(second.train_dataloader())
    assert second.pixels()[0].shape == (20, 3, 4, 4)
    ready(folder, seed=3, batch_size=2, val_fraction=0.4)  # what does not change the pixels
    with pytest.raises(AssertionError):
        ready(folder, image_size=5)
    with pytest.raises(AssertionError):
        ready(folder, channels=1)


def test_a_changed_new_or_removed_file_renews_the_cache(folder: Path) -> None:
    changed = save(folder / "cat" / "a.bmp", (111, 0, 0))
    ready(folder)
    size = changed.stat().st_size
    save(changed, (112, 0, 0))
    os.utime(changed, ns=(1, 1))  # a coarse clock could leave the time as it was
    assert changed.stat().st_size == size
    assert 112 in ready(folder).pixels()[0][:, 0]
    save(folder / "cat" / "new.png", (222, 0, 0))
    assert len(ready(folder).pixels()[0]) == 22
    changed.unlink()
    assert len(ready(folder).pixels()[0]) == 21
    assert len(list((folder / ".dlmodules_cache").iterdir())) == 1  # those of the files as they were are gone


def test_folders_share_a_place_for_their_caches_and_so_do_both_ways_with_corrupt_files(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, place = tmp_path / "others" / "pets", str(tmp_path / "caches")
    save(other / "1.png")
    for root in (folder, other):
        for on_corrupt in ("skip", "raise"):
            ready(root, cache_dir=place, on_corrupt=on_corrupt, val_fraction=0, test_fraction=0)
    forbid_decoding(monkeypatch)
    for root, count in ((folder, 20), (other, 1)):
        for on_corrupt in ("skip", "raise"):
            assert len(module(root, cache_dir=place, on_corrupt=on_corrupt).pixels()[0]) == count


def test_a_damaged_cache_is_renewed(folder: Path) -> None:
    ready(folder)
    (cache,) = (folder / ".dlmodules_cache").iterdir()
    content = cache.read_bytes()
    cache.write_bytes(content[:-10])
    assert len(ready(folder).pixels()[0]) == 20
    assert cache.read_bytes() == content


def test_a_cache_that_cannot_be_completed_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(tensors: Any, path: Path) -> None:
        Path(path).write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr("datamodules.images.image_cache.save_file", full_disk)
    with pytest.raises(UserError, match=r"No space left on device.*set cache_dir"):
        ready(folder)
    assert list((folder / ".dlmodules_cache").iterdir()) == []


def test_a_folder_that_cannot_be_written(
    folder: Path, cache_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".dlmodules_cache").write_bytes(b"a file, so that no folder can be made here")
    ready(folder)
    (place,) = (cache_home / "dlmodules").iterdir()
    assert place.name.startswith("pets-")
    assert len(list(place.iterdir())) == 1
    with pytest.raises(UserError, match="set cache_dir"):
        ready(folder, cache_dir=str(folder / "cat" / "0.png"))
    ready(folder, cache_dir=str(tmp_path / "mine"))
    assert len(list((tmp_path / "mine").iterdir())) == 1
    forbid_decoding(monkeypatch)
    ready(folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 0}, "image_size is 0"),
        ({"channels": 4}, "channels is 4"),
        ({"batch_size": -1}, "batch_size is -1"),
        ({"val_fraction": -0.1}, "val_fraction=-0.1"),
        ({"val_fraction": 0.5, "test_fraction": 0.5}, "less than 1"),
        ({"on_corrupt": "ignore"}, "on_corrupt"),
    ],
)
def test_arguments_out_of_range(folder: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        module(folder, **arguments)


def test_folders_that_cannot_be_used(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        ready(tmp_path / "nowhere")
    (tmp_path / "empty" / "class").mkdir(parents=True)
    with pytest.raises(UserError, match="has no images"):
        ready(tmp_path / "empty")
    save(folder / "stray.png")
    with pytest.raises(UserError, match=r"both images \(stray.png\) and class folders \(cat\)"):
        ready(folder)
    save(tmp_path / "two" / "a.png")
    with pytest.raises(UserError, match="too few"):
        ready(tmp_path / "two")
    save(tmp_path / "unknown" / "train" / "a" / "0.png")
    save(tmp_path / "unknown" / "val" / "b" / "0.png")
    with pytest.raises(UserError, match="val has class 'b', which the training images lack"):
        ready(tmp_path / "unknown")


def test_hidden_and_other_files_are_passed_over(folder: Path) -> None:
    save(folder / "cat" / ".hidden.png")
    save(folder / "cat" / ".thumbs" / "0.png")
    (folder / "cat" / "notes.txt").write_text("no image")
    (folder / "README.md").write_text("no image")
    (folder / "empty").mkdir()
    save(folder / "cat" / "kittens" / "0.png", (50, 0, 0))
    data = module(folder)
    assert data.class_names == ["cat", "dog"]
    assert len(data.listing.files) == 21
    assert len(data.listing.rows("")) == 21


def test_some_classes_of_joined_splits(tmp_path: Path) -> None:
    for number, (split, pet) in enumerate((s, p) for s in ("train", "test") for p in ("cat", "dog", "owl")):
        for red in range(5):
            save(tmp_path / split / pet / f"{red}.png", (10 * number + red, 0, 0))
    data = ready(tmp_path, classes=["owl", "dog"], join_splits=True, val_fraction=0.2, test_fraction=0.3)
    assert data.class_names == ["owl", "dog"]
    loaders = (data.train_dataloader(), data.val_dataloader(), data.test_dataloader())
    parts = [{(red, label) for red, _, label in members(loader)} for loader in loaders]
    assert [len(part) for part in parts] == [10, 4, 6]
    # Files are numbered cat, dog, owl of train, then of test.
    expected = {(10 * number + red, label) for number, label in ((1, 1), (2, 0), (4, 1), (5, 0)) for red in range(5)}
    assert set.union(*parts) == expected
    given = ready(tmp_path, classes=["dog"], val_fraction=0.2)
    assert {red for red, _, _ in members(given.test_dataloader())} == set(range(40, 45))
    with pytest.raises(UserError, match="no class 'cow'; there are cat, dog, owl"):
        ready(tmp_path, classes=["cow"])
