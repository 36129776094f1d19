"""The file of attribute vectors: directions of attributes in latent space, and mean and spread of the codes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dlmodules.checkpoints.atomic import whole_file
from dlmodules.errors import UserError

ATTRIBUTE_FILE = "attribute_vectors.npz"
"""Its name in a run's folder."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AttributeFile:
    """The ways of A attributes through codes of D numbers.

    Args:
        names: the names of the attributes, A of them, all different.
        vectors: ``(A, D)`` float32; row a added to a code gives its image attribute a.
        mean: ``(D,)`` float32, the mean of the codes of the images.
        std: ``(D,)`` float32, their standard deviation, at least 0.

    Raises:
        UserError: the shapes do not fit, a number is not finite, or a name stands twice.
    """

    names: tuple[str, ...]
    vectors: Floats
    mean: Floats
    std: Floats

    def __post_init__(self) -> None:
        if self.mean.ndim != 1 or len(self.mean) == 0:
            raise UserError(f"`mean` is {self.mean.shape}; it must be (D,), the mean of the codes")
        dims = len(self.mean)
        if self.std.shape != (dims,) or self.vectors.shape != (len(self.names), dims):
            raise UserError(
                f"`vectors` is {self.vectors.shape} and `std` {self.std.shape}; for {len(self.names)} `names` and a"
                f" `mean` of {dims} numbers they must be {(len(self.names), dims)} and {(dims,)}"
            )
        if not all(np.isfinite(values).all() for values in (self.vectors, self.mean, self.std)):
            raise UserError("`vectors`, `mean` and `std` must be finite")
        if (self.std < 0).any():
            raise UserError("`std` must be at least 0")
        if len(set(self.names)) != len(self.names):
            raise UserError("`names` must all be different")

    @property
    def latent_dim(self) -> int:
        """The size D of a code."""
        return len(self.mean)

    def save(self, path: Path) -> None:
        """Write the arrays to ``path``, which is half a file meanwhile; see ``write_attribute_file``."""
        with open(path, "wb") as file:  # given a name, NumPy may add an ending to it
            np.savez(
                file,
                names=np.array(self.names, dtype=np.str_),
                vectors=self.vectors.astype(np.float32),
                mean=self.mean.astype(np.float32),
                std=self.std.astype(np.float32),
            )


def read_attribute_file(path: str | Path) -> AttributeFile:
    """Read a file that ``write_attribute_file`` wrote; nothing in it is run.

    Raises:
        UserError: it is missing, damaged, holds objects, or lacks an array or has one of the wrong kind or shape.
    """
    if not Path(path).is_file():
        raise UserError(f"there is no file of attribute vectors {path}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("names", "vectors", "mean", "std")}
    except KeyError as error:
        raise UserError(
            f"{path} is no file of attribute vectors: it must hold `names`, `vectors`, `mean`, `std`"
        ) from error
    except Exception as error:  # damage shows as whatever it happens to cause
        raise UserError(f"{path} is no file of attribute vectors: it is damaged, or no .npz of plain arrays") from error
    if arrays["names"].ndim != 1 or arrays["names"].dtype.kind != "U":
        raise UserError(f"{path} is no file of attribute vectors: `names` must be a row of texts")
    try:
        return AttributeFile(
            tuple(arrays["names"].tolist()), *(_floats(arrays[name], name) for name in ("vectors", "mean", "std"))
        )
    except UserError as error:
        raise UserError(f"{path} is no file of attribute vectors: {error}") from error


def write_attribute_file(path: str | Path, attributes: AttributeFile) -> None:
    """Write ``attributes`` as an ``.npz`` of the arrays ``names``, ``vectors``, ``mean`` and ``std``.

    It is written under another name and renamed, so that there is never half a file.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    with whole_file(Path(path)) as temporary:
        attributes.save(temporary)


def _floats(array: npt.NDArray[Any], name: str) -> Floats:
    if array.dtype.kind not in "fiu":
        raise UserError(f"`{name}` must be numbers")
    return array.astype(np.float32)
