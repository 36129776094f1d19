"""Patches of photographs and of Japanese woodblock prints, cut out once below the work folder."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.context import Context
from benchmarks.data.pictures import PAINTINGS, PHOTOS, found

PRINTS = ("katsushika_", "utagawa_")
PAINTED = ("Eglise_dAuvers", "Gogh", "PereTanguy", "starry_night")
"""In the names of what lies among the photographs and shows a painting."""
SIZE, TRAIN, TEST = 64, 3_000, 400
SHORTER = {"photos": 160, "prints": 224}
"""The shorter side of a picture, in pixels, when patches are cut out of it."""
EDGE = 0.02
"""Part of a print, at each side, that may be its frame."""


def arguments(context: Context) -> list[str]:
    """Return the command line's arguments that name the folders of both domains."""
    made = folder(context)
    return [
        word
        for domain, name in (("a", "photos"), ("b", "prints"))
        for word in (f"--data.init_args.{domain}.init_args.folder", str(made / name))
    ]


def folder(context: Context) -> Path:
    """Return a folder with ``photos`` and ``prints``, each with ``train`` and ``test``, of patches of 64 pixels.

    Of the photographs a fifth is for the test alone, the first by their names; of each print the last quarter along its
    longer side, since there are few. Raises UserError where there are none.
    """
    made = context.work / "ukiyoe"
    if not made.is_dir():
        # Renamed when it is whole: what was interrupted is not taken for it.
        partial = made.with_name(f"{made.name}.{os.getpid()}")
        for name, split, pictures in _pictures():
            target = partial / name / split
            target.mkdir(parents=True, exist_ok=True)
            n, seed = (TRAIN, 0) if split == "train" else (TEST, 1)
            for place, patch in enumerate(patches(pictures, n, seed)):
                patch.save(target / f"{place:04}.png")
        partial.rename(made)
    return made


def _pictures() -> Iterator[tuple[str, str, list[Image.Image]]]:
    """Yield the pictures of each domain and split."""
    photos = [path for path in _files(PHOTOS) if not any(word in path.name for word in PAINTED)]
    apart = len(photos) // 5
    for split, chosen in (("train", photos[apart:]), ("test", photos[:apart])):
        yield "photos", split, [_read(path, SHORTER["photos"]) for path in chosen]
    prints = [_read(path, SHORTER["prints"]) for path in _files(PAINTINGS) if path.name.startswith(PRINTS)]
    for split in ("train", "test"):
        yield "prints", split, [region(picture, split == "test") for picture in prints]


def _files(path: Path) -> list[Path]:
    return sorted(Path(found(path)).glob("*.jpg"))


def _read(path: Path, shorter: int) -> Image.Image:
    with Image.open(path) as file:
        picture = file.convert("RGB")
    factor = shorter / min(picture.size)
    width, height = (round(factor * length) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def region(picture: Image.Image, test: bool) -> Image.Image:
    """Return the last quarter of a picture along its longer side, or what is before that; without the picture's edge.

    Args:
        picture: of any size.
        test: whether it is the last quarter that is asked for.
    """
    size = np.array(picture.size)
    start, end = np.ceil(EDGE * size), np.floor((1 - EDGE) * size)
    longer = int(size.argmax())
    (start if test else end)[longer] = size[longer] * 3 // 4
    left, top, right, bottom = (int(place) for place in (*start, *end))
    return picture.crop((left, top, right, bottom))


def patches(pictures: Sequence[Image.Image], n: int, seed: int) -> Iterator[Image.Image]:
    """Yield ``n`` patches of 64 pixels at random places of the pictures, of one picture after the other."""
    draw = np.random.default_rng(seed)
    for place in range(n):
        picture = pictures[place % len(pictures)]
        left, top = (int(draw.integers(length - SIZE + 1)) for length in picture.size)
        yield picture.crop((left, top, left + SIZE, top + SIZE))
