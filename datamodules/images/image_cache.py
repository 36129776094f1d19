"""The pixels of a folder of images, decoded once and kept in a file that later runs map into memory."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from pytorch_lightning.utilities import rank_zero_info, rank_zero_warn
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from datamodules.images.image_files import Half, Listing, decode
from dlmodules.checkpoints.atomic import whole_file
from dlmodules.errors import UserError

Pixels = tuple[Tensor, Tensor]
FORMAT = 1  # changes when the same file would be decoded to other pixels


def cached_pixels(
    listing: Listing,
    image_size: int,
    channels: int,
    skip_corrupt: bool,
    cache_dir: str | None,
    half: Half = "whole",
) -> Pixels:
    """Return the images ``(N, C, H, W)`` uint8 that could be read, and their rows ``(N,)`` in ``listing``.

    They come from a cache file where there is one for these very files (paths, sizes, times) and options;
    otherwise they are decoded and the file is written, under another name until it is complete.

    Raises:
        UserError: naming the file that cannot be read, unless ``skip_corrupt``; where none can be read; and
            where there is no place for the cache.
    """
    kind = (
        f"{'skip-' if skip_corrupt else ''}{'' if half == 'whole' else f'{half}-'}{image_size}x{image_size}x{channels}"
    )
    name = f"{kind}-{fingerprint(listing)}.safetensors"
    folders = cache_folders(listing.root, cache_dir)
    for folder in folders:
        if (pixels := read(folder / name)) is not None:
            return pixels
    rank_zero_info(f"Decoding {len(listing.files)} images of {listing.root}; the next start reads them from a cache")
    pixels = decode_all(listing, image_size, channels, skip_corrupt, half)
    failures = []
    for folder in folders:
        try:
            write(folder / name, pixels)
        except (OSError, SafetensorError) as error:
            failures.append(f"{folder}: {error}")
            continue
        for old in folder.glob(f"{kind}-*.safetensors"):  # of the files as they were before
            if old.name != name:
                old.unlink(missing_ok=True)
        return read(folder / name) or pixels
    raise UserError(f"the decoded images cannot be kept ({'; '.join(failures)}); set cache_dir to a writable folder")


def fingerprint(listing: Listing) -> str:
    """Return a hash of the paths, sizes and modification times of the files."""
    digest = hashlib.sha256(str(FORMAT).encode())
    for file in listing.files:
        try:
            status = os.stat(f"{listing.root}/{file}")
            state = f"{status.st_size}\0{status.st_mtime_ns}"
        except OSError:  # a link to nowhere: decoding it tells the user
            state = ""
        digest.update(f"{file}\0{state}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:24]


def cache_folders(root: Path, cache_dir: str | None) -> list[Path]:
    """Return the folders to look for the cache in, and to write it to, in this order.

    No other folder of images has the same ones: what is written there replaces the cache of these very images.
    """
    place = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:12]
    own = f"{root.resolve().name}-{place}"
    if cache_dir is not None:
        return [Path(cache_dir).expanduser() / own]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return [root / ".dlmodules_cache", home / "dlmodules" / own]


def decode_all(listing: Listing, image_size: int, channels: int, skip_corrupt: bool, half: Half = "whole") -> Pixels:
    """Decode every file; see ``cached_pixels``."""
    images = torch.empty(len(listing.files), channels, image_size, image_size, dtype=torch.uint8)

    def decode_row(row: int) -> str | None:
        try:
            pixels = decode(listing.root / listing.files[row], image_size, channels, half)
            images[row] = torch.from_numpy(pixels.copy())
        except UserError as error:
            if not skip_corrupt:
                raise
            return str(error)
        return None

    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:  # Pillow decodes outside of the GIL
        problems = list(pool.map(decode_row, range(len(listing.files))))
    kept = torch.tensor([row for row, problem in enumerate(problems) if problem is None], dtype=torch.int64)
    unreadable = [problem for problem in problems if problem is not None]
    if len(kept) == 0:
        raise UserError(f"none of the {len(problems)} images of {listing.root} can be read: {unreadable[0]}")
    if unreadable:
        rank_zero_warn(f"{len(unreadable)} of {len(problems)} images are left out; the first: {unreadable[0]}")
        images = images[kept]
    return images, kept


def read(path: Path) -> Pixels | None:
    """Map the cache file ``path`` into memory, or return None where there is none that is whole."""
    try:
        tensors = load_file(path)
        return tensors["images"], tensors["rows"]
    except (OSError, SafetensorError, KeyError):
        return None


def write(path: Path, pixels: Pixels) -> None:
    """Write a cache file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        save_file({"images": pixels[0], "rows": pixels[1]}, temporary)
        temporary.chmod(0o644)  # safetensors leaves it to the owner alone, and others may share the folder
