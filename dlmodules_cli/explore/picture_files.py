"""The files of the pictures that the page shows."""

import hashlib
import os
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from callbacks.base.grids import Picture
from dlmodules.checkpoints.atomic import whole_file


def picture_file(picture: Picture) -> str:
    """Return the path of a PNG of a picture ``(H, W)`` or ``(H, W, 3)``, named by what it shows and written once.

    Gradio would write it anew each time. Two events with the same picture, as a choice of a list sends them, then let
    the browser read a file that was just emptied, and show a broken image.
    """
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    name = hashlib.sha256(buffer.getvalue()).hexdigest()
    file = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()) / name / "image.png"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as temporary:
            temporary.write_bytes(buffer.getvalue())
    return str(file)
