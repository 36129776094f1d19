"""Downloads that leave either the whole data or nothing."""

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from dlmodules.errors import UserError


def download(
    folder: Path, fetch: Callable[[str], object], results: Sequence[str], archives: Sequence[str], advice: str
) -> None:
    """Let ``fetch`` fill a temporary folder inside ``folder``, then move the results from there into place.

    Args:
        folder: where the data belongs; made if missing.
        fetch: given the path of an empty folder, downloads into it and checks what it got.
        results: files, or folders that ``folder`` lacks, relative to both, that ``fetch`` makes.
        archives: files that ``fetch`` would download. Those that the user has put into ``folder`` are copied
            into the temporary folder first.
        advice: what to do without a network; ends the message of a failure.

    Raises:
        UserError: where anything fails, and then nothing has been moved.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as name:
            temporary = Path(name)
            for archive in archives:
                if (folder / archive).is_file():
                    (temporary / archive).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(folder / archive, temporary / archive)
            fetch(name)
            missing = [result for result in results if not (temporary / result).exists()]
            if missing:
                raise FileNotFoundError(f"the download lacks {', '.join(missing)}")
            for result in results:
                target = folder / result
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(temporary / result, target)
    except Exception as error:  # network, disk, archive, checksum: the remedy is the same
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"downloading to {folder} failed ({reason}). {advice}") from error
