"""Tubs of donkeycars: which of their frames are read, which are the test, and what is said of damaged ones."""

import io
import json
import os
import tarfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from datamodules import TubDataModule
from dlmodules.errors import UserError

FIELDS = ["cam/image_array", "user/angle", "user/throttle", "user/mode"]


def line(index, angle=None, **changed):
    """A record; its steering tells its number."""
    record = {
        "_index": index,
        "_timestamp_ms": 1000 + index,
        "cam/image_array": f"{index}_cam_image_array_.jpg",
        "user/angle": index / 100 if angle is None else angle,
        "user/mode": "user",
        "user/throttle": 0.5,
        **changed,
    }
    return json.dumps({name: value for name, value in record.items() if value is not None})


def picture(index, size=(8, 6)):
    content = io.BytesIO()
    Image.new("RGB", size, (index, 2 * index, 100)).save(content, "PNG")
    return content.getvalue()


def write(folder: Path, n=20, deleted=(), fields=FIELDS, catalogs=2) -> Path:
    """Write a tub of ``n`` records in so many catalogs."""
    (folder / "images").mkdir(parents=True)
    names = [f"catalog_{number}.catalog" for number in range(catalogs)]
    for number, name in enumerate(names):
        records = range(number * n // catalogs, (number + 1) * n // catalogs)
        (folder / name).write_text("\n".join(line(index) for index in records) + "\n")
    manifest = {"paths": names, "current_index": n, "max_len": 1000, "deleted_indexes": list(deleted)}
    head = [fields, ["image_array", "float", "float", "str"], {"start": 0.0}, {"created_at": 0.0}]
    (folder / "manifest.json").write_text("\n".join(json.dumps(part) for part in (*head, manifest)) + "\n")
    for index in range(n):
        (folder / "images" / f"{index}_cam_image_array_.jpg").write_bytes(picture(index))
    return folder


def numbers(dataset):
    """The numbers of a set's records, by their steering."""
    return [round(100 * value) for value in dataset.steering.tolist()]


def small(path, **arguments):
    return TubDataModule(str(path), **{"val_size": 3, "test_size": 5, "batch_size": 4, **arguments})


def all_sets(data):
    data.setup("fit")
    data.setup("test")
    return [numbers(part) for part in (data.train_set, data.val_set, data.test_set)]


def test_the_last_frames_are_the_test_and_those_before_them_the_validation(tmp_path):
    data = small(write(tmp_path / "tub"))
    assert all_sets(data) == [list(range(12)), [12, 13, 14], [15, 16, 17, 18, 19]]
    x, y = next(iter(data.test_dataloader()))
    assert (x.shape, x.dtype, y.dtype) == ((4, 3, 6, 8), torch.float32, torch.float32)
    assert y.tolist() == pytest.approx([0.15, 0.16, 0.17, 0.18])
    assert torch.allclose(x[0, :, 0, 0] * 255, torch.tensor([15.0, 30.0, 100.0]))
    frame, steering = data.test_set[0]
    assert torch.equal(frame, x[0])
    assert steering == y[0]


@pytest.mark.parametrize("seed", [0, 1])
def test_no_seed_changes_which_they_are(tmp_path, seed):
    data = small(write(tmp_path / "tub"), seed=seed, val_size=0.2, test_size=0.25)
    assert all_sets(data) == [list(range(12)), [12, 13, 14], [15, 16, 17, 18, 19]]
    seen = torch.cat([y for _, y in data.train_dataloader()]).abs()
    assert sorted(round(100 * value) for value in seen.tolist()) == list(range(12))


def test_records_are_in_the_order_of_their_numbers_and_deleted_ones_left_out(tmp_path):
    tub = write(tmp_path / "tub", deleted=(2, 18))
    catalog = tub / "catalog_0.catalog"
    catalog.write_text("\n".join(reversed(catalog.read_text().splitlines())))
    assert all_sets(small(tub)) == [[0, 1, *range(3, 11)], [11, 12, 13], [14, 15, 16, 17, 19]]


def test_training_frames_are_mirrored_with_their_steering(tmp_path):
    data = small(write(tmp_path / "tub"), brightness=0.0, batch_size=12)
    data.setup("fit")
    _, steering = next(iter(data.train_dataloader()))
    assert (steering < 0).any()
    assert (steering > 0).any()
    plain = small(tmp_path / "tub", brightness=0.0, mirror=False, batch_size=12)
    plain.setup("fit")
    assert (next(iter(plain.train_dataloader()))[1] >= 0).all()


@pytest.mark.parametrize("folder", ["", "tub/", "./data/tub/"])
def test_an_archive_is_read_as_it_is(tmp_path, folder):
    tub = write(tmp_path / "tub")
    archive = tmp_path / "drive.tar.gz"
    with tarfile.open(archive, "w:gz") as made:
        for path in sorted(tub.rglob("*")):
            made.add(path, f"{folder}{path.relative_to(tub)}", recursive=False)
    assert all_sets(small(archive)) == all_sets(small(tub))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drive.tar.gz", "tub"]


def test_the_default_is_in_the_folder_of_data(tmp_path, monkeypatch):
    monkeypatch.setenv("DLMODULES_DATA", str(tmp_path))
    with pytest.raises(UserError, match=r"there is no tub in .*donkey_tub: put .* or use RoadFramesDataModule"):
        TubDataModule().setup("fit")
    write(tmp_path / "donkey_tub")
    data = TubDataModule(val_size=3, test_size=5)
    assert len(all_sets(data)[0]) == 12


def damage(tub, how):
    catalog = tub / "catalog_0.catalog"
    lines = catalog.read_text().splitlines()
    images = tub / "images"
    if how == "json":
        lines[4] = lines[4][:20]
    elif how == "field":
        lines[4] = line(4, **{"user/angle": None} | {"user/throttle": 0.1})
        lines[4] = json.dumps({key: value for key, value in json.loads(lines[4]).items() if key != "user/angle"})
    elif how == "range":
        lines[4] = line(4, 1.5)
    elif how == "number":
        lines[4] = line(4, float("nan"))
    elif how == "missing":
        (images / "4_cam_image_array_.jpg").unlink()
    elif how == "image":
        (images / "4_cam_image_array_.jpg").write_bytes(picture(4)[:30])
    elif how == "size":
        (images / "4_cam_image_array_.jpg").write_bytes(picture(4, (9, 6)))
    catalog.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("json", r"catalog_0.catalog, line 5: the record cannot be read"),
        ("field", r"catalog_0.catalog, line 5: the record has no 'user/angle'"),
        ("range", r"line 5: user/angle is 1.5; it must lie in \[-1, 1\]"),
        ("number", r"line 5: user/angle is nan"),
        ("missing", r"lacks images/4_cam_image_array_.jpg"),
        ("image", r"images/4_cam_image_array_.jpg cannot be read as an image"),
        ("size", r"images/4_cam_image_array_.jpg has 9 x 6 pixels; others have 8 x 6"),
    ],
)
def test_what_is_wrong_with_a_record_is_said_or_it_is_left_out(tmp_path, how, words):
    tub = write(tmp_path / "tub")
    damage(tub, how)
    with pytest.raises(UserError, match=rf"{words}.*; repair or remove it, or set on_corrupt to skip"):
        small(tub).setup("fit")
    data = small(tub, on_corrupt="skip")
    with pytest.warns(UserWarning, match=f"1 records of .* are left out; the first: .*{words}"):
        data.setup("fit")
    assert numbers(data.train_set) == [0, 1, 2, 3, *range(5, 12)]


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (b"{", "manifest.json of .* cannot be read .* as donkeycar 4 writes it"),
        (b"\xff\xfe", "manifest.json of .* cannot be read"),
        (b'["cam/image_array"]\n{"paths": []}\n', "manifest.json of .* cannot be read"),
        (b'["cam/image_array", "pilot/angle"]\n{"paths": [], "deleted_indexes": []}\n', "has no field 'user/angle'"),
        (b'["cam/image_array", "user/angle"]\n{"paths": [], "deleted_indexes": []}\n', "has no frames"),
        (b'["cam/image_array", "user/angle"]\n{"paths": ["no"], "deleted_indexes": []}\n', "lacks no"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_named(tmp_path, manifest, words):
    tub = write(tmp_path / "tub")
    (tub / "manifest.json").write_bytes(manifest)
    with pytest.raises(UserError, match=words):
        small(tub).setup("fit")


def test_what_is_no_tub_is_named(tmp_path):
    with pytest.raises(UserError, match=r"there is no .*nowhere"):
        small(tmp_path / "nowhere").setup("fit")
    with pytest.raises(UserError, match=r"is no tub: it has no manifest.json"):
        small(tmp_path).setup("fit")
    (tmp_path / "drive.tar.gz").write_bytes(b"no archive")
    with pytest.raises(UserError, match="is no archive that can be read"):
        small(tmp_path / "drive.tar.gz").setup("fit")
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    with pytest.raises(UserError, match=r"is no tub: it has no manifest.json"):
        small(tmp_path / "empty.tar").setup("fit")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"val_size": -1}, "val_size is -1; it must be a number of frames or a fraction"),
        ({"on_corrupt": "drop"}, "on_corrupt is 'drop'; it must be raise or skip"),
        ({"brightness": 2.0}, "brightness is 2.0"),
    ],
)
def test_numbers_out_of_range_are_named(arguments, words):
    with pytest.raises(UserError, match=words):
        TubDataModule(**arguments)


def test_a_tub_that_is_too_short_is_named(tmp_path):
    with pytest.raises(UserError, match=r"test_size=200 and val_size=100 leave none of the 20 frames of .*tub"):
        TubDataModule(str(write(tmp_path / "tub"))).setup("fit")


def test_the_recorded_drive_is_read():
    """The error of the mean steering on its last 200 frames tells that these are the test, in their order."""
    path = Path(os.environ.get("DLMODULES_DATA", "")) / "donkey_tub" / "tub.tar.gz"
    if not path.is_file():
        pytest.skip("donkey_tub is not in $DLMODULES_DATA")
    data = TubDataModule(str(path))
    data.setup("fit")
    data.setup("test")
    assert [len(part) for part in (data.train_set, data.val_set, data.test_set)] == [700, 100, 200]
    known = torch.cat([data.train_set.steering, data.val_set.steering])
    assert (data.test_set.steering - known.mean()).abs().mean().item() == pytest.approx(0.4204, abs=1e-4)
    assert data.test_set[0][0].shape == (3, 120, 160)
