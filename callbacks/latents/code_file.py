"""The file of codes: where the images that a latent map shows lie in a latent space of two dimensions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dlmodules.errors import UserError

CODE_FILE = "latent_codes.npz"
"""Its name in a run's folder."""


@dataclass(frozen=True, eq=False)
class CodeFile:
    """The codes of N images, and their classes.

    Args:
        codes: ``(N, 2)`` float32, N at least 1.
        labels: ``(N,)`` int64, indices of ``names``; None where the images have no classes.
        names: the names of the classes, in the order of the labels.

    Raises:
        UserError: the shapes do not fit, a number is not finite, or a label has no name.
    """

    codes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64] | None
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or self.codes.shape[1] != 2 or len(self.codes) == 0:
            raise UserError(f"`codes` is {self.codes.shape}; it must be (N, 2)")
        if not np.isfinite(self.codes).all():
            raise UserError("`codes` must be finite")
        if self.labels is None:
            return
        if self.labels.shape != (len(self.codes),):
            raise UserError(f"`labels` is {self.labels.shape} for {len(self.codes)} codes")
        if self.labels.min() < 0 or self.labels.max() >= len(self.names):
            raise UserError(f"`labels` must be 0 to {len(self.names) - 1}: there are {len(self.names)} `names`")

    def save(self, path: Path) -> None:
        """Write the arrays ``codes``, ``labels`` (empty where there are none) and ``names`` to ``path``."""
        labels = np.zeros(0, dtype=np.int64) if self.labels is None else self.labels
        with open(path, "wb") as file:  # given a name, NumPy may add an ending to it
            np.savez(file, codes=self.codes, labels=labels, names=np.array(self.names, dtype=np.str_))


def read_code_file(path: str | Path) -> CodeFile:
    """Read a file that ``CodeFile.save`` wrote; nothing in it is run.

    Raises:
        UserError: it is damaged, holds objects, or lacks an array or has one of the wrong kind or shape.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            codes, labels, names = (file[name] for name in ("codes", "labels", "names"))
        return CodeFile(
            codes.astype(np.float32), labels.astype(np.int64) if len(labels) else None, tuple(map(str, names.tolist()))
        )
    except UserError as error:
        raise UserError(f"{path} is no file of codes: {error}") from error
    except Exception as error:  # damage shows as whatever it happens to cause
        raise UserError(f"{path} is no file of codes: it is damaged, or lacks `codes`, `labels` or `names`") from error
