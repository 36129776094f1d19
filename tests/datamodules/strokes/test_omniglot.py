"""Omniglot's strokes: made-up archives in its form, and the real ones where they are there."""

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from datamodules import LetterStrokesDataModule, OmniglotStrokesDataModule
from datamodules.strokes.omniglot import ARCHIVES, read_drawings, read_strokes
from dlmodules.errors import UserError

DRAWING = "START\n10.0,-20.0,0\n20.0,-20.0,10\n20.0,-40.0,15\nBREAK\n5.0,-30.0,40\nBREAK\n"


def archives(folder: Path, writers: int = 20, drawing: str = DRAWING) -> Path:
    """Write both archives, of which each has an alphabet of three characters, and one that is in both."""
    (folder / "omniglot_strokes").mkdir()
    for number, archive in enumerate(ARCHIVES, start=1):
        root = archive.removesuffix(".zip")
        with zipfile.ZipFile(folder / "omniglot_strokes" / archive, "w") as file:
            file.writestr(f"__MACOSX/{root}/._Own", "x")
            for alphabet in (f"Own_{number}", "Latin"):
                for character in range(1, 4):
                    for writer in range(1, writers + 1):
                        path = f"{root}/{alphabet}/character{character:02}/00{character:02}_{writer:02}.txt"
                        file.writestr(path, drawing)
    return folder


def test_a_drawing_is_read() -> None:
    strokes = read_strokes(DRAWING, "here")
    assert [stroke.tolist() for stroke in strokes] == [[[10, -20], [20, -20], [20, -40]], [[5, -30]]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("BEGIN\n", "here is no drawing: it does not begin with START"),
        ("", "here is no drawing: it does not begin with START"),
        ("START\n1,2\n", "here is no drawing: "),
        ("START\n1,x,3\n", "here is no drawing: could not convert"),
        ("START\nBREAK\n", "here is no drawing: it has no points"),
    ],
)
def test_what_is_no_drawing_is_told(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_strokes(text, "here")


def test_writers_are_in_one_part_alone_and_no_drawing_comes_twice(tmp_path: Path) -> None:
    data = OmniglotStrokesDataModule(data_dir=str(archives(tmp_path)), characters=2, val_writers=3, test_writers=5)
    data.prepare_data()
    assert list(data.alphabet) == [f"{name} {n:02}" for name in ("Latin", "Own_1", "Own_2") for n in (1, 2, 3)]
    # Three characters of each of three alphabets are a line of two and one of one, for each writer.
    counts = {part: len(data.read(part)) for part in ("train", "val", "test")}
    assert counts == {"train": 3 * 12 * 2, "val": 3 * 3 * 2, "test": 3 * 5 * 2}
    for line in data.read("test"):
        assert len(line.strokes) == 2 * len(line.characters)
        assert len({(number - 1) // 3 for number in line.characters}) == 1  # of one alphabet


def test_characters_stand_side_by_side_and_are_shifted_by_less_than_a_pixel(tmp_path: Path) -> None:
    data = OmniglotStrokesDataModule(data_dir=str(archives(tmp_path)), characters=3)
    line = data.read("train")[0]
    for number in range(3):
        corner, dot = line.strokes[2 * number : 2 * number + 2]
        # Each is 15 pixels wide, and 20 are between two.
        assert corner.flatten().tolist() == pytest.approx(
            [35 * number + 5, -20, 35 * number + 15, -20, 35 * number + 15, -40], abs=0.5
        )
        assert dot.flatten().tolist() == pytest.approx([35 * number, -30], abs=0.5)
    again = OmniglotStrokesDataModule(data_dir=str(tmp_path), characters=3, seed=5).read("train")[0]
    assert all((a == b).all() for a, b in zip(line.strokes, again.strokes, strict=True))


def test_what_is_missing_or_damaged_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = OmniglotStrokesDataModule(data_dir=str(tmp_path))
    with pytest.raises(
        UserError, match=r"has no strokes_background_small1.zip and no .*or use LetterStrokesDataModule"
    ):
        data.setup("fit")
    path = tmp_path / "a.zip"
    path.write_bytes(b"no archive")
    with pytest.raises(UserError, match=r"a.zip is damaged .*; delete it"):
        next(read_drawings(path))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("photographs/1.png", b"x")
    with pytest.raises(UserError, match=r"a.zip has no drawings of Omniglot; delete it"):
        next(read_drawings(path))
    monkeypatch.setattr("torchvision.datasets.utils.download_url", lambda *args: (_ for _ in ()).throw(OSError("down")))
    with pytest.raises(UserError, match=r"failed \(down\)\. Without a network, put strokes_background_small1.zip"):
        data.prepare_data()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"characters": 0}, "characters is 0"),
        ({"tolerance": -1.0}, r"tolerance is -1.0"),
        ({"val_writers": 10, "test_writers": 10}, "val_writers=10 and test_writers=10 leave none of 20 to train on"),
    ],
)
def test_numbers_out_of_range_are_told(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        OmniglotStrokesDataModule(**arguments)


def test_made_up_letters_stand_in() -> None:
    assert isinstance(OmniglotStrokesDataModule.small(), LetterStrokesDataModule)


@pytest.mark.slow
def test_the_real_archives() -> None:
    if not os.path.isdir(os.path.join(os.environ.get("DLMODULES_DATA", ""), "omniglot_strokes")):
        pytest.skip("needs Omniglot's strokes in $DLMODULES_DATA")
    data = OmniglotStrokesDataModule()
    data.setup()
    assert len(data.alphabet) == 242
    sizes = [len(part) for part in (data.train_set, data.val_set, data.test_set) if part is not None]
    assert sizes == [14 * 52, 2 * 52, 4 * 52]
    assert data.scale == pytest.approx(21, abs=2)
