"""Archives in the data folder, unpacked once below the work folder."""

import os
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.context import Context
from dlmodules.errors import UserError


def unpacked(context: Context, name: str, archive: Path, beside: Sequence[Path] = ()) -> Path:
    """Return the folder ``name`` below the work folder, with what is in ``archive`` and copies of the files ``beside``.

    All are named as they lie in ``$DLMODULES_DATA``. Raises UserError where one is not there.
    """
    folder = context.work / name
    if not folder.is_dir():
        root = Path(os.environ.get("DLMODULES_DATA", ""))
        for file in (archive, *beside):
            if not (root / file).is_file():
                raise UserError(f"there is no {file} in the folder of data; set DLMODULES_DATA to where it lies")
        # Renamed when it is whole: an interrupted one is not taken for the data.
        partial = folder.with_name(f"{folder.name}.{os.getpid()}")
        with tarfile.open(root / archive) as tar:
            tar.extractall(partial, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # from 3.11.4
        for file in beside:
            shutil.copyfile(root / file, partial / file.name)
        partial.rename(folder)
    return folder
