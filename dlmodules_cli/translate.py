"""``translate``: own images of one domain in another, by a checkpoint alone."""

from itertools import pairwise
from pathlib import Path

import torch
from jsonargparse import Namespace

from callbacks.base.grids import Picture, to_uint8
from datamodules.images.image_files import decode, is_image
from dlmodules.errors import UserError
from dlmodules.protocols import Translates
from dlmodules.validation.arguments import check_at_least_one, check_direction
from dlmodules_cli.loading import import_own, load_trained

AT_ONCE = 16
"""Images that are translated together."""


def translate(chosen: Namespace) -> None:
    """Run ``translate`` with its options.

    Raises:
        UserError: the module does not translate images, or not that way; there are no images, or one cannot be read;
            or nothing can be written.
    """
    import_own(chosen.imports)
    module, _ = load_trained(chosen.ckpt_path, chosen.ema)
    name, direction = type(module).__name__, chosen.direction
    if not isinstance(module, Translates):
        raise UserError(f"{name} does not translate images: it has no `translate` with `directions`")
    check_direction(direction, module.directions, name)
    channels, height, width = module.domain_shapes[direction[0]]
    if height != width or channels not in (1, 3):
        raise UserError(f"{name} reads images {[channels, height, width]}: only squares of 1 or 3 channels are read")
    if chosen.image_size is not None:
        check_at_least_one(image_size=chosen.image_size)
        height = chosen.image_size
    torch.manual_seed(chosen.seed)
    output = Path(chosen.output).expanduser()
    root, files = images_of(Path(chosen.input).expanduser())
    for start in range(0, len(files), AT_ONCE):
        group = files[start : start + AT_ONCE]
        pixels = torch.stack([torch.from_numpy(decode(root / file, height, channels).copy()) for file in group])
        with torch.no_grad():
            translated = module.translate(pixels.float() / 255, direction)
        for file, image in zip(group, to_uint8(translated), strict=True):
            write(output / file.with_suffix(".png"), image)
    print(f"{len(files)} image{'s' if len(files) > 1 else ''} translated {direction}: {output}")


def images_of(given: Path) -> tuple[Path, list[Path]]:
    """Return a folder and the images in it and its folders, sorted, as paths below it; or an image and where it lies.

    Raises:
        UserError: there is none, or two would be written to one file.
    """
    if given.is_file() and is_image(given.name):
        return given.parent, [Path(given.name)]
    if not given.is_dir():
        raise UserError(f"{given} is neither an image nor a folder of images")
    files = sorted(path.relative_to(given) for path in given.rglob("*") if path.is_file() and is_image(path.name))
    if not files:
        raise UserError(f"there is no image in {given}")
    for file, after in pairwise(files):
        if file.with_suffix("") == after.with_suffix(""):
            raise UserError(f"{given} has {file} and {after}, whose translations would be one file: keep one")
    return given, files


def write(path: Path, pixels: Picture) -> None:
    """Write a picture ``(H, W, 1 or 3)`` uint8.

    Raises:
        UserError: it cannot be written.
    """
    from PIL import Image

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
